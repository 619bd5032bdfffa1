"""What CycloneDX's own library makes of a bill of materials on standard input: `null`, or what is wrong with it."""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read())
print(json.dumps(None if problem is None else str(problem)))
