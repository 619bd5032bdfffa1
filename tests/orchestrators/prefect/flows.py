"""The flows that the tests' Prefect server has run."""

import time

from prefect import flow, task
from prefect.assets import materialize

SALES = "postgres://shop.internal:5432/shop/public/sales"
REPORT = "s3://reports/daily/sales.parquet"


@task
def read_sales():
    return [3, 1, 2]


@task
def sort_sales(sales):
    return sorted(sales)


@materialize(REPORT, asset_deps=[SALES])
def write_report(sales):
    return len(sales)


@flow(name="daily-report", version="2", description="Sales of the day, sorted.")
def daily_report():
    return write_report(sort_sales(read_sales()))


@task(retries=1, retry_delay_seconds=0)
def ask_shop(shop, failures):
    if failures:
        failures.pop()
        raise ConnectionError(f"no answer from {shop}.example.com")


@flow(name="prices", version="1.1", description="Asks shops for their prices.")
def prices(failures=0):
    ask_shop("north", [])
    # A list is shared by the attempts of a task, a number would start anew.
    ask_shop("south", [None] * failures)


@flow(name="archive", version="1", description="Takes a minute and is given a second.", timeout_seconds=1)
def archive():
    for _ in range(600):
        time.sleep(0.1)
