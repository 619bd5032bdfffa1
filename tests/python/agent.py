"""What the platform's agent does with connectors, as far as a connector can tell.

Reads a JSON object from standard input: `root` (where `/opt` of the image is), `connection_type`, `connect_args` and
`steps`, each `[operation, argument]`, of which `load` comes first. Writes a JSON list with what each step gave; an exception of the connector comes
out as `{"error": class name, "message": text}`.

A connector's file is executed from its path for every client, under another module name each time and without being
known to the import system. Rows are written as JSON as they are.
"""

import datetime
import glob
import importlib.util
import itertools
import json
import os
import signal
import sys
import threading

NUMBERS = itertools.count(1)
JOB = json.load(sys.stdin)
ROOT = JOB["root"]


def find(root, connection_type):
    """The folder of the connector with this type."""
    for kind in ("custom-connectors", "custom-etl-connectors"):
        for path in sorted(glob.glob(os.path.join(root, kind, "*", "manifest.json"))):
            with open(path, encoding="utf-8") as file:
                if json.load(file)["connection_type"] == connection_type:
                    return os.path.dirname(path)
    raise LookupError("no connector of type %s" % connection_type)


def load(folder):
    """Executes connector.py anew."""
    path = os.path.join(folder, "connector.py")
    spec = importlib.util.spec_from_file_location("agent_connector_%d" % next(NUMBERS), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Client:
    """A connector at hand."""

    def close(self, _):
        """Closes twice, as happens when two requests find a client too old."""
        self.connector.close_connection()
        self.connector.close_connection()

    def drop(self, _):
        """Lets go of the connector without closing it."""
        self.connector = None


class Warehouse(Client):
    """A client of a warehouse connector."""

    def __init__(self, folder, connect_args):
        self.module = load(folder)
        self.connector = self.module.BaseConnector()
        self.connector.credentials = connect_args
        self.connector.connection = self.connector.create_connection()
        self.connector.cursor = self.connector.create_cursor()

    def query(self, sql):
        """One statement, read the way DB-API drivers are read."""
        self.connector.execute_query(sql)
        rows = self.connector.fetch_all_results()
        description = self.connector.cursor.description
        assert description is None or all(len(column) == 7 for column in description), description
        assert all(len(row) == len(description) for row in rows), description
        found = {"rows": rows, "description": description, "rowcount": self.connector.cursor.rowcount}
        return json.loads(json.dumps(found, allow_nan=False))

    def set(self, constants):
        """Changes constants of connector.py, so that nobody has to wait as long as an agent would."""
        vars(self.module).update(constants)

    def template(self, name):
        """The text of a template, wherever it stands."""
        for class_name in (
            "MetadataQueryTemplates",
            "QueryLogCollectionTemplates",
            "CustomSQLMonitorTemplates",
            "QueryLanguageTemplates",
        ):
            holder = getattr(self.module, class_name)()
            if hasattr(holder, name):
                return getattr(holder, name)()
        return None

    def templates(self, names):
        """The texts of templates."""
        return {name: self.template(name) for name in names}

    def metadata(self, names):
        """The rows of rendered metadata queries, as dicts by column."""
        import jinja2.sandbox

        jinja = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        variables = dict(names, table_names=None, offset=0, limit=1000)
        found = {}
        for name in ("databases", "schemas", "tables", "columns"):
            text = self.template("get_%s_query_template" % name)
            if text is None:
                continue
            answer = self.query(jinja.from_string(text).render(**variables))
            columns = [column[0] for column in answer["description"]]
            found[name] = [dict(zip(columns, row)) for row in answer["rows"]]
        return found

    def together(self, statements):
        """Runs every statement many times, each in a thread of its own; what each thread saw."""
        seen = [[] for _ in statements]
        begin = threading.Barrier(len(statements))

        def ask(place):
            begin.wait()
            for _ in range(20):
                seen[place].append(guarded(self.query, statements[place]))

        run_all([threading.Thread(target=ask, args=(place,)) for place in range(len(statements))])
        return seen


class Pipeline(Client):
    """A pipeline connector, loaded once."""

    def __init__(self, folder, connect_args):
        self.connector = load(folder).Connector()
        self.connector.credentials = connect_args
        self.connector.setup_connection()

    def assets(self, limit):
        """Every page of assets."""
        return pages(limit, lambda offset: self.connector.fetch_metadata(limit=limit, offset=offset))

    def runs(self, argument):
        """Every page of a window, pinned once."""
        start, end = (datetime.datetime.fromisoformat(bound) for bound in argument["window"])
        limit = argument["limit"]
        return pages(
            limit,
            lambda offset: self.connector.fetch_run_details(
                window_start=start, window_end=end, limit=limit, offset=offset
            ),
        )

    def runs_by_id(self, run_ids):
        """The runs that a webhook names."""
        return json.loads(json.dumps(self.connector.fetch_run_details(run_ids=run_ids), allow_nan=False))

    def runs_of_nothing(self, _):
        """Neither ids nor a window."""
        return self.connector.fetch_run_details()

    def together(self, argument):
        """Walks all pages of windows of their own in several threads; what each saw."""
        seen = [None] * len(argument["windows"])

        def walk(place):
            seen[place] = guarded(self.runs, {"window": argument["windows"][place], "limit": argument["limit"]})

        run_all([threading.Thread(target=walk, args=(place,)) for place in range(len(seen))])
        return seen


def pages(limit, fetch):
    """Every event of a list that is given in pages."""
    events = []
    while True:
        page = json.loads(json.dumps(fetch(len(events)), allow_nan=False))
        assert len(page) <= limit, "a page of %d for %d" % (len(page), limit)
        events.extend(page)
        if len(page) < limit:
            return events


def run_all(threads):
    """Starts all and waits for them."""
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def children():
    """The processes that this one started and that still run."""
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="utf-8") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if parent == str(os.getpid()) and state != "Z":
            found.append(int(path.split("/")[2]))
    return found


