"""Has Dagster run each job, and returns once there is a run in every state."""

import os
import time

from dagster_graphql import DagsterGraphQLClient

client = DagsterGraphQLClient("127.0.0.1", port_number=int(os.environ["SERVER_PORT"]))


def launch(job, tags=None, failures=None):
    config = {} if failures is None else {"ops": {"ask_shop": {"config": {"failures": failures}}}}
    return client.submit_job_execution(job, repository_location_name="shop", run_config=config, tags=tags or {})


def until(run, status, step=None):
    """Returns once the run stands so, and a step of it too."""
    query = "query($run: ID!) {runOrError(runId: $run) {... on Run {status stepStats {status}}}}"
    for _ in range(240):
        now = client._execute(query, {"run": run})["runOrError"]
        if now["status"] == status and (step is None or {"status": step} in now["stepStats"]):
            return
        time.sleep(0.5)
    raise TimeoutError(f"the run is {now} and not {status}")


def run_of_sensor():
    query = '{runsOrError(filter: {pipelineName: "refresh"}) {... on Runs {results {runId}}}}'
    for _ in range(240):
        if runs := client._execute(query)["runsOrError"]["results"]:
            return runs[0]["runId"]
        time.sleep(0.5)
    raise TimeoutError("the sensor has started no run")


stopped = launch("archive")
expected = [
    (launch("daily_report"), "SUCCESS"),
    (launch("prices", {"ticket": "7"}, failures=1), "SUCCESS"),
    (launch("prices", failures=2), "FAILURE"),
    (launch("archive"), "STARTED", "IN_PROGRESS"),
    (launch("archive", {"held": "yes"}), "QUEUED"),
]
until(stopped, "STARTED", "IN_PROGRESS")
client.terminate_run(stopped)
for run in [*expected, (run_of_sensor(), "SUCCESS"), (stopped, "CANCELED")]:
    until(*run)
