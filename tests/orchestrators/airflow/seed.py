"""Has Airflow run each DAG, and returns once there is a run in every state."""

import os
import time

import httpx

SERVER = os.environ["AIRFLOW__API__BASE_URL"]
LOGIN = {"username": os.environ["SERVER_USER"], "password": os.environ["SERVER_PASSWORD"]}
DAGS = {"daily_report", "announce", "prices", "archive", "hurry"}
# What takes seconds takes minutes on a machine that is busy with other things.
PATIENCE = 600

token = httpx.post(f"{SERVER}/auth/token", json=LOGIN, timeout=PATIENCE).raise_for_status().json()["access_token"]
client = httpx.Client(
    base_url=f"{SERVER}/api/v2", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE
)


def ask(method, path, **request):
    return client.request(method, path, **request).raise_for_status().json()


def until(what, found):
    deadline = time.monotonic() + PATIENCE
    while not found():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the server does not show {what}")
        time.sleep(0.5)


def launch(dag, run=None, **conf):
    """Without a name, Airflow gives the run one that has colons and a plus in it."""
    wanted = {"dag_run_id": run, "logical_date": None, "conf": conf}
    return ask("POST", f"/dags/{dag}/dagRuns", json=wanted)["dag_run_id"]


def states(dag):
    runs = ask("GET", f"/dags/{dag}/dagRuns", params={"limit": 100})["dag_runs"]
    return sorted(run["state"] for run in runs)


def has_task(dag, state):
    tasks = ask("GET", f"/dags/{dag}/dagRuns/~/taskInstances")["task_instances"]
    return any(task["state"] == state for task in tasks)


# The two that have a schedule are run at once by the scheduler, for the time that has passed.
until("its DAGs", lambda: {dag["dag_id"] for dag in ask("GET", "/dags")["dags"]} == DAGS)
launch("prices", "one-failure", failures=1)
launch("prices", "two-failures", failures=2)
launch("hurry")
launch("archive", "runs")
until("the long task", lambda: has_task("archive", "running"))
# One at a time: these do not start.
launch("archive", "waits")
stopped = launch("archive", "stopped")
ask("PATCH", f"/dags/archive/dagRuns/{stopped}", json={"state": "failed", "note": "stopped by bob"})
for dag, wanted in (
    ("daily_report", ["success"]),
    ("announce", ["success"]),
    ("prices", ["failed", "success", "success"]),
    ("hurry", ["failed"]),
    ("archive", ["failed", "queued", "running"]),
):
    until(f"{wanted} of {dag}", lambda: states(dag) == wanted)
until("the file that does not load", lambda: ask("GET", "/importErrors")["total_entries"] == 1)
ask("PATCH", "/dags/hurry", json={"is_paused": True})
