"""10,000 records in pages, read with urllib3 and json and written as lines: the plain script of the benchmark.

It checks nothing, maps nothing, and keeps what it has seen only to leave out what comes twice.
"""

import json
import sys

import urllib3

base, since, until = sys.argv[1:4]
pool = urllib3.PoolManager()
seen = set()
offset = 0
while True:
    fields = {"since": since, "until": until, "limit": 100, "offset": offset}
    page = json.loads(pool.request("GET", f"{base}/runs", fields=fields).data)
    for record in page["items"]:
        if record["id"] not in seen:
            seen.add(record["id"])
            sys.stdout.write(json.dumps(record) + "\n")
    offset += len(page["items"])
    if not page["items"] or offset >= page["total"]:
        break
