class BaseConnector:
    """How the database is reached.

    `self.credentials` holds the `connect_args` of credentials.json before anything here is called. What
    `create_connection` and `create_cursor` give is kept as `self.connection` and `self.cursor`. The agent keeps one
    connector for about a minute and calls it from several threads at once: `Cursor` below is made for that.
    """

    def create_connection(self):
        """Gives an open connection, as the database's Python driver makes it; one that commits by itself is best.

        Where `opening_statements` stand below, run them on it: the templates take what they set for granted.
        Name the driver's package in requirements.txt. Import it here, and templates can be worked on without it.
        Change nothing but the database in what you run: no SystemExit, no signals, no prints of credentials.
        """
        raise NotImplementedError("create_connection in connector.py does not reach a database yet")

    def create_cursor(self):
        """Gives what becomes `self.cursor`: the one that threads share.

        Where the connection does not commit by itself: `Cursor(self.connection, commits=True)`.
        """
        return Cursor(self.connection)

    def execute_query(self, query):
        """Runs one statement."""
        self.cursor.execute(query)

    def fetch_all_results(self):
        """Gives the rows of this thread's last statement."""
        return self.cursor.fetchall()

    def close_connection(self):
        """Lets go of the connection. May be called more than once."""
        self.connection.close()
