"""What OpenLineage's own client makes of events: an event a line in, a verdict a line out.

The client's classes are generated from the format's published schema. An event is built from them strictly: a member
that a class does not have, one that is missing and one of the wrong type are refused. A verdict is null, or why not.
"""

import enum
import importlib
import json
import pkgutil
import sys
import types
import typing

import attr
from openlineage.client import generated
from openlineage.client.generated import base


def facet_classes():
    found = {}
    for module in pkgutil.iter_modules(generated.__path__):
        module = importlib.import_module(f"{generated.__name__}.{module.name}")
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, base.BaseFacet):
                found[thing._get_schema()] = thing
    return found


FACETS = facet_classes()


def build(cls, value, place):
    origin = typing.get_origin(cls)
    if cls is typing.Any:
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None:
            raise ValueError(f"{place}: null is not written")
        inner = [arg for arg in typing.get_args(cls) if arg is not type(None)]
        return build(inner[0], value, place)
    if origin is list:
        if not isinstance(value, list):
            raise ValueError(f"{place}: no list")
        return [build(typing.get_args(cls)[0], item, f"{place}[{at}]") for at, item in enumerate(value)]
    if origin is dict:
        if not isinstance(value, dict):
            raise ValueError(f"{place}: no object")
        return {key: build(typing.get_args(cls)[1], item, f"{place}.{key}") for key, item in value.items()}
    if isinstance(cls, type) and issubclass(cls, base.BaseFacet):
        schema = value.get("_schemaURL")
        if schema not in FACETS:
            raise ValueError(f"{place}: no facet with the schema {schema}")
        if not issubclass(FACETS[schema], cls):
            raise ValueError(f"{place}: {schema} is no {cls.__name__}")
        cls = FACETS[schema]
    if isinstance(cls, type) and issubclass(cls, enum.Enum):
        return cls(value)
    if attr.has(cls):
        return build_object(cls, value, place)
    if not isinstance(value, cls) or (isinstance(value, bool) and cls is not bool):
        raise ValueError(f"{place}: {value!r} is no {cls.__name__}")
    return value


def build_object(cls, value, place):
    if not isinstance(value, dict):
        raise ValueError(f"{place}: no object")
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in attr.fields(cls)}
    given = {}
    for key, member in value.items():
        if key not in fields:
            raise ValueError(f"{place}: {cls.__name__} has no {key}")
        built = build(hints.get(key, typing.Any), member, f"{place}.{key}")
        if fields[key].init:
            given[fields[key].alias] = built
    return cls(**given)


def verdict(line):
    event = json.loads(line)
    schema = event.get("schemaURL")
    classes = {cls._get_schema(): cls for cls in (base.RunEvent, base.JobEvent)}
    if schema not in classes:
        return f"no event with the schema {schema}"
    try:
        build_object(classes[schema], event, "event")
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


for line in sys.stdin:
    print(json.dumps(verdict(line)))
