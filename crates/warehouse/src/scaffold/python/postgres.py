class PlainCursor:
    """psycopg2's cursor with column descriptions of plain tuples, which JSON can hold."""

    def __init__(self, cursor):
        self._cursor = cursor

    @property
    def description(self):
        columns = self._cursor.description
        return columns and [tuple(column) for column in columns]

    def __getattr__(self, name):
        return getattr(self._cursor, name)


class BaseConnector:
    """How the database is reached.

    `self.credentials` holds the `connect_args` of credentials.json before anything here is called. What
    `create_connection` and `create_cursor` give is kept as `self.connection` and `self.cursor`.
    """

    def create_connection(self):
        """Gives an open connection that commits by itself and tells times in UTC."""
        import psycopg2

        args = self.credentials
        connection = psycopg2.connect(
            host=args["host"],
            port=args.get("port", 5432),
            dbname=args["database"],
            user=args["user"],
            password=args.get("password"),
            sslmode=args.get("sslmode", "prefer"),
            options="-c TimeZone=UTC",
        )
        connection.autocommit = True
        return connection

    def create_cursor(self):
        """Gives a cursor of `self.connection`."""
        return PlainCursor(self.connection.cursor())

    def execute_query(self, query):
        """Runs one statement."""
        self.cursor.execute(query)

    def fetch_all_results(self):
        """Gives the rows of the last statement: lists or tuples that JSON can hold."""
        return self.cursor.fetchall()

    def close_connection(self):
        """Lets go of the connection. May be called more than once."""
        self.connection.close()
