"""Runs the parts of an Airflow as long as all of them run."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import httpx
import psutil


def stop(*_):
    """Tasks are in process groups of their own, where the signal that stops the others does not reach them."""
    for process in psutil.Process().children(recursive=True):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            pass
    sys.exit("Airflow has ended")


passwords = {os.environ["SERVER_USER"]: os.environ["SERVER_PASSWORD"]}
pathlib.Path("simple_auth_manager_passwords.json.generated").write_text(json.dumps(passwords))
signal.signal(signal.SIGTERM, stop)
airflow = [sys.executable, "-m", "airflow"]
subprocess.run([*airflow, "db", "migrate"], check=True)
parts = [subprocess.Popen([*airflow, "api-server"])]
# Tasks that start before it answers fail.
while parts[0].poll() is None:
    try:
        httpx.get(f"{os.environ['AIRFLOW__API__BASE_URL']}/api/v2/version").raise_for_status()
        break
    except httpx.HTTPError:
        time.sleep(0.2)
# The scheduler would offer its logs to the whole network.
for words in (["scheduler", "--skip-serve-logs"], ["dag-processor"]):
    parts.append(subprocess.Popen([*airflow, *words]))
os.wait()
stop()
