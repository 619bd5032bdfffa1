"""What a connector's exceptions mean: the database's refusal, or a mistake in code, and of which kind."""

import builtins
import os
import re
import sys

# Packages that hand on what engines raise, under classes of their own.
BRIDGES = {"chdb", "java", "jpype", "py4j", "pyspark"}

# Packages that carry what is asked and say nothing of a database themselves.
TRANSPORTS = {"aiohttp", "httpx", "requests", "urllib3", "websocket", "websockets"}

# How engines and bridges spell a SQLSTATE in their words.
SQLSTATE_IN_WORDS = re.compile(
    r"\b(?i:SQL ?STATE)\W{0,3}(?=\w*\d)([0-9A-Z]{5})\b"
    r"|^\W{0,3}\[(?=\w*\d)([0-9A-Z]{5})\] ?\["
    r"|\bState: ([0-9A-Z]{5}), Native error"
)
CLICKHOUSE_IN_WORDS = re.compile(r"\bCode: (\d+)\.\s+DB::")
ORACLE_IN_WORDS = re.compile(r"\b(?:ORA|DPY|DPI)-\d{4,5}\b")

MYSQL_DRIVERS = {"MySQLdb", "mariadb", "mysql", "pymysql", "asyncmy"}

# The kinds behind the numbers of engines whose drivers give no SQLSTATE, or one that says less.
VENDOR_KINDS = {
    "%s-%s" % (engine, number): kind
    for engine, kind, numbers in (
        ("CH", "syntax", "62 42 43"),
        ("CH", "missing_object", "16 46 47 50 60 81"),
        ("CH", "permission", "192 193 194 497 516"),
        ("CH", "data", "6 26 27 38 41 53 69 70 72 153"),
        ("CH", "timeout", "159 209"),
        ("CH", "busy", "201 202 241 243 252 473"),
        ("CH", "cancelled", "394"),
        ("CH", "connection", "210"),
        ("MY", "syntax", "1064 1065 1149"),
        ("MY", "missing_object", "1049 1051 1054 1109 1128 1146 1305 1630"),
        ("MY", "permission", "1044 1045 1142 1143 1227 1290 1370 1698"),
        ("MY", "data", "1048 1062 1264 1292 1365 1366 1406 1451 1452 1690 4025"),
        ("MY", "timeout", "1205 1969 3024"),
        ("MY", "busy", "1021 1037 1038 1041 1114 1203 1213 1226 1461"),
        ("MY", "cancelled", "1317"),
        ("MY", "connection", "1040 1053 1927 2002 2003 2005 2006 2012 2013 2026 2055"),
        ("MS", "syntax", "102 105 156 170"),
        ("MS", "missing_object", "195 207 208 911 2812 4121"),
        ("MS", "permission", "229 230 262 297 300 18456"),
        ("MS", "data", "220 241 245 515 547 2627 8114 8115 8134"),
        ("MS", "timeout", "1222"),
        ("MS", "busy", "701 802 1105 1204 1205 3960 9002 10928 10929 40501 40613 49918 49919 49920"),
        ("ORA", "syntax", "00900 00903 00906 00907 00911 00917 00923 00933 00936"),
        ("ORA", "missing_object", "00904 00942 02289 04043"),
        ("ORA", "permission", "01017 01031 01045 28000 28001"),
        ("ORA", "data", "00001 01438 01476 01722 01830 01839 01841 01843 01847 01858 01861"),
        ("ORA", "busy", "00018 00020 00054 00060 01000 01555 01652 02391 02393 04031 08177"),
        ("ORA", "cancelled", "01013"),
        (
            "ORA",
            "connection",
            "00028 01012 01033 01034 01089 01092 02396 03113 03114 03135 12170 12514 12516 12519 12520 12541",
        ),
        ("DPY", "connection", "1001 4011 6000 6001 6003 6005"),
    )
    for number in numbers.split()
}

