"""Runs one connector.py, unchanged, and speaks the process protocol for it.

Started as `python -I host.py SETTINGS`, where SETTINGS is a JSON object: `connector` (the path of connector.py),
`class` (the one that the connector's folder asks for, if it does), `name` and `system_packages`. Only the standard library is used, from Python 3.8 on. The files values.py, failures.py and
modules.py stand before this one in the same program.

The connector's own prints go to standard error and it finds its standard input empty, so that nothing it does can
disturb the conversation. When the conversation's input ends, so does this process, whatever the connector is doing.
"""

import ast
import collections
import contextlib
import dataclasses
import datetime
import enum
import functools
import json
import math
import os
import queue
import re
import sys
import threading
import time
import types
import uuid
import warnings

PROTOCOL = 1

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
FAILED = -32000

# How long the connector may go on once nobody listens, in seconds: in a statement, and otherwise.
GRACE_IN_STATEMENT = 0.4
GRACE = 1.5

# The methods that run what the connector was given.
STATEMENTS = ("query", "query_together", "execute")

# How statements begin that give rows.
READERS = "SELECT WITH VALUES TABLE FROM SHOW DESCRIBE DESC EXPLAIN PRAGMA CALL".split()

# What stands before the first word of a statement: blanks, brackets and comments.
BEFORE_WORDS = re.compile(r"(?:\s|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)

# How drivers say that a statement has no rows.
NO_ROWS = re.compile(r"no (?:result|row|data|active)|not (?:a query|return|produce)|n't (?:return|produce)|nothing", re.I)

# The key of an object that stands for a value of a pipeline's event that JSON does not have.
NOT_JSON = "$not_json"

# How much of what the vendor answers is kept for whom it may concern, in characters.
MOST_OF_ANSWERS = 16 * 1024 * 1024

# How long a thread waits until the others have run their statements too, in seconds.
MEETING = 0.5

TEMPLATE_CLASSES = (
    "MetadataQueryTemplates",
    "QueryLogCollectionTemplates",
    "CustomSQLMonitorTemplates",
    "QueryLanguageTemplates",
    "FunctionalTestOperations",
)

# What is called of a class `BaseConnector`.
CALLED = ("create_connection", "create_cursor", "execute_query", "fetch_all_results", "close_connection")
# What is called of a class `Connector`: what must be there, and what may.
FETCHING = ("fetch_metadata", "fetch_run_details")
MAY_BE_CALLED = ("setup_connection", "close_connection")

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
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
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
        self._outside = {}
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
        self._in_statement = method in STATEMENTS
        try:
            return getattr(self._connector, method)(params)
        finally:
            self._in_statement = False

    def _initialize(self, params):
        if params.get("protocol") != PROTOCOL:
            raise Refusal(INVALID_PARAMS, "only version %d of the protocol is spoken here" % PROTOCOL)
        if self._connector is None:
            here, places, known = os.path.realpath(os.getcwd()), list(sys.path), set(sys.modules)
            self._connector = load(self._settings)
            code = outside(self._settings["connector"], here, places, known)
            self._outside = {use: [printable(file) for file in files] for use, files in code.items()}
        return {
            "protocol": PROTOCOL,
            "kind": self._connector.kind,
            "name": self._settings["name"],
            "capabilities": list(self._connector.methods),
            "interpreter": sys.executable,
            "outside": self._outside,
            "misspelt": self._connector.misspelt(),
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
        packages = self._connector.packages() if self._connector is not None else set()
        error = behind(error, packages)
        database = is_database_error(error, packages)
        data = {"kind": kind_of(error, method, database)}
        sqlstate = sqlstate_of(error) if database else None
        if sqlstate:
            data["sqlstate"] = sqlstate
        if data["kind"] != "driver" and method in STATEMENTS and self._connector.is_lost():
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
    module = types.ModuleType(CONNECTOR_MODULE)
    module.__file__ = path
    sys.modules[module.__name__] = module
    sys.argv = [path]
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, module.__dict__)
    asked = settings.get("class")
    kinds = {"BaseConnector": lambda: Warehouse(module, path), "Connector": lambda: Pipeline(module, path)}
    for name in [asked, *kinds] if asked else kinds:
        if hasattr(module, name):
            return kinds[name]()
    message = "connector.py has neither a class `BaseConnector` nor a class `Connector`"
    if asked:
        message = "connector.py has no class `%s`" % asked
    classes = [name for name, each in vars(module).items() if issubclass(type(each), type)]
    classes = [name for name in classes if getattr(module, name).__module__ == module.__name__]
    likely = [(each, nearest(each, classes)) for each in ([asked] if asked else kinds)]
    likely += [(asked, name) for name in classes if asked and name.endswith("Connector")]
    for meant, near in likely:
        if near:
            place = "line %s: `%s`" % (line_of_class(getattr(module, near), path) or "?", near)
            raise Refusal(FAILED, message, kind="driver", hint="did you mean `%s`? %s" % (meant, place))
    raise Refusal(FAILED, message, kind="driver")


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
    methods = ("connect", "query", "query_together", "execute", "templates")

    def misspelt(self):
        """These are mistakes, which come with the templates."""
        return []

    def __init__(self, module, path):
        self._module = module
        self._path = path
        self._base = None
        self._refusal_to_commit = None

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

    def query_together(self, params):
        """Runs statements at once, each on a thread of its own, as the platform's agent does with one connector.

        Every thread reads its rows only after all have run their statements, unless the connector lets them take
        turns for longer than that.
        """
        statements = parameter(params, "statements", list)
        if not all(isinstance(sql, str) for sql in statements):
            raise Refusal(INVALID_PARAMS, "`statements` are no texts")
        base = self._connected()
        seen = [{"error": "it gave no answer in time"} for _ in statements]
        meeting = threading.Barrier(len(statements) or 1)

        def ask(place):
            try:
                base.execute_query(statements[place])
                meet(meeting)
                rows = base.fetch_all_results()
                width = [{"name": ""}] * len(base.cursor.description)
                seen[place] = {
                    "rows": [
                        wire_row(number, plain_row(number, row, width), width) for number, row in enumerate(rows, 1)
                    ]
                }
            except BaseException as error:  # What a thread raises is its answer.
                meet(meeting)
                seen[place] = {"error": printable(describe(error))}

        threads = [threading.Thread(target=ask, args=(place,), daemon=True) for place in range(len(statements))]
        until = time.monotonic() + parameter(params, "timeout_ms", int) / 1000 * 0.9
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0, until - time.monotonic()))
        if commits_itself(base.connection) is False:
            roll_back(base.connection)
        return {"answers": list(seen)}

    def execute(self, params):
        """Runs a statement for its effect."""
        _, _, affected = self._run(parameter(params, "sql", str))
        return {"rows_affected": affected}

    def _run(self, sql):
        """Runs a statement, reads it out and commits: its description, its rows (None: no result set), its count."""
        base = self._connected()
        try:
            base.execute_query(sql)
            is_described = description_of(base) is not None
            rows = base.fetch_all_results() if is_described else undescribed(base, sql)
            # As the platform's agent does: some drivers know their columns only once rows were fetched.
            description = description_of(base)
            if description is None:
                rows = without_columns(rows)
            if rows is None and description and description is not Ellipsis:
                raise Refusal(FAILED, "`fetch_all_results` gives `NoneType`, not a list", kind="driver")
            count = getattr(getattr(base, "cursor", None), "rowcount", None)
        except BaseException:
            # Some drivers refuse every later statement until a failed one is rolled back.
            if commits_itself(base.connection) is False:
                roll_back(base.connection)
            raise
        if commits_itself(base.connection) is False:
            self._commit(base.connection)
        affected = count if rows is None and isinstance(count, int) and count >= 0 else None
        return description, rows, affected

    def _connected(self):
        if self._base is None:
            raise Refusal(INVALID_REQUEST, "`connect` comes before statements")
        return self._base

    def _commit(self, connection):
        """Commits, unless there never is anything to commit on this connection.

        A connection that commits by itself may say so under no name that is known here, and refuse. Then it refuses
        in the same words when there is certainly nothing to commit, and nothing of the statement was lost.
        """
        try:
            connection.commit()
        except Exception as error:
            words = describe(error)
            if isinstance(error, NotImplementedError) or "NotSupportedError" in family(error):
                return
            if words == self._refusal_to_commit:
                return
            roll_back(connection)
            if self.is_lost() or is_connection_error(error) or refusal_to_commit(connection) != words:
                raise
            self._refusal_to_commit = words

    def templates(self, _params):
        """Every template's text, and where functional checks may create their table."""
        given_texts, problems, target = [], self._misspelt(), None
        other_names, classes = [], []
        for name in TEMPLATE_CLASSES:
            cls = getattr(self._module, name, None)
            if cls is None:
                continue
            holder = cls()
            classes.extend(type(holder).__mro__)
            for method in sorted(dir(holder)):
                if method.startswith("_"):
                    continue
                given_as = getattr(holder, method)
                if method.endswith("_template"):
                    self._template(name, given_as, method, given_texts, problems)
                elif callable(given_as) and method != "get_test_table_identifier":
                    other_names.append(named(name, method, line_of(given_as, self._path)))
            if name == "FunctionalTestOperations":
                target = self._target(holder, problems)
        return {
            "templates": given_texts,
            "functional_target": target,
            "problems": problems,
            "other_names": other_names,
            "used_names": self._used(given_texts, classes),
            "suite": self._suite(problems),
        }

    def _used(self, given_texts, classes):
        """The names of texts that the connector's code uses itself."""
        # Where its code cannot be read, all may be.
        names = {text["name"] for text in given_texts}
        with contextlib.suppress(Exception):
            names &= names_used(classes, self._path)
        return sorted(names)

    def _misspelt(self):
        """Classes of templates and methods of the connector under names that nobody looks for."""
        problems = []
        own = [each for each in vars(self._module).values() if issubclass(type(each), type)]
        own = [each for each in own if each.__module__ == CONNECTOR_MODULE]
        known = [getattr(self._module, name) for name in TEMPLATE_CLASSES if hasattr(self._module, name)]
        for cls in own:
            is_used = any(isinstance(holder, type) and issubclass(holder, cls) for holder in known)
            has_templates = any(name.endswith("_template") for name in vars(cls))
            if has_templates and not is_used:
                words = "no class of templates has this name: %s" % did_you_mean(cls.__name__, TEMPLATE_CLASSES)
                problems.append(problem(cls.__name__, words, line_of_class(cls, self._path)))
        base = self._module.BaseConnector
        names = [name for name in dir(base) if not name.startswith("_") and name not in CALLED]
        for wanted in CALLED:
            near = nearest(wanted, names) if not hasattr(base, wanted) else None
            if near:
                words = "nobody calls it: did you mean `%s`?" % wanted
                problems.append(problem(near, words, line_of(getattr(base, near), self._path)))
        return problems

    def _suite(self, problems):
        """The words for the suite's own statements that are attributes of `BaseConnector`."""
        words = {}
        for name in ("one_row_table", "text_type"):
            word = getattr(self._module.BaseConnector, name, None)
            if isinstance(word, str):
                words[name] = printable(word)
            elif word is not None:
                problems.append(problem(name, "it is `%s`, not text" % type(word).__name__, None))
        return words

    def _template(self, cls, method, name, given_texts, problems):
        line = line_of(method, self._path)
        try:
            text = method() if callable(method) else method
        except NotImplementedError:
            return
        except BaseException as error:  # A connector may even raise SystemExit.
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
        except BaseException as error:
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

    def packages(self):
        """The packages that the connection and the cursor come from: the database's driver.

        Those of what the two hold count as well, since the connector's own class may stand before a driver's.
        """
        base = self._base
        made = [getattr(base, "connection", None), getattr(base, "cursor", None)]
        return packages_of(made) | (packages_of(held_by(made)) - TRANSPORTS)

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


