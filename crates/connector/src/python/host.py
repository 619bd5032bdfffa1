"""Runs one connector.py, unchanged, and speaks the process protocol for it.

Started as `python -I host.py SETTINGS`, where SETTINGS is a JSON object: `connector` (the path of connector.py),
`name` and `system_packages`. Only the standard library is used, from Python 3.8 on.

The connector's own prints go to standard error and it finds its standard input empty, so that nothing it does can
disturb the conversation. When the conversation's input ends, so does this process, whatever the connector is doing.
"""

import binascii
import dataclasses
import datetime
import enum
import json
import math
import os
import queue
import sys
import threading
import types
import uuid

PROTOCOL = 1

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
FAILED = -32000

# How long the connector may go on once nobody listens, in seconds: in a statement, and otherwise.
GRACE_IN_STATEMENT = 0.4
GRACE = 1.5

# Whole numbers up to here are exact for every reader of JSON.
EXACT = 2**53 - 1
BITS_OF_INTEGER = 127

TEMPLATE_CLASSES = (
    "MetadataQueryTemplates",
    "QueryLogCollectionTemplates",
    "CustomSQLMonitorTemplates",
    "QueryLanguageTemplates",
    "FunctionalTestOperations",
)

# What Python raises for mistakes in code, as against for what a database or a service says.
CODE_MISTAKES = (
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    NotImplementedError,
    SyntaxError,
    TypeError,
)

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, code, message, **data):
        super().__init__(message)
        self.answer = {"code": code, "message": message, "data": data}


class Conversation:
    """The two streams of the protocol, taken away from the connector before it is loaded."""

    def __init__(self):
        self._input = os.fdopen(os.dup(0), "rb")
        self._output = os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        sys.stdout.reconfigure(line_buffering=True)
        self._lines = queue.SimpleQueue()

    def listen(self, at_end):
        """Reads requests on a thread of its own; `at_end` is called on it once no more can come."""

        def read():
            for line in self._input:
                self._lines.put(line)
            self._lines.put(None)
            at_end()

        threading.Thread(target=read, daemon=True).start()

    def requests(self):
        """The lines as they come, until there are no more."""
        return iter(self._lines.get, None)

    def say(self, number, outcome, text):
        """Answers a request; `text` is JSON already."""
        line = '{"jsonrpc":"2.0","id":%s,"%s":%s}\n' % (_encode(number), outcome, text)
        rest = memoryview(line.encode("utf-8"))
        try:
            while rest:
                rest = rest[os.write(self._output, rest) :]
        except OSError:
            os._exit(1)


