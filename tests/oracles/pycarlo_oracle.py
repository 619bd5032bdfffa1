"""What pycarlo's dataclasses make of events: a JSON list of `{"kind", "event"}` in, a JSON list of verdicts out.

A verdict is `{"json": ...}` with what the dataclass writes, or `{"error": ...}` with why it refused.
"""

import json
import logging
import sys
import warnings

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")

from pycarlo.features.ingestion.etl.models import EtlAsset, EtlRunEvent  # noqa: E402

CLASSES = {"asset": EtlAsset, "run": EtlRunEvent}


def verdict(case):
    try:
        return {"json": CLASSES[case["kind"]].from_dict(case["event"]).to_dict()}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


json.dump([verdict(case) for case in json.load(sys.stdin)], sys.stdout)
