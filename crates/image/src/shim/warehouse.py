

class BaseConnector:
    """How the database is reached. Any number of threads may use it at once: each sees its own result."""

    credentials: Dict[str, Any] = {}

    def __init__(self) -> None:
        self._session = Session("connect")
        self._ends = weakref.finalize(self, self._session.close)
        self.connection: Optional[Connection] = None
        self.cursor: Optional[Cursor] = None

    def create_connection(self) -> "Connection":
        """Logs in."""
        self._session.open(self.credentials)
        self.connection = Connection(self._session)
        return self.connection

    def create_cursor(self) -> "Cursor":
        """The cursor over the results."""
        self.cursor = (self.connection or self.create_connection()).cursor()
        return self.cursor

    def execute_query(self, query: str) -> None:
        """Runs one statement."""
        (self.cursor or self.create_cursor()).execute(query)

    def fetch_all_results(self) -> List[Tuple[Any, ...]]:
        """The rows of this thread's last statement: what JSON can hold."""
        return [] if self.cursor is None else self.cursor.fetchall()

    def close_connection(self) -> None:
        """Logs out; a second time does nothing."""
        self._session.close()


class Connection:
    """A login to the database. Every statement is committed as it is."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def cursor(self) -> "Cursor":
        """A cursor."""
        return Cursor(self._session)

    def commit(self) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Logs out; a second time does nothing."""
        self._session.close()


class Result(NamedTuple):
    """What one statement gave."""

    description: Optional[List[Tuple[Any, ...]]]
    rowcount: int
    rows: List[Tuple[Any, ...]]


NOTHING = Result(None, -1, [])


class Cursor:
    """The results of statements: each thread that runs some has its own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._own = threading.local()
        self._latest = NOTHING
        self._askers: Set[int] = set()

    def execute(self, query: str) -> None:
        """Runs one statement and reads its rows."""
        self._own.result = NOTHING
        self._askers.add(threading.get_ident())
        limits = {"max_rows": MAX_ROWS, "max_bytes": MAX_BYTES, "timeout_ms": ANSWER_SECONDS * 1000}
        self._own.result = self._latest = result_of(self._session.ask("query", dict(limits, sql=query)))

    @property
    def description(self) -> Optional[List[Tuple[Any, ...]]]:
        """Name, type and five times None for each column; None for a statement without a result."""
        return self._result().description

    @property
    def rowcount(self) -> int:
        """How many rows there are or were changed; -1 where that is not known."""
        return self._result().rowcount

    def fetchall(self) -> List[Tuple[Any, ...]]:
        """The rows that were not fetched yet."""
        result = self._result()
        rows = list(result.rows)
        result.rows.clear()
        return rows

    def close(self) -> None:
        """Does nothing: a cursor holds nothing open."""

    def _result(self) -> Result:
        own: Optional[Result] = getattr(self._own, "result", None)
        if own is not None:
            return own
        if len(self._askers) > 1:
            raise ConnectorError("this thread ran no statement, and it cannot be told whose result it means")
        # One thread asks and another one reads.
        return self._latest


def result_of(answer: Dict[str, Any]) -> Result:
    """An answer as a cursor gives it."""
    columns, changed = answer["columns"], answer.get("rows_affected")
    if not columns:
        return Result(None, -1 if changed is None else changed, [])
    description = [(column["name"], column["type"] or None) + (None,) * 5 for column in columns]
    rows = [tuple(map(plain, row)) for row in answer["rows"]]
    return Result(description, len(rows), rows)


def plain(value: Any) -> Any:
    """One value of a row, as text or a number that JSON can hold."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((tag, content),) = value.items()
    if tag == "$int":
        return int(content)
    if tag == "$decimal":
        return number(content)
    if tag == "$bytes":
        return base64.b64decode(content).hex()
    if tag == "$interval":
        return duration(int(content[0]), int(content[1]), int(content[2]))
    if tag == "$struct":
        return {name: plain(field) for name, field in content}
    if tag == "$other":
        return content[1]
    # Dates, times, UUIDs, and the floats that are no numbers to JSON, are text already.
    return number(content) if tag == "$float" and "n" not in content.lower() else content


def number(text: str) -> Any:
    """A decimal: whole ones exact, others as precise as JSON's readers are; text where that is no number."""
    value = decimal.Decimal(text)
    if value == value.to_integral_value():
        return int(value)
    rounded = float(value)
    return rounded if math.isfinite(rounded) else text


def duration(months: int, days: int, nanoseconds: int) -> str:
    """A length of time as ISO 8601 writes it, each part with its own sign."""
    seconds, rest = divmod(abs(nanoseconds), 1000000000)
    sign = "-" if nanoseconds < 0 else ""
    fraction = (".%09d" % rest).rstrip("0") if rest else ""
    parts = ("%dM" % months if months else "") + ("%dD" % days if days else "")
    if nanoseconds or not parts:
        parts += "T%s%d%sS" % (sign, seconds, fraction)
    return "P" + parts


def template(name: str) -> Optional[str]:
    """A template's text, to the letter."""
    path = os.path.join(HERE, "templates", name + ".j2")
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()