class Host:
    """Answers requests with what the connector gives."""

    def __init__(self, settings, conversation):
        self._settings = settings
        self._conversation = conversation
        self._connector = None
        self._in_statement = False
        self._is_over = threading.Event()

    def serve(self):
        """Answers every request, then ends the process."""
        self._conversation.listen(self._end_soon)
        for line in self._conversation.requests():
            number, method = None, None
            try:
                request = read_request(line)
                number, method = request.get("id"), request["method"]
                text = _encode_result(self._answer(method, request.get("params", {})))
                outcome = "result"
            except Refusal as refusal:
                outcome, text = "error", _encode(refusal.answer)
            except BaseException as error:  # A connector may even raise SystemExit.
                outcome, text = "error", _encode(self._failure(error, method))
            self._conversation.say(number, outcome, text)
            if method == "close" and outcome == "result":
                break
        self._close()
        self._is_over.set()
        leave(0)

    def _answer(self, method, params):
        if not isinstance(params, dict):
            raise Refusal(INVALID_PARAMS, "`params` must be an object")
        if method == "initialize":
            return self._initialize(params)
        if self._connector is None:
            raise Refusal(INVALID_REQUEST, "the first request must be `initialize`")
        if method == "close":
            self._close()
            return {}
        if method not in self._connector.methods:
            raise Refusal(METHOD_NOT_FOUND, "unknown method: `%s`" % method)
        self._in_statement = method in ("query", "execute")
        try:
            return getattr(self._connector, method)(params)
        finally:
            self._in_statement = False

    def _initialize(self, params):
        if params.get("protocol") != PROTOCOL:
            raise Refusal(INVALID_PARAMS, "only version %d of the protocol is spoken here" % PROTOCOL)
        if self._connector is None:
            self._connector = load(self._settings)
        return {
            "protocol": PROTOCOL,
            "kind": self._connector.kind,
            "name": self._settings["name"],
            "capabilities": list(self._connector.methods),
            "interpreter": sys.executable,
        }

    def _close(self):
        connector = self._connector
        if connector is not None:
            try:
                connector.close()
            except BaseException as error:
                print("closing failed: %s" % describe(error), file=sys.stderr)

    def _end_soon(self):
        busy = self._in_statement
        if busy:
            self._connector.interrupt()
        if not self._is_over.wait(GRACE_IN_STATEMENT if busy else GRACE):
            leave(1)

    def _failure(self, error, method):
        path = self._settings["connector"]
        database = is_database_error(error)
        data = {"kind": kind_of(error, method, database)}
        sqlstate = sqlstate_of(error)
        if sqlstate:
            data["sqlstate"] = sqlstate
        if data["kind"] != "driver" and method in ("query", "execute") and self._connector.is_lost():
            data["kind"] = "connection"
        if not database:
            data["trace"] = trace_of(error, path)
        hint = hint_for(error, self._settings)
        if hint:
            data["hint"] = hint
        message = words_of(error) if database else describe(error)
        return {"code": FAILED, "message": printable(message), "data": data}


def leave(status):
    """Ends the process without waiting for threads and exit handlers that a driver may have left."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass
    os._exit(status)


def read_request(line):
    """The request a line holds."""
    try:
        request = json.loads(line)
    except ValueError as error:
        raise Refusal(PARSE_ERROR, "the line is not JSON: %s" % error) from None
    if not isinstance(request, dict) or not isinstance(request.get("method"), str):
        raise Refusal(INVALID_REQUEST, "the line is not a request")
    return request


class Encoded(str):
    """A result that is JSON text already."""


def _encode_result(result):
    return result if isinstance(result, Encoded) else _encode(result)


def load(settings):
    """Runs the connector's file and finds out what it connects to."""
    path = settings["connector"]
    module = types.ModuleType("bowline_connector")
    module.__file__ = path
    sys.modules[module.__name__] = module
    sys.argv = [path]
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, module.__dict__)
    if hasattr(module, "BaseConnector"):
        return Warehouse(module, path)
    if hasattr(module, "Connector"):
        return Pipeline(module)
    raise Refusal(
        FAILED,
        "connector.py has neither a class `BaseConnector` nor a class `Connector`",
        kind="driver",
    )


def instance(cls, credentials):
    """An object that has its credentials before its own first line of code runs, and after it too."""
    made = cls.__new__(cls)
    made.credentials = credentials
    made.__init__()
    made.credentials = credentials
    return made


def parameter(params, name, kind):
    """A parameter of the right type."""
    value = params.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Refusal(INVALID_PARAMS, "`%s` is missing or of the wrong type" % name)
    return value