# What tells a kind where nothing else does; the first that fits.
KIND_WORDS = (
    ("permission", ("permission denied", "access denied", "not authorized", "insufficient privilege")),
    # What is broken elsewhere in the database: SQLite looks at every view and trigger before it changes a table.
    ("permission", ("error in view ", "error in trigger ")),
    (
        "connection",
        (
            "broken pipe",
            "connection is closed",
            "connection refused",
            "connection reset",
            "connection timed out",
            "error reading data from the connection",
            "error writing data to the connection",
            "gone away",
            "lost connection",
            "server closed the connection",
        ),
    ),
    ("timeout", ("timed out", "timeout expired")),
    ("syntax", ("syntax error", "syntaxexception", "parse error", "parsererror", "parseexception", "mismatched input")),
    (
        "missing_object",
        ("does not exist", "not found: table", "invalid function", "no function matches", "unknownfunction"),
    ),
)
MISSING_IN_WORDS = re.compile(
    r"\b(table|view|column|function|schema|database|object)\b\W{0,3}[^\s,;]{0,80}( is| was| could)? not (be )?found\b"
    r"|\b(unknown|no such|unresolved) ?(table|view|column|function|schema|database)\b"
)

# What formatting with `%` says of percent signs that stand for themselves.
PERCENT_IN_WORDS = re.compile(
    r"\bnot enough arguments for format string\b|\bunsupported format character\b|\bformat requires a mapping\b"
    r"|\bincomplete (format|placeholder)\b|\bonly '%s', '%b', '%t' are allowed as placeholders\b"
)

# How long the words of an error may be, in letters.
MOST_WORDS = 16384

# Of a class made while a program runs (`Py_TPFLAGS_HEAPTYPE`).
HEAP_TYPE = 1 << 9

# What holds everything that was imported, or nothing.
NO_HOLDERS = (type(os), type, type(None))

# How far the things that a connection holds are followed, and how many at most.
DEPTH = 3
MOST_HELD = 200

# Python's own classes of errors that tell of mistakes in code, whoever raises them.
MISTAKES = (TypeError, NameError, ImportError, SyntaxError, AttributeError, LookupError, AssertionError)


def said(error):
    """An error's own words; its class where it cannot say them, as when what it would ask is gone."""
    try:
        return shortened(str(error))
    except Exception:
        return type(error).__name__


def shortened(words):
    """Words without their middle where they are as long as a page that a server sent in place of an answer."""
    half = MOST_WORDS // 2
    return words if len(words) <= MOST_WORDS else "%s […] %s" % (words[:half], words[-half:])


def family(error):
    """The names of an error's classes."""
    return {cls.__name__ for cls in type(error).__mro__}


def package_of(cls):
    """The package that a class comes from."""
    return cls.__module__.partition(".")[0]


def packages_of(values):
    """The packages that values' classes come from."""
    return {package_of(cls) for value in values for cls in type(value).__mro__}


def held_by(values):
    """What values hold, through attributes and through what functions have bound."""
    held, level = [], values
    for _ in range(DEPTH):
        inner = []
        for value in level:
            inner += getattr(value, "__dict__", {}).values()
            inner += [cell.cell_contents for cell in getattr(value, "__closure__", None) or () if is_filled(cell)]
            inner.append(getattr(value, "__self__", None))
        known = {id(value) for value in held}
        level = [value for value in inner if not isinstance(value, NO_HOLDERS) and id(value) not in known][:MOST_HELD]
        held += level
    return held


def is_filled(cell):
    try:
        cell.cell_contents
    except ValueError:
        return False
    return True


def is_of_python(package):
    """Whether a package comes with Python; its classes say nothing of a database, but for those of `sqlite3`."""
    if package in ("sqlite3", "_sqlite3"):
        return False
    known = getattr(sys, "stdlib_module_names", None)
    if known is not None:
        return package in known
    place = getattr(sys.modules.get(package), "__file__", None) or ""
    return package in sys.builtin_module_names or (
        place.startswith(os.path.dirname(os.__file__) + os.sep) and "-packages" + os.sep not in place
    )