def description_of(base):
    """The cursor's description; Ellipsis where it has none."""
    return getattr(getattr(base, "cursor", None), "description", Ellipsis)


def undescribed(base, sql):
    """The rows of a statement that may have some though nothing describes them yet; None where it has none."""
    word = re.match(r"\w*", sql[BEFORE_WORDS.match(sql).end() :]).group().upper()
    if word not in READERS:
        return None
    try:
        return base.fetch_all_results()
    except Exception as error:
        # Most drivers refuse to fetch where there is nothing. Others run a statement only now, and it may fail.
        if NO_ROWS.search(str(error)):
            return None
        raise


def without_columns(rows):
    """None, as a statement without a result set has it; rows that nothing describes are the connector's mistake."""
    if isinstance(rows, (list, tuple)) and rows:
        message = "`cursor.description` is None behind a statement that gives rows: %s" % (
            "`self.cursor` must be what ran it, and name its columns"
        )
        raise Refusal(FAILED, message, kind="driver")
    return None


def meet(meeting):
    """Waits until all threads are as far, but not for ever."""
    try:
        meeting.wait(MEETING)
    except threading.BrokenBarrierError:
        pass


def given(base, name, value):
    """What a method gave, or what it set by itself."""
    found = getattr(base, name, None) if value is None else value
    if found is None:
        raise Refusal(FAILED, "`create_%s` gives nothing" % name, kind="driver")
    return found