class Warehouse:
    """A connector for a database."""

    kind = "warehouse"
    methods = ("connect", "query", "execute", "templates")

    def __init__(self, module, path):
        self._module = module
        self._path = path
        self._base = None

    def connect(self, params):
        """Logs in: credentials, then a connection, then a cursor."""
        credentials = parameter(params, "credentials", dict)
        self.close()
        base = instance(self._module.BaseConnector, credentials)
        base.connection = given(base, "connection", base.create_connection())
        base.cursor = given(base, "cursor", base.create_cursor())
        self._base = base
        return {"product": product(base.connection)}

    def query(self, params):
        """Runs a statement and gives its rows."""
        sql = parameter(params, "sql", str)
        max_rows = parameter(params, "max_rows", int)
        max_bytes = parameter(params, "max_bytes", int)
        description, rows, affected = self._run(sql)
        if rows is None:
            return {"columns": [], "rows": [], "rows_affected": affected}
        columns, not_json = describe_columns(description, rows)
        encoded = encode_rows(rows, columns, max_rows, max_bytes, not_json)
        return Encoded(
            '{"columns":%s,"rows":[%s],"not_json":%s}' % (_encode(columns), ",".join(encoded), _encode(not_json))
        )

    def execute(self, params):
        """Runs a statement for its effect."""
        _, _, affected = self._run(parameter(params, "sql", str))
        return {"rows_affected": affected}

    def _run(self, sql):
        """Runs a statement, reads it out and commits: its description, its rows (None: no result set), its count."""
        base = self._base
        if base is None:
            raise Refusal(INVALID_REQUEST, "`connect` comes before statements")
        try:
            base.execute_query(sql)
            cursor = getattr(base, "cursor", None)
            description = getattr(cursor, "description", Ellipsis)
            rows = None if description is None else base.fetch_all_results()
            count = getattr(cursor, "rowcount", None)
            if commits_itself(base.connection) is False:
                commit(base.connection)
        except BaseException:
            # Some drivers refuse every later statement until a failed one is rolled back.
            roll_back(base.connection)
            raise
        affected = count if rows is None and isinstance(count, int) and count >= 0 else None
        return description, rows, affected

    def templates(self, _params):
        """Every template's text, and where functional checks may create their table."""
        given_texts, problems, target = [], [], None
        for name in TEMPLATE_CLASSES:
            cls = getattr(self._module, name, None)
            if cls is None:
                continue
            holder = cls()
            for method in sorted(dir(holder)):
                if method.endswith("_template") and not method.startswith("_"):
                    self._template(name, getattr(holder, method), method, given_texts, problems)
            if name == "FunctionalTestOperations":
                target = self._target(holder, problems)
        return {"templates": given_texts, "functional_target": target, "problems": problems}

    def _template(self, cls, method, name, given_texts, problems):
        line = line_of(method, self._path)
        try:
            text = method() if callable(method) else method
        except NotImplementedError:
            return
        except Exception as error:
            problems.append(problem(name, "it fails: %s" % describe(error), line))
            return
        if isinstance(text, str):
            found = {"name": name, "class": cls, "text": printable(text)}
            given_texts.append(found if line is None else dict(found, line=line))
        elif text is not None:
            problems.append(problem(name, "it gives `%s`, not text" % type(text).__name__, line))

    def _target(self, holder, problems):
        method = getattr(holder, "get_test_table_identifier", None)
        if method is None:
            return None
        name, line = "get_test_table_identifier", line_of(method, self._path)
        try:
            target = method()
        except NotImplementedError:
            return None
        except Exception as error:
            problems.append(problem(name, "it fails: %s" % describe(error), line))
            return None
        if target is None:
            return None
        if isinstance(target, (list, tuple)) and len(target) == 3:
            database, schema, table = target
            if isinstance(schema, str) and isinstance(table, str) and isinstance(database, (str, type(None))):
                return {"database": database, "schema": schema, "table": table}
        problems.append(problem(name, "it must give three texts: database, schema and table", line))
        return None

    def interrupt(self):
        """Stops the running statement from another thread, if the driver can."""
        base = self._base
        connection, cursor = getattr(base, "connection", None), getattr(base, "cursor", None)
        for stop in (
            getattr(connection, "cancel", None),
            getattr(connection, "interrupt", None),
            getattr(cursor, "cancel", None),
        ):
            if callable(stop):
                try:
                    stop()
                    return
                except Exception as error:
                    print("cancelling failed: %s" % describe(error), file=sys.stderr)

    def is_lost(self):
        """Whether the driver says that its connection is closed."""
        connection = getattr(self._base, "connection", None)
        closed = getattr(connection, "closed", None)
        return isinstance(closed, int) and closed != 0

    def close(self):
        """Logs out; a second time does nothing."""
        base, self._base = self._base, None
        if base is not None and hasattr(base, "close_connection"):
            base.close_connection()


