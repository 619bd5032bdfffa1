class BaseConnector:
    """How the database is reached.

    `self.credentials` holds the `connect_args` of credentials.json before anything here is called. What
    `create_connection` and `create_cursor` give is kept as `self.connection` and `self.cursor`. The agent keeps one
    connector for about a minute and calls it from several threads at once: `Cursor` below is made for that.
    """

    def create_connection(self):
        """Gives an open connection."""
        from firebird.driver import connect

        args = self.credentials
        return connect(
            "%s/%s:%s" % (args["host"], args.get("port", 3050), args["database"]),
            user=args["user"],
            password=args.get("password"),
            charset="UTF8",
        )

    def create_cursor(self):
        """Gives what becomes `self.cursor`: the one that threads share."""
        return Cursor(self.connection, commits=True)

    def execute_query(self, query):
        """Runs one statement."""
        self.cursor.execute(query)

    def fetch_all_results(self):
        """Gives the rows of this thread's last statement."""
        return self.cursor.fetchall()

    def close_connection(self):
        """Lets go of the connection. May be called more than once."""
        self.connection.close()
