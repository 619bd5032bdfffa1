//! Statements that every new connection runs first.

use std::sync::Arc;

use crate::{Connection, ConnectionCost, Database, Limits, SqlError, SqlErrorKind};

/// A statement for the start of a connection.
#[derive(Debug, Clone)]
pub struct OpeningStatement {
    /// The statement.
    pub sql: String,
    /// What errors call it, such as "`init` statement 1 of connector.toml".
    pub name: String,
}

/// A database whose connections run some statements, in order, before they are handed out.
pub struct OpeningDatabase {
    database: Arc<dyn Database>,
    statements: Box<[OpeningStatement]>,
    limits: Limits,
}

impl OpeningDatabase {
    /// The database with these statements at the start of every connection, each within the limits.
    #[must_use]
    pub fn new(
        database: Arc<dyn Database>,
        statements: Vec<OpeningStatement>,
        limits: Limits,
    ) -> Self {
        Self {
            database,
            statements: statements.into(),
            limits,
        }
    }
}

impl Database for OpeningDatabase {
    fn product(&self) -> String {
        self.database.product()
    }

    fn cost(&self) -> ConnectionCost {
        self.database.cost()
    }

    fn connect(&self) -> Result<Box<dyn Connection>, SqlError> {
        let mut connection = self.database.connect()?;
        for OpeningStatement { sql, name } in &self.statements {
            connection
                .run(sql, &self.limits)
                .map_err(|error| SqlError {
                    message: format!("{name} failed: {}", error.message),
                    // Whoever made the connection knows that the statement is at fault, and not the way there.
                    hint: error.hint.or_else(|| {
                        (error.kind != SqlErrorKind::Connection).then(|| {
                            "the connection came about: mend the statement, or leave it out"
                                .to_owned()
                        })
                    }),
                    ..error
                })?;
        }
        Ok(connection)
    }
}