def given(base, name, value):
    """What a method gave, or what it set by itself."""
    found = getattr(base, name, None) if value is None else value
    if found is None:
        raise Refusal(FAILED, "`create_%s` gives nothing" % name, kind="driver")
    return found


def product(connection):
    """What is on the other end, as far as the driver tells."""
    package = type(connection).__module__.partition(".")[0]
    if package == "sqlite3":
        return "SQLite " + sys.modules["sqlite3"].sqlite_version
    version = getattr(connection, "server_version", None)
    if package == "psycopg2" and isinstance(version, int):
        return "PostgreSQL %d.%d" % (version // 10000, version % 10000)
    return None if package in ("builtins", "bowline_connector") else "Python's " + package


def commits_itself(connection):
    """Whether every statement is committed as it is; None when there is nothing to commit."""
    if not callable(getattr(connection, "commit", None)):
        return None
    in_transaction = getattr(connection, "in_transaction", None)
    if isinstance(in_transaction, bool):
        return not in_transaction
    getter = getattr(connection, "get_autocommit", None)
    automatic = getter() if callable(getter) else getattr(connection, "autocommit", False)
    return automatic is True or (type(automatic) is int and automatic == 1)


def commit(connection):
    """Commits, unless the driver says that it has no transactions."""
    try:
        connection.commit()
    except Exception as error:
        if "NotSupportedError" not in family(error) and not isinstance(error, NotImplementedError):
            raise


def roll_back(connection):
    """Rolls back what a failed statement left open, if anything."""
    try:
        undo = getattr(connection, "rollback", None)
        if callable(undo) and commits_itself(connection) is False:
            undo()
    except Exception:  # The statement's own error is the one to tell.
        pass


def describe_columns(description, rows):
    """The columns of a result, and why their descriptions are not JSON."""
    not_json = {}
    if description is Ellipsis:
        not_json["columns"] = "the cursor has no `description`, which names the columns"
        width = len(list(plain_row(rows[0], []))) if isinstance(rows, list) and rows else 0
        return [{"name": "column_%d" % (place + 1), "type": ""} for place in range(width)], not_json
    reason = why_not_json(description)
    if reason:
        not_json["columns"] = "%s: `cursor.description` must hold plain tuples of text, numbers and None" % reason
    return [describe_column(column) for column in description], not_json


def describe_column(column):
    try:
        name, code = column[0], column[1]
    except (IndexError, KeyError, TypeError):
        name, code = getattr(column, "name", column), getattr(column, "type_code", None)
    return {"name": printable(str(name)), "type": type_word(code)}


def type_word(code):
    """A driver's word for a type: its own objects as text."""
    if code is None:
        return ""
    if isinstance(code, str):
        return printable(code)
    word = getattr(code, "__name__", None) or getattr(code, "name", None)
    return printable(word if isinstance(word, str) else str(code))


def plain_row(row, columns):
    """The values of a row, whatever a driver makes rows of."""
    if isinstance(row, (list, tuple)):
        return row
    if isinstance(row, dict):
        names = [column["name"] for column in columns]
        return [row[name] for name in names] if all(name in row for name in names) else list(row.values())
    if isinstance(row, (str, bytes)) or not hasattr(row, "__iter__"):
        return [row]
    return list(row)


def encode_rows(rows, columns, max_rows, max_bytes, not_json):
    """Every row as JSON text; what JSON alone could not hold is noted in `not_json`."""
    if not isinstance(rows, (list, tuple)):
        not_json["rows"] = "`fetch_all_results` gives `%s`, not a list" % type(rows).__name__
    encoded, size = [], 0
    for number, row in enumerate(rows, 1):
        if number > max_rows:
            raise Refusal(FAILED, "result is too large: it has more than %d rows" % max_rows, kind="too_large")
        values = plain_row(row, columns)
        wire = [to_wire(value) for value in values]
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


def why_row_not_json(number, row, values, wire, columns):
    if not isinstance(row, (list, tuple, dict)):
        return "row %d is a `%s`: `fetch_all_results` must give tuples or lists" % (number, type(row).__name__)
    for place, (value, carried) in enumerate(zip(values, wire)):
        if isinstance(carried, (dict, list)):
            reason = why_not_json(value)
            if reason:
                name = columns[place]["name"] if place < len(columns) else "column %d" % (place + 1)
                return "row %d, column `%s`: %s" % (number, name, reason)
    return None


def why_not_json(value):
    """Why the platform's agent could not write a value; None when it could."""
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        return str(error)
    return None


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
        return {"$other": ["str", printable(value)]}
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


class Pipeline:
    """A connector for an orchestrator."""

    kind = "pipeline"
    methods = ("setup", "fetch_metadata", "fetch_run_details")

    def __init__(self, module):
        self._module = module
        self._connector = None

    def setup(self, params):
        """Logs in."""
        self.close()
        connector = instance(self._module.Connector, parameter(params, "credentials", dict))
        if hasattr(connector, "setup_connection"):
            connector.setup_connection()
        self._connector = connector
        return {}

    def fetch_metadata(self, params):
        """One page of assets."""
        limit, offset = parameter(params, "limit", int), parameter(params, "offset", int)
        assets = self._connected().fetch_metadata(limit=limit, offset=offset)
        return {"assets": json_list(assets, "fetch_metadata", "asset")}

    def fetch_run_details(self, params):
        """One page of runs."""
        runs = self._connected().fetch_run_details(
            run_ids=params.get("run_ids"),
            window_start=instant(params, "window_start"),
            window_end=instant(params, "window_end"),
            limit=parameter(params, "limit", int),
            offset=parameter(params, "offset", int),
        )
        return {"runs": json_list(runs, "fetch_run_details", "run")}

    def _connected(self):
        if self._connector is None:
            raise Refusal(INVALID_REQUEST, "`setup` comes before fetching")
        return self._connector

    def is_lost(self):
        """A pipeline connector does not tell."""
        return False

    def interrupt(self):
        """A pipeline connector cannot be interrupted."""

    def close(self):
        """Logs out; a second time does nothing."""
        connector, self._connector = self._connector, None
        if connector is not None and hasattr(connector, "close_connection"):
            connector.close_connection()


def instant(params, name):
    """A bound of the window as a zoned datetime."""
    text = params.get(name)
    if text is None:
        return None
    try:
        return datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        raise Refusal(INVALID_PARAMS, "`%s` is not an instant" % name) from None


def json_list(items, method, noun):
    """A list of objects as JSON holds them, or an error that names the first it cannot."""
    if not isinstance(items, (list, tuple)):
        raise Refusal(FAILED, "`%s` gives `%s`, not a list" % (method, type(items).__name__), kind="driver")
    made = []
    for number, item in enumerate(items):
        try:
            made.append(plain(item))
            _encode(made[-1])
        except (TypeError, ValueError, RecursionError) as error:
            raise Refusal(FAILED, "%s %d of `%s`: %s" % (noun, number, method, error), kind="driver") from None
    return made


def plain(value):
    """A value as JSON holds it: of dataclasses what is set, of enums their values, times in ISO 8601."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = ((field.name, plain(getattr(value, field.name))) for field in dataclasses.fields(value))
        return {name: item for name, item in fields if item is not None and item != []}
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def problem(name, message, line):
    """A template that cannot be given."""
    found = {"name": name, "message": printable(message)}
    return found if line is None else dict(found, line=line)


def line_of(method, path):
    """The line of connector.py where a method begins."""
    code = getattr(getattr(method, "__func__", method), "__code__", None)
    return code.co_firstlineno if code is not None and code.co_filename == path else None


def family(error):
    """The names of an error's classes."""
    return {cls.__name__ for cls in type(error).__mro__}


def is_database_error(error):
    """Whether a database driver raised it: they all have one class `Error` above their own."""
    return any(cls.__name__ in ("Error", "DatabaseError") for cls in type(error).__mro__)


def sqlstate_of(error):
    """The SQLSTATE a driver gave with its error, under any of the names drivers use."""
    for name in ("pgcode", "sqlstate"):
        code = getattr(error, name, None)
        if is_sqlstate(code):
            return code
    first = error.args[0] if error.args else None
    if isinstance(first, dict):
        first = first.get("C")
    return first if is_database_error(error) and is_sqlstate(first) else None


def is_sqlstate(code):
    return isinstance(code, str) and len(code) == 5 and code.isascii() and code.isalnum() and code.upper() == code


def kind_of(error, method, database):
    """The protocol's word for a failure; a SQLSTATE beside it says more."""
    if isinstance(error, TimeoutError) or "timeout" in family(error):
        return "timeout"
    if isinstance(error, ConnectionError):
        return "connection"
    if not database:
        if method not in ("query", "execute") or isinstance(error, CODE_MISTAKES + (SystemExit,)):
            return "connection" if method in ("connect", "setup") and is_network_error(error) else "driver"
        return "other"
    if sqlstate_of(error):
        return "other"
    words = str(error).lower()
    if method in ("connect", "setup"):
        return "permission" if "password" in words or "authentication" in words else "connection"
    if "syntax error" in words:
        return "syntax"
    if words.startswith("no such "):
        return "missing_object"
    if family(error) & {"IntegrityError", "DataError"}:
        return "data"
    return "other"


def is_network_error(error):
    return isinstance(error, OSError) and not isinstance(error, (FileNotFoundError, PermissionError))


def words_of(error):
    """A database's own words."""
    args = error.args
    if len(args) == 2 and isinstance(args[1], str):
        if isinstance(args[0], int):
            return "%s (%d)" % (args[1], args[0])
        if is_sqlstate(args[0]):
            return args[1]
    return str(error).strip() or type(error).__name__


def describe(error):
    """An error in one line, as Python tells it."""
    if isinstance(error, SyntaxError) and error.filename:
        return "%s: %s (%s, line %s)" % (
            type(error).__name__,
            error.msg,
            os.path.basename(error.filename),
            error.lineno,
        )
    words = str(error).strip()
    return "%s: %s" % (type(error).__name__, words) if words else type(error).__name__


def trace_of(error, path):
    """The lines of connector.py an error passed through, the innermost last."""
    import traceback

    return [
        printable("connector.py:%s, in %s: %s" % (frame.lineno, frame.name, (frame.line or "").strip()))
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == path
    ]


def hint_for(error, settings):
    """What to do about an import that failed."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        module = error.name.partition(".")[0]
        folder = os.path.dirname(settings["connector"])
        if any(os.path.exists(os.path.join(folder, name)) for name in (module, module + ".py")):
            return "connector.py must stand alone: its folder is not searched for modules"
        return "name the package that has `%s` in requirements.txt" % module
    if isinstance(error, (ImportError, OSError)) and "shared object" in str(error):
        packages = settings["system_packages"]
        if packages:
            named = ", ".join("`%s`" % name for name in packages)
            return "install the system packages that Dockerfile.extra names: %s" % named
        return "install the system package that has this library, and name it in Dockerfile.extra"
    return None


if __name__ == "__main__":
    Host(json.loads(sys.argv[1]), Conversation()).serve()
