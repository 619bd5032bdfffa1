"""Columns, rows and values in the protocol's form, and what of them JSON alone could not hold."""

import binascii
import collections.abc
import datetime
import json
import math
import sys

# Whole numbers up to here are exact for every reader of JSON.
EXACT = 2**53 - 1
BITS_OF_INTEGER = 127


def describe_columns(description, rows):
    """The columns of a result, and why their descriptions are not JSON."""
    not_json = {}
    if description is Ellipsis:
        not_json["columns"] = "the cursor has no `description`, which names the columns"
        width = len(plain_row(1, rows[0], None)) if isinstance(rows, list) and rows else 0
        return [{"name": "column_%d" % (place + 1), "type": ""} for place in range(width)], not_json
    description = list(description)
    reason = why_not_json(description)
    if reason:
        not_json["columns"] = "%s: `cursor.description` must hold plain tuples of text, numbers and None" % reason
    bare = next((column for column in description if isinstance(column, BARE)), None)
    if bare is not None and not reason:
        words = "`cursor.description` holds a `%s`, and must hold a tuple for each column, its name first"
        not_json["columns"] = words % type(bare).__name__
    return [describe_column(column) for column in description], not_json


# What a column is described by that is no sequence of its name and what else there is.
BARE = (str, bytes, collections.abc.Mapping)


def describe_column(column):
    is_bare = isinstance(column, BARE)
    try:
        name = column if is_bare else column[0]
    except (IndexError, KeyError, TypeError):
        name = getattr(column, "name", column)
    try:
        code = None if is_bare else column[1]
    except (IndexError, KeyError, TypeError):
        code = getattr(column, "type_code", None)
    return {"name": printable(str(name)), "type": type_word(code)}


def type_word(code):
    """A driver's word for a type: its own objects as text."""
    if code is None:
        return ""
    if isinstance(code, str):
        return printable(code)
    word = getattr(code, "__name__", None) or getattr(code, "name", None)
    return printable(word if isinstance(word, str) else str(code))


def plain_row(number, row, columns):
    """The values of a row, whatever a driver makes rows of; `columns` are None where the driver does not tell."""
    if isinstance(row, (list, tuple)):
        values = row
    elif isinstance(row, collections.abc.Mapping):
        names = [column["name"] for column in columns or ()]
        # Keys need not be spelled as the columns are; then it is the order that counts.
        is_by_name = len(set(names)) == len(names) == len(row) and all(name in row for name in names)
        values = [row[name] for name in names] if is_by_name else list(row.values())
    elif isinstance(row, (str, bytes)):
        values = [row]
    elif hasattr(row, "__iter__"):
        values = list(row)
    elif hasattr(row, "__len__") and hasattr(row, "__getitem__"):
        values = [row[place] for place in range(len(row))]
    else:
        values = [row]
    if columns is not None and len(values) != len(columns):
        raise Refusal(FAILED, why_width(number, row, values, columns), kind="driver")
    return values


def why_width(number, row, values, columns):
    """What is the matter with a row that has another number of values than there are columns."""
    counts = (number, len(values), "" if len(values) == 1 else "s", len(columns), "" if len(columns) == 1 else "s")
    words = "row %d has %d value%s for %d column%s" % counts
    names = [column["name"] for column in columns]
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if isinstance(row, collections.abc.Mapping) and twice:
        return "%s: a `%s` keeps one value of the columns named `%s`" % (words, type(row).__name__, twice[0])
    return words


def encode_rows(rows, columns, max_rows, max_bytes, not_json):
    """Every row as JSON text; what JSON alone could not hold is noted in `not_json`."""
    if not isinstance(rows, (list, tuple)):
        not_json["rows"] = "`fetch_all_results` gives `%s`, not a list" % type(rows).__name__
        if not hasattr(rows, "__iter__"):
            raise Refusal(FAILED, not_json["rows"], kind="driver")
    encoded, size = [], 0
    for number, row in enumerate(rows, 1):
        if number > max_rows:
            raise Refusal(FAILED, "result is too large: it has more than %d rows" % max_rows, kind="too_large")
        values = plain_row(number, row, columns)
        wire = wire_row(number, values, columns)
        text = _encode(wire)
        size += len(text) + 1 if text.isascii() else len(text.encode("utf-8")) + 1
        if size > max_bytes:
            raise Refusal(
                FAILED, "result is too large: row %d brings it over %d bytes" % (number, max_bytes), kind="too_large"
            )
        if "rows" not in not_json:
            reason = why_row_not_json(number, row, values, wire, columns)
            if reason:
                not_json["rows"] = reason
        encoded.append(text)
    return encoded


