"""The same work as the example `validate_runs`, with pycarlo's models: FILE ROUNDS."""

import json
import sys
import time

from pycarlo.features.ingestion.etl.models import EtlRunEvent

file, rounds = sys.argv[1], int(sys.argv[2])
with open(file) as lines:
    events = [json.loads(line) for line in lines]
began = time.perf_counter()
for _ in range(rounds):
    for event in events:
        EtlRunEvent.from_dict(event)
print(time.perf_counter() - began)
