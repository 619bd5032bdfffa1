"""Gives an empty Prefect server deployments of every kind and a run in every state, and returns once all can be read."""

import asyncio
import datetime

import flows
from prefect import get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule
from prefect.flow_engine import run_flow
from prefect.states import Cancelled, Crashed, Paused, Running, Scheduled

HOUR = datetime.timedelta(hours=1)
# Far away, so that none falls due while the tests look on.
YEARLY = CronSchedule(cron="15 5 1 1 *", timezone="Europe/Berlin")
WEEKS = RRuleSchedule(rrule="FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1", timezone="UTC")


def now():
    return datetime.datetime.now(datetime.timezone.utc)


async def deploy(client, flow, name, schedules=(), **settings):
    return await client.create_deployment(
        flow_id=await client.create_flow(flow),
        name=name,
        version=flow.version,
        description=flow.description,
        entrypoint=f"flows.py:{flow.fn.__name__}",
        schedules=[DeploymentScheduleCreate(schedule=schedule, active=active) for schedule, active in schedules],
        **settings,
    )


def execute(flow, run):
    try:
        run_flow(flow, flow_run=run, parameters=run.parameters)
    except Exception as error:
        # Half of them are meant to fail; what became of them stands in the test's snapshot.
        print(flow.name, repr(error))


async def until(what, found):
    for _ in range(120):
        if result := await found():
            return result
        await asyncio.sleep(0.5)
    raise TimeoutError(f"the server does not show {what}")


async def main():
    async with get_client() as client:
        for pool in ("east", "west"):
            await client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
        hourly = IntervalSchedule(interval=HOUR, anchor_date=now(), timezone="UTC")
        report = await deploy(
            client, flows.daily_report, "prod", [(YEARLY, True)],
            work_pool_name="east", tags=["prod", "owner:ada@example.com"],
        )
        await deploy(client, flows.daily_report, "test", [(WEEKS, True), (YEARLY, False)], work_pool_name="east")
        scheduled = await deploy(client, flows.prices, "prod", [(hourly, True)], work_pool_name="west")
        by_hand = await deploy(client, flows.prices, "by-hand")
        archive = await deploy(client, flows.archive, "paused", [(YEARLY, True)], paused=True, tags=["🗄 old"])

        for deployment, flow, parameters in (
            (report, flows.daily_report, {}),
            (by_hand, flows.prices, {"failures": 1}),
            (by_hand, flows.prices, {"failures": 2}),
            (archive, flows.archive, {}),
        ):
            run = await client.create_flow_run_from_deployment(deployment, parameters=parameters)
            await asyncio.to_thread(execute, flow, run)

        # What the server itself has planned for an hour from now.
        planned = FlowRunFilter(deployment_id={"any_": [scheduled]})
        run, *_ = await until("planned runs", lambda: client.read_flow_runs(flow_run_filter=planned))
        await client.set_flow_run_state(run.id, Scheduled(scheduled_time=now()), force=True)
        await asyncio.to_thread(execute, flows.prices, run)

        for state in (
            Cancelled(message="stopped by bob"),
            Crashed(message="the process ended with status 137"),
            Paused(timeout_seconds=3600),
            None,
        ):
            run = await client.create_flow_run_from_deployment(archive)
            await client.set_flow_run_state(run.id, Running(), force=True)
            if state:
                await client.set_flow_run_state(run.id, state, force=True)

        overdue = Scheduled(scheduled_time=now() - HOUR / 6)
        run = await client.create_flow_run_from_deployment(by_hand, state=overdue)

        async def is_late():
            return (await client.read_flow_run(run.id)).state_name == "Late"

        async def has_events():
            wanted = {"event": {"prefix": ["prefect.asset.materialization"]}}
            answer = await client._client.post("/events/filter", json={"filter": wanted})
            return answer.json()["events"]

        await until("the late run", is_late)
        await until("the materialized asset", has_events)


asyncio.run(main())
