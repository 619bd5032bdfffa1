"""Answers what Jinja2 and str.format make of templates: one JSON object a line in, one a line out.

In: {"template": text, "context": object, "plain": bool} or {"format": text, "placeholders": object}.
`plain` asks for an environment without trim_blocks and lstrip_blocks, as Jinja2's own tests have it.
Out: {"text": text, "variables": [names]} or {"error": exception name, "message": text}.

JSON has fewer types than Python: {"$tuple": [...]}, {"$float": "nan"}, {"$date": "2024-02-29"},
{"$datetime": "2024-02-29T12:00:00.5"} and {"$zoned": "2024-02-29T12:00:00+01:00[Europe/Paris]"} stand for the rest.
"""

import datetime
import json
import os
import signal
import sys
import time
import warnings
import zoneinfo

import jinja2
import jinja2.meta
import jinja2.sandbox

# A template that takes longer than this has no answer.
SECONDS = 10


def environment(plain):
    return jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=not plain,
        lstrip_blocks=not plain,
        keep_trailing_newline=False,
        autoescape=False,
    )


ENVIRONMENTS = {plain: environment(plain) for plain in (False, True)}


def zoned(text):
    stamp, key = text.rstrip("]").split("[")
    moment = datetime.datetime.fromisoformat(stamp)
    if key == "UTC":
        return moment.astimezone(datetime.timezone.utc)
    if key[0] in "+-":
        return moment
    return moment.astimezone(zoneinfo.ZoneInfo(key))


TYPES = {
    "$tuple": lambda items: tuple(value(item) for item in items),
    "$float": float,
    "$date": datetime.date.fromisoformat,
    "$datetime": datetime.datetime.fromisoformat,
    "$zoned": zoned,
}


def value(given):
    if isinstance(given, list):
        return [value(item) for item in given]
    if isinstance(given, dict):
        if len(given) == 1:
            [(key, inside)] = given.items()
            if key in TYPES:
                return TYPES[key](inside)
        return {key: value(inside) for key, inside in given.items()}
    return given


def answer(request):
    if "format" in request:
        return {"text": request["format"].format(**request["placeholders"])}
    found = ENVIRONMENTS[request.get("plain", False)]
    text = found.from_string(request["template"]).render(value(request["context"]))
    text.encode("utf-8")
    return {"text": text}


def variables(request):
    found = ENVIRONMENTS[request.get("plain", False)]
    return sorted(jinja2.meta.find_undeclared_variables(found.parse(request["template"])))


def give_up(*_):
    raise TimeoutError("no answer in time")


def main():
    warnings.simplefilter("ignore")
    # Where Python asks the machine for its zone, templates here take UTC.
    os.environ["TZ"] = "UTC"
    time.tzset()
    signal.signal(signal.SIGALRM, give_up)
    for line in sys.stdin:
        request = json.loads(line)
        signal.alarm(SECONDS)
        try:
            reply = answer(request)
        except (Exception, RecursionError) as error:
            reply = {"error": type(error).__name__, "message": str(error)}
        if "template" in request:
            try:
                reply["variables"] = variables(request)
            except Exception:
                pass
        signal.alarm(0)
        print(json.dumps(reply), flush=True)


main()