def is_database_error(error, packages):
    """Whether a database spoke, through its driver, as against code that is mistaken.

    Drivers have one class `Error` above their own. Those that have not are known by where the connection comes from,
    by a SQLSTATE, or by the words of their engine. And those that raise Python's own classes, as native ones do, by
    where it was raised: in the driver, or by what a line of the connector called of it.
    """
    classes = [cls for cls in type(error).__mro__ if not is_of_python(package_of(cls))]
    if any(cls.__name__ in ("Error", "DatabaseError") for cls in classes):
        return True
    if not isinstance(error, Exception) or isinstance(error, (TypeError, NameError, ImportError, SyntaxError)):
        return False
    if sqlstate_of(error) or vendor_code(error):
        return True
    of_drivers = (packages | BRIDGES) - {CONNECTOR_MODULE}
    if any(package_of(cls) in of_drivers for cls in classes):
        return True
    return not classes and not isinstance(error, MISTAKES) and is_raised_in(error, of_drivers)


def is_raised_in(error, packages):
    """Whether an error was raised by one of these packages' code, or by something native that a line called."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return False
    module = last.tb_frame.f_globals.get("__name__") or ""
    if not is_of_python(module.partition(".")[0]) and module.partition(".")[0] in packages:
        return True
    called = called_at(last)
    return called is not None and (is_foreign(type(called)) or package_of(type(called)) in packages)


def is_foreign(cls):
    """Whether a class says it is one of Python's own and is not, as native modules' classes do that name no module.

    Python's own that have no public name are made when it starts, and not on the heap.
    """
    is_on_heap = cls.__flags__ & HEAP_TYPE
    return cls.__module__ == "builtins" and bool(is_on_heap) and getattr(builtins, cls.__name__, None) is not cls


def called_at(place):
    """The object one of whose methods was running where an error passed, as far as variables and attributes tell.

    Before Python 3.11 a traceback does not say which of a line's calls it was, and nothing is told.
    """
    import ast
    import linecache

    frame = place.tb_frame
    positions = getattr(frame.f_code, "co_positions", None)
    if positions is None:
        return None
    first, last, begin, end = list(positions())[place.tb_lasti // 2]
    if None in (first, last, begin, end):
        return None
    lines = [linecache.getline(frame.f_code.co_filename, line).encode() for line in range(first, last + 1)]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][begin:]
    try:
        node = ast.parse(b"(" + b"".join(lines) + b")", mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if not isinstance(node, ast.Call):
        return None
    names = []
    while isinstance(node, (ast.Call, ast.Attribute)):
        if isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        else:
            names.clear()
            node = node.func
    if not isinstance(node, ast.Name) or not names:
        return None
    found = frame.f_locals.get(node.id, frame.f_globals.get(node.id))
    for name in reversed(names):
        found = getattr(found, "__dict__", {}).get(name, found)
    return found


def states_in(error):
    """The objects that may know an error's SQLSTATE: itself, what it wraps, what Java threw."""
    found = [error] + [arg for arg in error.args[:2] if not isinstance(arg, (str, bytes, int))]
    for name in ("java_exception", "orig", "__cause__"):
        inner = getattr(error, name, None)
        if inner is not None:
            found.append(inner)
    return found


def sqlstate_of(error):
    """The SQLSTATE a driver gave with its error, under any of the names drivers use, or in its words."""
    for known in states_in(error):
        if isinstance(known, dict):
            if is_sqlstate(known.get("C")):
                return known["C"]
            continue
        for name in ("pgcode", "sqlstate", "sql_state", "getSQLState", "getSqlState"):
            code = asked(known, name)
            if is_sqlstate(code):
                return code
    first = error.args[0] if error.args else None
    if is_sqlstate(first) and len(error.args) > 1 and any(letter.isdigit() for letter in first):
        return first
    found = SQLSTATE_IN_WORDS.search(said(error))
    return next(filter(None, found.groups())) if found else None


def asked(known, name):
    """What an attribute or a method without parameters gives, as text; None when there is no such thing."""
    try:
        value = getattr(known, name, None)
        value = value() if callable(value) else value
        return None if value is None else str(value)
    except Exception:  # What Java throws has any form.
        return None


def is_sqlstate(code):
    return isinstance(code, str) and len(code) == 5 and code.isascii() and code.isalnum() and code.upper() == code


