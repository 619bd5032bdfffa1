"""Answers Cerberus questions: JSON lines in, JSON lines out.

A question is {"schema": ..., "document": ..., "unknown": false | true | "purge",
"require_all": bool}. The answer is one of
    {"verdict": "valid" | "invalid", "errors": repr, "document": normalized}
    {"verdict": "schema", "errors": repr}      the schema is refused
    {"verdict": "stops", "errors": text}       any other exception
where repr is Python's representation of the errors dict.
"""

import json
import sys
import warnings

from cerberus import SchemaError, Validator
from cerberus.errors import BasicErrorHandler

UNALLOWED_VALUES = 0x47
MISSING_MEMBERS = 0x48


class SteadyErrorHandler(BasicErrorHandler):
    """Lists members of sets in the order of the rule, where Cerberus leaves it to chance."""

    def _format_message(self, field, error):
        if error.code in (UNALLOWED_VALUES, MISSING_MEMBERS):
            wanted = error.constraint
            if isinstance(wanted, str) or not hasattr(wanted, "__iter__"):
                wanted = [wanted]
            members = []
            for member in wanted:
                if member in error.info[0] and member not in members:
                    members.append(member)
            text = ", ".join(map(repr, members))
            if error.code == UNALLOWED_VALUES:
                return "unallowed values [%s]" % text
            return "missing members {%s}" % text
        return super()._format_message(field, error)


def answer(question):
    # Cerberus remembers schemas it found valid, and takes 1 and True for the same there.
    Validator.clear_caches()
    try:
        validator = Validator(
            question["schema"],
            allow_unknown=question["unknown"] is True,
            purge_unknown=question["unknown"] == "purge",
            require_all=question["require_all"],
            error_handler=SteadyErrorHandler,
        )
    except SchemaError as error:
        return {"verdict": "schema", "errors": str(error)}
    except Exception as error:
        return {"verdict": "stops", "errors": "%s: %s" % (type(error).__name__, error)}
    try:
        valid = validator.validate(question["document"])
        errors = repr(validator.errors)
    except Exception as error:
        return {"verdict": "stops", "errors": "%s: %s" % (type(error).__name__, error)}
    return {
        "verdict": "valid" if valid else "invalid",
        "errors": errors,
        "document": validator.document,
    }


def main():
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")


main()