def kill(_):
    """Ends every process that was started, as when memory runs out."""
    for child in children():
        os.kill(child, signal.SIGKILL)


def replace_program(text):
    """Puts something else where Bowline's program is."""
    path = os.path.join(ROOT, "bowline", "bin", "bowline")
    os.remove(path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o755)


def die(path):
    """Writes down the processes that were started, and is gone without a word to them."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(children(), file)
    os.kill(os.getpid(), signal.SIGKILL)


def command_lines(_):
    """The command lines and environments of the processes that were started."""
    found = []
    for child in children():
        for name in ("cmdline", "environ"):
            with open("/proc/%d/%s" % (child, name), encoding="utf-8", errors="replace") as file:
                found.append(file.read().replace("\0", " "))
    return found


def guarded(act, *arguments):
    """What a call gives, or what it raises. A SystemExit is not caught: it would end the agent's worker."""
    try:
        return act(*arguments)
    except Exception as error:
        return {"error": type(error).__name__, "message": str(error)}


def main():
    """Carries out the steps."""
    folder = find(ROOT, JOB["connection_type"])
    client_class = Pipeline if os.sep + "custom-etl-connectors" + os.sep in folder else Warehouse
    client, outcomes = None, []
    for operation, argument in JOB["steps"]:
        if operation == "load":
            client = guarded(client_class, folder, JOB["connect_args"])
            outcomes.append(client if isinstance(client, dict) else None)
        elif operation == "children":
            outcomes.append(len(children()))
        elif operation in ("kill", "command_lines", "replace_program", "die"):
            outcomes.append(globals()[operation](argument))
        else:
            outcomes.append(guarded(getattr(client, operation), argument))
    json.dump(outcomes, sys.stdout)


if __name__ == "__main__":
    main()