def vendor_code(error):
    """An engine's own number of an error, as a key of `VENDOR_KINDS`; None when it gives none that is known."""
    found = CLICKHOUSE_IN_WORDS.search(said(error))
    if found:
        return "CH-" + found.group(1)
    found = ORACLE_IN_WORDS.search(said(error))
    if found:
        return found.group(0)
    return None


def behind(error, packages):
    """The lost connection behind an error: where it is gone, undoing and closing fail as well, and hide why."""
    seen, found = set(), error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        if is_database_error(found, packages) and kind_of(found, "query", True) == "connection":
            return found
        found = found.__cause__ or found.__context__
    return error


def kind_of(error, method, database):
    """The protocol's word for a failure; a SQLSTATE beside it says more."""
    names = family(error)
    if isinstance(error, TimeoutError) or names & {"timeout", "Timeout", "QueryTimeoutError", "SQLTimeoutException"}:
        return "timeout"
    if is_connection_error(error):
        return "connection"
    if not database:
        return "connection" if method in ("connect", "setup") and is_network_error(error) else "driver"
    kind = VENDOR_KINDS.get(vendor_code(error) or number_of(error))
    if kind:
        return kind
    words = said(error).lower().replace("_", " ")
    state = sqlstate_of(error)
    if state == "42000" and any(part in words for part in KIND_WORDS[0][1]):
        # ODBC and MySQL have one code for bad syntax and for what a user may not do.
        return KIND_WORDS[0][0]
    if state and not state.startswith(("HY0", "S1")):
        return "other"
    if method in ("connect", "setup"):
        return "permission" if "password" in words or "authentication" in words else "connection"
    if words.startswith("no such "):
        return "missing_object"
    for kind, parts in KIND_WORDS:
        if any(part in words for part in parts):
            return kind
    if MISSING_IN_WORDS.search(words):
        return "missing_object"
    if names & {"IntegrityError", "DataError"}:
        return "data"
    return "other"


def number_of(error):
    """The number that the drivers of MySQL and of SQL Server give first; None for others."""
    first = error.args[0] if error.args else None
    if type(first) is not int or len(error.args) < 2:
        return None
    package = package_of(type(error))
    if package in MYSQL_DRIVERS:
        return "MY-%d" % first
    return "MS-%d" % first if package == "pymssql" else None


def is_connection_error(error):
    """Whether the way to the database is gone."""
    return isinstance(error, ConnectionError) or bool(family(error) & {"ConnectionError", "ConnectError"})


def is_network_error(error):
    return isinstance(error, OSError) and not isinstance(error, (FileNotFoundError, PermissionError))


def words_of(error):
    """A database's own words."""
    args = error.args
    if len(args) == 2 and isinstance(args[1], str):
        if isinstance(args[0], int):
            return "%s (%d)" % (shortened(args[1]), args[0])
        if is_sqlstate(args[0]):
            return shortened(args[1])
    return said(error).strip() or type(error).__name__


def describe(error):
    """An error in one line, as Python tells it."""
    if isinstance(error, SyntaxError) and error.filename:
        return "%s: %s (%s, line %s)" % (
            type(error).__name__,
            error.msg,
            os.path.basename(error.filename),
            error.lineno,
        )
    words = said(error).strip()
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
    """What to do about a failure, where its words tell."""
    if isinstance(error, Exception) and PERCENT_IN_WORDS.search(said(error)):
        return (
            "the driver takes percent signs for parameters: give `execute` the statement alone, without parameters, "
            "or double its percent signs"
        )
    if isinstance(error, ModuleNotFoundError) and error.name:
        module = error.name.partition(".")[0]
        folder = os.path.dirname(settings["connector"])
        if any(os.path.exists(os.path.join(folder, name)) for name in (module, module + ".py")):
            return "connector.py must stand alone: its folder is not searched for modules"
        return "name the package that has `%s` in requirements.txt" % module
    if isinstance(error, (ImportError, OSError)) and "shared object" in said(error):
        packages = settings["system_packages"]
        if packages:
            named = ", ".join("`%s`" % name for name in packages)
            return "install the system packages that Dockerfile.extra names: %s" % named
        return "install the system package that has this library, and name it in Dockerfile.extra"
    return None
