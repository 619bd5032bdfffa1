class BaseConnector:
    """How the database is reached.

    `self.credentials` holds the `connect_args` of credentials.json before anything here is called. What
    `create_connection` and `create_cursor` give is kept as `self.connection` and `self.cursor`. The agent keeps one
    connector for about a minute and calls it from several threads at once: what is not safe then needs a lock.
    """

    def create_connection(self):
        """Gives an open connection, as the database's Python driver makes it.

        Name the driver's package in requirements.txt. Import it here, and templates can be worked on without it.
        Change nothing but the database in what you run: no SystemExit, no signals, no prints of credentials.
        """
        raise NotImplementedError("create_connection in connector.py does not reach a database yet")

    def create_cursor(self):
        """Gives a cursor of `self.connection`."""
        return self.connection.cursor()

    def execute_query(self, query):
        """Runs one statement. Commit what it changed, unless the connection commits by itself."""
        self.cursor.execute(query)

    def fetch_all_results(self):
        """Gives the rows of the last statement: a list of lists or tuples.

        The agent writes them as JSON: times of day, lengths of time and bytes have to be text or numbers here.
        Afterwards `self.cursor.description` is read, seven plain items for each column, and `self.cursor.rowcount`.
        """
        return self.cursor.fetchall()

    def close_connection(self):
        """Lets go of the connection. May be called more than once."""
        self.connection.close()
