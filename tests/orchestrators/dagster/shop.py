"""The jobs that the tests' Dagster has run."""

import time

import dagster as dg

sales = dg.AssetSpec("sales", group_name="raw")


@dg.asset(deps=[sales], group_name="reports")
def report():
    return dg.MaterializeResult(metadata={"rows": 3})


@dg.op
def read_sales():
    return [3, 1, 2]


@dg.op
def sort_sales(sales):
    return sorted(sales)


@dg.op(description="Puts it where all can see it.")
def write_report(sales):
    return len(sales)


@dg.job(
    description="Sales of the day, sorted.",
    tags={"tier": "1"},
    owners=["ada@example.com", "team:sales"],
    metadata={"runbook": dg.MetadataValue.url("https://wiki.example.com/report")},
)
def daily_report():
    write_report(sort_sales(read_sales()))


@dg.op(out=dg.DynamicOut())
def list_shops():
    for shop in ("north", "south"):
        yield dg.DynamicOutput(shop, mapping_key=shop)


@dg.op(config_schema={"failures": dg.Field(int, default_value=0)}, retry_policy=dg.RetryPolicy(max_retries=1))
def ask_shop(context, shop):
    if shop == "south" and context.retry_number < context.op_config["failures"]:
        raise ConnectionError("no answer from south.example.com")


@dg.job(description="Asks shops for their prices.")
def prices():
    list_shops().map(ask_shop)


@dg.op
def wait():
    for _ in range(6000):
        time.sleep(0.1)


@dg.job(tags={"note": "🗄 old"})
def archive():
    wait()


refresh = dg.define_asset_job("refresh", selection=[report])


@dg.sensor(job=refresh, minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING)
def new_sales():
    # A key is run once.
    yield dg.RunRequest(run_key="first")


defs = dg.Definitions(
    assets=[sales, report],
    executor=dg.in_process_executor,
    jobs=[daily_report, prices, archive, refresh],
    schedules=[
        # Far away, so that none falls due while the tests look on.
        dg.ScheduleDefinition(
            name="yearly",
            job=daily_report,
            cron_schedule="15 5 1 1 *",
            execution_timezone="Europe/Berlin",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        ),
        dg.ScheduleDefinition(name="stopped", job=prices, cron_schedule=["0 4 * * 1", "0 22 * * *"]),
    ],
    sensors=[new_sales],
)
