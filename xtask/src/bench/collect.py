"""What `bowline collect` does in the benchmark, written by hand with urllib3 and pycarlo's models.

Walks the pages of runs one after the other, asks for the logs of failed runs with eight threads meanwhile, and writes
each run as a line as soon as it and those before it are complete.
"""

import json
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import urllib3
from pycarlo.features.ingestion.etl.models import EtlError, EtlRunEvent

STATUS = {"done": "success", "failed": "failed"}
IN_FLIGHT = 8

base, since, until = sys.argv[1:4]
pool = urllib3.PoolManager(maxsize=IN_FLIGHT)
threads = ThreadPoolExecutor(IN_FLIGHT)
waiting = deque()


def get(path, **fields):
    answer = pool.request("GET", base + path, fields=fields, retries=4, timeout=30)
    if answer.status != 200:
        raise RuntimeError(f"{path}: status {answer.status}")
    return answer.json()


def write(record, log):
    error = None
    if log is not None:
        error = EtlError(message=log["text"], code=log["type"])
    event = EtlRunEvent(
        job_source_id=record["job"],
        run_source_id=record["id"],
        status=STATUS.get(record["state"], "unknown"),
        event_time=record["ended"],
        start_time=record["started"],
        end_time=record["ended"],
        trigger="SCHEDULE",
        error=error,
        run_url=f"{base}/runs/{record['id']}",
        attributes={"pool": record["pool"]},
    )
    sys.stdout.write(json.dumps(event.to_dict()) + "\n")


def write_complete(wait):
    while waiting and (wait or waiting[0][1] is None or waiting[0][1].done()):
        record, log = waiting.popleft()
        write(record, log.result() if log else None)


seen = set()
offset = 0
while True:
    page = get("/runs", since=since, until=until, limit=100, offset=offset)
    for record in page["items"]:
        if record["id"] in seen:
            continue
        seen.add(record["id"])
        failed = record["state"] == "failed"
        log = threads.submit(get, f"/runs/{record['id']}/log") if failed else None
        waiting.append((record, log))
    offset += len(page["items"])
    write_complete(wait=False)
    if not page["items"] or offset >= page["total"]:
        break
write_complete(wait=True)