def product(connection):
    """What is on the other end and its version, as far as the driver tells; else the driver and its own version."""
    package = package_of(type(connection)).lstrip("_")
    if package == "sqlite3":
        return "SQLite " + sys.modules["sqlite3"].sqlite_version
    try:
        told = server_of(connection, package)
    except Exception:  # Drivers refuse to tell in many ways, and may ask the server for it.
        told = None
    if told or package in ("builtins", CONNECTOR_MODULE):
        return told
    version = getattr(sys.modules.get(package), "__version__", None)
    return "Python's %s %s" % (package, version) if isinstance(version, str) else "Python's " + package


def server_of(connection, package):
    """The server and its version, under the names that drivers have for it."""
    if package == "duckdb":
        return "DuckDB v%s" % sys.modules["duckdb"].__version__
    if package == "firebird":
        return "Firebird %s" % connection.info.version
    if package in ("psycopg2", "psycopg"):
        number = (connection if package == "psycopg2" else connection.info).server_version
        return "PostgreSQL %d.%d" % (number // 10000, number % 10000)
    if package == "oracledb":
        return "Oracle %s" % connection.version
    if package in MYSQL_DRIVERS:
        words = asked(connection, "get_server_info") or asked(connection, "server_info")
        if not words:
            return None
        # MariaDB calls itself 5.5.5 first, for what is older.
        named = re.search(r"([0-9]+\.[0-9.]+)(?:-[0-9]+)?-MariaDB", words)
        return "MariaDB " + named.group(1) if named else "MySQL " + words
    if callable(getattr(connection, "adbc_get_info", None)):
        info = connection.adbc_get_info()
        return "%s %s" % (info["vendor_name"], info["vendor_version"])
    if callable(getattr(connection, "getinfo", None)):
        # SQL_DBMS_NAME and SQL_DBMS_VER of ODBC.
        return "%s %s" % (connection.getinfo(17), connection.getinfo(18))
    return None


def commits_itself(connection):
    """Whether every statement is committed as it is; None when there is nothing to commit."""
    try:
        if not callable(getattr(connection, "commit", None)):
            return None
        in_transaction = getattr(connection, "in_transaction", None)
        if isinstance(in_transaction, bool):
            return not in_transaction
        is_active = getattr(connection, "is_active", None)  # Firebird's driver fails on a second commit.
        if callable(is_active) and is_active() is False:
            return True
        getter = getattr(connection, "get_autocommit", None)
        automatic = getter() if callable(getter) else getattr(connection, "autocommit", False)
    except Exception:  # Drivers refuse to tell on a connection that was lost.
        return False
    return automatic is True or (type(automatic) is int and automatic == 1)


def refusal_to_commit(connection):
    """The words with which a connection refuses to commit nothing; None when it does not refuse."""
    try:
        connection.commit()
    except Exception as error:
        return describe(error)
    return None


def roll_back(connection):
    """Rolls back what a failed statement left open, if anything."""
    try:
        undo = getattr(connection, "rollback", None)
        if callable(undo):
            undo()
    except Exception:  # The statement's own error is the one to tell.
        pass


class VendorAnswers:
    """The JSON and XML that the connector parses while it fetches: what the vendor answered, as it was written."""

    # What reads answers: functions of modules, which take a text, and methods of classes, which take it behind their object.
    readers = (
        ("json", "JSONDecoder.decode"),
        ("simplejson", "JSONDecoder.decode"),
        ("orjson", "loads"),
        ("ujson", "loads"),
        ("xml.etree.ElementTree", "XML"),
        ("xml.etree.ElementTree", "fromstring"),
    )

    def __init__(self):
        self._texts = []
        self._room = MOST_OF_ANSWERS
        self._is_cut = False
        self._is_open = False
        self._heard = set()

    def __enter__(self):
        for module, name in self.readers:
            if module in sys.modules and (module, name) not in self._heard:
                # What stands under a module's name may be something else.
                with contextlib.suppress(Exception):
                    self._hear(module, name)
                    self._heard.add((module, name))
        self._is_open = True

    def __exit__(self, *_):
        self._is_open = False

    def _hear(self, module, name):
        """Puts what keeps an answer in the place of what reads it."""
        owner = sys.modules[module]
        *within, name = name.split(".")
        for part in within:
            owner = getattr(owner, part)
        read = getattr(owner, name)

        def keep(*given, **named):
            value = read(*given, **named)
            if self._is_open:
                # What cannot be kept is no affair of the connector.
                with contextlib.suppress(Exception):
                    is_xml = module.startswith("xml.")
                    self._keep(_encode(record_of(value)) if is_xml else text_of(given[1 if within else 0]))
            return value

        setattr(owner, name, functools.update_wrapper(keep, read) if within else Heard(keep, read))

    def _keep(self, text):
        if len(text) > self._room:
            self._is_cut = True
        else:
            self._room -= len(text)
            self._texts.append(printable(text))

    def take(self):
        """What was kept since this was asked last."""
        texts, self._texts = self._texts, []
        is_cut, self._is_cut = self._is_cut, False
        self._room = MOST_OF_ANSWERS
        return {"answers": texts, "is_cut": is_cut}


class Heard:
    """A module's function that is heard. Like one that is built in, it is bound to nothing and pickled by its name."""

    def __init__(self, keep, read):
        self._keep = keep
        functools.update_wrapper(self, read)

    def __call__(self, *given, **named):
        return self._keep(*given, **named)

    def __reduce__(self):
        return self.__name__


def text_of(answer):
    """An answer as text."""
    return answer if isinstance(answer, str) else bytes(answer).decode("utf-8", "replace")


def record_of(element):
    """What an element of XML says: its attributes, its text, and its children by their names. A child that has only text and
    attributes is its text where no other has its name, and a record in a list of them."""
    record = {}
    for name, value in element.attrib.items():
        record.setdefault(name.rpartition("}")[2], []).append(value)
    count = collections.Counter(child.tag for child in element)
    for child in element:
        text = child.text and child.text.strip()
        is_record = len(child) or child.attrib and not (text and count[child.tag] == 1)
        record.setdefault(child.tag.rpartition("}")[2], []).append(record_of(child) if is_record else text)
    if element.text and element.text.strip():
        record["#text"] = [element.text.strip()]
    return {
        name: said[0] if len(said) == 1 and not isinstance(said[0], dict) else said for name, said in record.items()
    }


class Pipeline:
    """A connector for an orchestrator."""

    kind = "pipeline"
    methods = ("setup", "fetch_metadata", "fetch_run_details", "vendor_answers")

    def __init__(self, module, path):
        self._module = module
        self._path = path
        self._connector = None
        self._answers = None

    def misspelt(self):
        """Methods under names that nobody calls, near those that are missing."""
        # What stands in a class may answer as it likes, and no connector fails for a word about it.
        with contextlib.suppress(Exception):
            return self._misspelt()
        return []

    def _misspelt(self):
        connector = self._module.Connector
        family = connector.__mro__
        members = {name: each for cls in reversed(family) for name, each in vars(cls).items()}
        methods = (types.FunctionType, staticmethod, classmethod)
        names = [name for name, each in members.items() if type(each) in methods and not name.startswith("_")]
        names = [name for name in names if name not in FETCHING + MAY_BE_CALLED]
        lacking = [wanted for wanted in FETCHING + MAY_BE_CALLED if not hasattr(connector, wanted)]
        pairs = [(likeness(name, wanted), name, wanted) for name in names for wanted in lacking]
        pairs = [pair for pair in pairs if is_meant(*pair)]
        # What the connector calls itself is a helper.
        used = names_used(family, self._path) if pairs else set()
        found = {}
        for _, name, wanted in sorted(pairs, reverse=True):
            if name not in used and name not in found and wanted not in found.values():
                found[name] = wanted
        return [self._told(name, members[name], wanted) for name, wanted in found.items()]

    def _told(self, name, method, wanted):
        told, line = {"name": name, "meant": wanted}, line_of(method, self._path)
        return told if line is None else dict(told, line=line)

    def setup(self, params):
        """Logs in."""
        self.close()
        if self._answers is None and params.get("keep_answers") is True:
            self._answers = VendorAnswers()
        connector = instance(self._module.Connector, parameter(params, "credentials", dict))
        if hasattr(connector, "setup_connection"):
            connector.setup_connection()
        self._connector = connector
        return {}

    def fetch_metadata(self, params):
        """One page of assets."""
        limit, offset = parameter(params, "limit", int), parameter(params, "offset", int)
        with self._hearing():
            assets = self._connected().fetch_metadata(limit=limit, offset=offset)
        return {"assets": json_list(assets, "fetch_metadata")}

    def fetch_run_details(self, params):
        """One page of runs."""
        with self._hearing():
            runs = self._connected().fetch_run_details(
                run_ids=params.get("run_ids"),
                window_start=instant(params, "window_start"),
                window_end=instant(params, "window_end"),
                limit=parameter(params, "limit", int),
                offset=parameter(params, "offset", int),
            )
        return {"runs": json_list(runs, "fetch_run_details")}

    def vendor_answers(self, _params):
        """What the vendor answered since this was asked last."""
        return {"answers": [], "is_cut": False} if self._answers is None else self._answers.take()

    def _hearing(self):
        return contextlib.nullcontext() if self._answers is None else self._answers

    def _connected(self):
        if self._connector is None:
            raise Refusal(INVALID_REQUEST, "`setup` comes before fetching")
        return self._connector

    def packages(self):
        """A pipeline connector has no database's driver."""
        return set()

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


def json_list(items, method):
    """A list of events as JSON holds them."""
    if not isinstance(items, (list, tuple)):
        raise Refusal(FAILED, "`%s` gives `%s`, not a list" % (method, type(items).__name__), kind="driver")
    return [json_item(item) for item in items]


def json_item(item):
    """An event as JSON holds it; one that cannot be written is told in its place, and the others are given."""
    try:
        made = plain(item)
        _encode(made)
    except RecursionError:
        return {NOT_JSON: "a value within itself"}
    except (TypeError, ValueError) as error:
        return {NOT_JSON: printable(str(error))}
    return made


def member(key, item):
    """A member of an object; one whose name is none of JSON's is told under its words."""
    name = plain(key)
    if isinstance(name, (dict, list)):
        return printable(str(key)), name if NOT_JSON in name else {NOT_JSON: type(key).__name__}
    return name, plain(item)


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
        return dict(member(key, item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return value if printable(value) == value else {NOT_JSON: "text that is not Unicode"}
    if value is None or isinstance(value, int) or isinstance(value, float) and math.isfinite(value):
        return value
    return {NOT_JSON: str(value) if isinstance(value, float) else type(value).__name__}


def nearest(name, names, least=0.8):
    """The most similar of some names, if any is similar enough."""
    import difflib

    found = difflib.get_close_matches(name, names, 1, least)
    return found[0] if found else None


def likeness(name, wanted):
    """How much of two names is the same, from 0 to 1."""
    import difflib

    return difflib.SequenceMatcher(None, name, wanted).ratio()


def is_meant(alike, name, wanted):
    """Whether a method that is missing may be there under this name."""
    if wanted in FETCHING:
        # A connector cannot do without: another name for it is there, if any says the same in part.
        return alike >= 0.8 or bool(words_in_name(name) & words_in_name(wanted))
    # One that opens, checks, sets or resets is none that closes or sets up.
    return alike >= 0.9 and name[0] == wanted[0] and abs(len(name) - len(wanted)) <= 1


def words_in_name(name):
    """The words of a name, one thing for many."""
    return {word.rstrip("s") for word in name.split("_")}


def names_used(classes, path):
    """The names that are used, not only defined, where some classes and the connector stand, also in texts."""
    modules = [sys.modules.get(cls.__module__) for cls in classes]
    files = {path}.union(vars(module).get("__file__") for module in modules if module is not None)
    used = set()
    for file in files:
        if not isinstance(file, str) or not file.endswith(".py"):
            continue
        with open(file, "rb") as source, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source.read())
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                used.add(node.attr)
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
                used.add(node.id)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                used.add(node.value)
    return used


def did_you_mean(name, names):
    near = nearest(name, names)
    return "did you mean `%s`?" % near if near else "the names are %s" % ", ".join("`%s`" % each for each in names)


def named(cls, name, line):
    """A method and where it stands."""
    found = {"class": cls, "name": name}
    return found if line is None else dict(found, line=line)


def line_of_class(cls, path):
    """The line of connector.py where a class begins."""
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if line.lstrip().startswith(("class %s(" % cls.__name__, "class %s:" % cls.__name__)):
                return number
    return None


def problem(name, message, line):
    """A template that cannot be given."""
    found = {"name": name, "message": printable(message)}
    return found if line is None else dict(found, line=line)


def line_of(method, path):
    """The line of connector.py where a method begins."""
    code = getattr(getattr(method, "__func__", method), "__code__", None)
    return code.co_firstlineno if code is not None and code.co_filename == path else None


if __name__ == "__main__":
    Host(json.loads(sys.argv[1]), Conversation()).serve()
