class Cursor:
    """A cursor that any number of threads may use at once, as the agent does.

    They take turns at the connection, and each sees the result of its own last statement: what JSON can hold of it,
    whatever the driver makes of rows, values and types.
    """

    def __init__(self, connection, commits=False):
        """With `commits`, every statement is a transaction: for connections that do not commit by themselves."""
        self._connection = connection
        self._commits = commits
        self._turn = threading.Lock()
        self._own = threading.local()

    @property
    def description(self):
        """Seven items for each column; None for a statement that gives no rows."""
        return getattr(self._own, "description", None)

    @property
    def rowcount(self):
        """How many rows the statement changed or gave, where the driver knows; else -1."""
        return getattr(self._own, "rowcount", -1)

    def execute(self, query):
        """Runs one statement and reads it out."""
        own = self._own
        own.description, own.rowcount, own.rows = None, -1, []
        with self._turn:
            cursor = self._connection.cursor()
            try:
                cursor.execute(query)
                if cursor.description:
                    own.description = [described(column) for column in cursor.description]
                    count = len(own.description)
                    own.rows = [plain_row(row, count) for row in cursor.fetchall()]
                own.rowcount = getattr(cursor, "rowcount", -1)
                if self._commits:
                    self._connection.commit()
            except BaseException:
                if self._commits:
                    tried(self._connection.rollback)
                raise
            finally:
                tried(cursor.close)

    def fetchall(self):
        """The rows."""
        return getattr(self._own, "rows", [])


def tried(undo):
    """Undoes what can be undone; where the connection is gone, the first error is the one that tells."""
    try:
        undo()
    except Exception:
        pass


def described(column):
    """The seven items of a column's description: its name, the driver's word for its type, and its sizes."""
    name, kind = column[0], column[1]
    if kind is not None and not isinstance(kind, (int, str)):
        kind = getattr(kind, "__name__", None) or getattr(kind, "name", None) or type(kind).__name__
    sizes = [column[place] if place < len(column) else None for place in range(2, 7)]
    return (str(name), kind, *(plain(size) for size in sizes))


def plain_row(row, count):
    """A row's values in the order of its columns, also where the driver gives rows by name."""
    by_name = hasattr(row, "keys") and hasattr(row, "values")
    values = list(row.values() if by_name else row)
    if len(values) != count:
        raise ValueError(
            f"a row of {len(values)} values for {count} columns: columns of one name need rows that are tuples"
        )
    return tuple(plain(value) for value in values)


def plain(value):
    """A value as JSON can hold it: whole decimals are integers, others floats, everything without a form is text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, decimal.Decimal) and value.is_finite():
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return str(value)
