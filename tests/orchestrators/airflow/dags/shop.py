"""The DAGs that the tests' Airflow has run."""

import datetime
import os
import time

from airflow.sdk import Asset, dag, task

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
SALES = Asset(name="sales", uri="postgres://shop.internal:5432/shop/public/sales")
REPORT = Asset(name="report", uri="s3://reports/daily/sales.parquet")


# Due at once for the January that has passed, and then not while the tests look on.
@dag(
    dag_display_name="Daily report",
    description="Sales of the day, sorted.",
    schedule="15 5 1 1 *",
    start_date=START,
    catchup=False,
    tags=["prod"],
    default_args={"owner": "ada"},
    owner_links={"ada": "mailto:ada@example.com"},
)
def daily_report():
    @task(inlets=[SALES])
    def read_sales():
        return [3, 1, 2]

    @task(task_display_name="Sort")
    def sort_sales(sales):
        return sorted(sales)

    @task(outlets=[REPORT])
    def write_report(sales):
        return len(sales)

    write_report(sort_sales(read_sales()))


@dag(schedule=[REPORT], start_date=START, catchup=False, default_args={"owner": "bob@example.com"})
def announce():
    @task(inlets=[REPORT])
    def tell():
        pass

    tell()


@dag(
    description="Asks shops for their prices.",
    schedule=datetime.timedelta(days=365),
    start_date=START,
    catchup=False,
    default_args={"owner": "bob", "retries": 1, "retry_delay": datetime.timedelta(seconds=1)},
)
def prices():
    @task
    def list_shops():
        return ["north", "south"]

    @task
    def ask_shop(shop, params=None, ti=None):
        if shop == "south" and ti.try_number <= (params or {}).get("failures", 0):
            raise ConnectionError(f"no answer from {shop}.example.com")

    @task.branch
    def choose():
        return "publish"

    @task
    def publish():
        pass

    @task
    def complain():
        pass

    ask_shop.expand(shop=list_shops()) >> choose() >> [publish(), complain()]


@dag(schedule=None, start_date=START, max_active_runs=1)
def archive():
    @task
    def wait():
        # It is in a process group of its own, and has to see for itself that Airflow has ended.
        parent = os.getppid()
        while os.getppid() == parent:
            time.sleep(0.1)

    wait()


@dag(schedule=None, start_date=START, tags=["🗄 old"])
def hurry():
    @task(execution_timeout=datetime.timedelta(seconds=1))
    def dawdle():
        time.sleep(60)

    dawdle()


for make in (daily_report, announce, prices, archive, hurry):
    make()