def wire_row(number, values, columns):
    """The values of a row in the protocol's form."""
    try:
        return [to_wire(value) for value in values]
    except UNCARRIED as error:
        place = next(place for place, value in enumerate(values) if not can_be_carried(value))
        is_deep = isinstance(error, RecursionError)
        reason = "the value holds itself, or is nested too deep" if is_deep else str(error)
        message = "row %d, column `%s`: %s" % (number, columns[place]["name"], reason)
        raise Refusal(FAILED, message, kind="unsupported_type") from None


def can_be_carried(value):
    try:
        to_wire(value)
    except UNCARRIED:
        return False
    return True


def why_row_not_json(number, row, values, wire, columns):
    """Why the platform's agent could not write a row; None when it could."""
    if not isinstance(row, (list, tuple)):
        return "row %d is a `%s`: `fetch_all_results` must give tuples or lists" % (number, type(row).__name__)
    for place, (value, carried) in enumerate(zip(values, wire)):
        # What the wire holds as it is, JSON does too.
        if isinstance(carried, (dict, list)) or type(value) is not type(carried):
            reason = why_not_json(value)
            if reason:
                return "row %d, column `%s`: %s" % (number, columns[place]["name"], reason)
    return None


def why_not_json(value):
    """Why the platform's agent could not write a value; None when it could."""
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        return str(error)
    return None


class Unspeakable(Exception):
    """A value that no message can carry."""


# What stands in the way of a value: those two, numbers longer than Python writes, and memory that is not in one piece.
UNCARRIED = (Unspeakable, RecursionError, ValueError, BufferError)


def to_wire(value):
    """One value in the protocol's form."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is str:
        return value if value.isascii() else text_to_wire(value)
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, int):
        return integer_to_wire(int(value))
    if isinstance(value, float):
        return float_to_wire(float(value))
    if isinstance(value, str):
        return text_to_wire(str.__str__(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": binascii.b2a_base64(value, newline=False).decode("ascii")}
    if isinstance(value, datetime.datetime):
        return {"$timestamp" if value.utcoffset() is None else "$timestamptz": value.isoformat()}
    if isinstance(value, datetime.date):
        return {"$date": value.isoformat()}
    if isinstance(value, datetime.time):
        # A time of day with an offset has no form of its own.
        return {"$time": value.isoformat()} if value.tzinfo is None else value.isoformat()
    if isinstance(value, datetime.timedelta):
        return interval_to_wire(value)
    if is_a(value, "decimal", "Decimal"):
        return decimal_to_wire(value)
    if is_a(value, "uuid", "UUID"):
        return {"$uuid": str(value)}
    if isinstance(value, dict):
        return {"$struct": [[printable(str(name)), to_wire(field)] for name, field in value.items()]}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_wire(item) for item in value]
    if kind.__module__ == "numpy" and hasattr(value, "tolist"):
        plain = value.tolist()
        if type(plain) is not kind:
            return to_wire(plain)
    return {"$other": [kind.__name__, printable(str(value))]}


def is_a(value, module, name):
    """Whether a value is of a class, without loading the module of a class that nobody can have used."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(value, getattr(loaded, name))


def text_to_wire(value):
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Unspeakable("text that is not Unicode: %s" % printable(ascii(value[:40]))) from None
    return value


def printable(text):
    """The text with what is no character spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def integer_to_wire(value):
    if -EXACT <= value <= EXACT:
        return value
    return {"$int" if value.bit_length() <= BITS_OF_INTEGER else "$decimal": str(value)}


def float_to_wire(value):
    if math.isfinite(value):
        return value
    return {"$float": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}


def decimal_to_wire(value):
    if value.is_finite():
        return {"$decimal": str(value)}
    return {"$float": "NaN" if value.is_nan() else "Infinity" if value > 0 else "-Infinity"}


def interval_to_wire(value):
    # Python keeps minus one hour as minus one day and 23 hours; a database means minus one hour.
    sign = -1 if value < datetime.timedelta(0) else 1
    value = abs(value)
    nanoseconds = (value.seconds * 1000000 + value.microseconds) * 1000
    return {"$interval": [0, sign * value.days, str(sign * nanoseconds)]}
