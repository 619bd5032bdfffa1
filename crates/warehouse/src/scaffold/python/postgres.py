class BaseConnector:
    """How the database is reached.

    `self.credentials` holds the `connect_args` of credentials.json before anything here is called. What
    `create_connection` and `create_cursor` give is kept as `self.connection` and `self.cursor`. The agent keeps one
    connector for about a minute and calls it from several threads at once: `Cursor` below is made for that.
    """

    def create_connection(self):
        """Gives an open connection that commits by itself, in the session that the templates take for granted."""
        import psycopg2

        args = self.credentials
        connection = psycopg2.connect(
            host=args["host"],
            port=args.get("port", 5432),
            dbname=args["database"],
            user=args["user"],
            password=args.get("password"),
            sslmode=args.get("sslmode", "prefer"),
        )
        connection.autocommit = True
        # Not as an option of the connection, which poolers refuse.
        with connection.cursor() as cursor:
            for statement in self.opening_statements:
                cursor.execute(statement)
        return connection

    def create_cursor(self):
        """Gives what becomes `self.cursor`: the one that threads share."""
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
