"""Runs pip as if it ran on another machine: what requirements say of the machine is asked of the one given."""

import json
import sys

try:
    from pip._internal.cli.main import main
except ImportError:
    sys.exit("No module named pip")

try:
    from pip._vendor.packaging import markers
except ImportError:
    # A pip without its own copy judges by the machine that it runs on.
    markers = None

if markers is not None:
    here, there = markers.default_environment, json.loads(sys.argv[1])
    markers.default_environment = lambda: dict(here(), **there)

sys.exit(main(sys.argv[2:]))
