//! An account that is made for a proof, used and removed.

use std::sync::Arc;

use bowline_connector::Credentials;
use bowline_driver::{
    Connection, Database, Limits, OpeningDatabase, OpeningStatement, ResultSet, SqlError,
    SqlErrorKind,
};
use bowline_warehouse::Connector;
use bowline_words::Redactor;
use serde_json::Value as Json;

use super::grant::Grant;
use super::touched::Touched;
use super::{mariadb, postgres};
use crate::WorkbenchError;
use crate::warehouse::{connect, open};

/// How the names of accounts begin that are made here.
pub(super) const PREFIX: &str = "bowline_grants_";

/// The engines whose rights are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Postgres,
    MariaDb,
}

impl Engine {
    /// The engine of a server that names itself so, or of the dialect pack that a connector extends.
    pub(super) fn of(product: &str, connector: &Connector) -> Option<Self> {
        let dialect = connector.dialect.as_ref();
        let extends =
            |name: &str| dialect.is_some_and(|pack| pack.chain().any(|pack| pack.name == name));
        if product.starts_with("PostgreSQL") || extends("postgres") {
            Some(Self::Postgres)
        } else if product.contains("MariaDB") || extends("mariadb") {
            Some(Self::MariaDb)
        } else {
            None
        }
    }

    /// The rights that what was touched may take.
    pub(super) fn candidates(
        self,
        connection: &mut dyn Connection,
        touched: &Touched,
    ) -> Result<Candidates, SqlError> {
        match self {
            Self::Postgres => postgres::candidates(connection, touched),
            Self::MariaDb => mariadb::candidates(connection, touched),
        }
    }
}

/// Rights that may be needed.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// Those that an account has to be given.
    pub(super) wanted: Vec<Grant>,
    /// Those that everybody has.
    pub(super) everybodys: Vec<String>,
}

impl Candidates {
    pub(super) fn take(&mut self, grant: Grant, is_everybodys: bool) {
        if is_everybodys {
            self.everybodys.push(grant.right);
        } else {
            self.wanted.push(grant);
        }
    }
}

/// An account of ours, until it is removed.
pub(super) struct Role<'c> {
    engine: Engine,
    connector: &'c Connector,
    home: Arc<dyn Database>,
    connection: Box<dyn Connection>,
    /// As statements write it.
    account: String,
    /// The database as this account sees it.
    pub(super) database: Arc<dyn Database>,
}

impl<'c> Role<'c> {
    /// Makes an account that may nothing. What its connections run first stays within the limits.
    ///
    /// # Errors
    /// Why it cannot be made; nothing is left then.
    pub(super) fn make(
        engine: Engine,
        connector: &'c Connector,
        credentials: &Credentials,
        home: &Arc<dyn Database>,
        mut connection: Box<dyn Connection>,
        limits: &Limits,
    ) -> Result<Self, SqlError> {
        let (account, database) = match engine {
            Engine::Postgres => {
                let role = postgres::make(connection.as_mut())?;
                let becoming = OpeningStatement {
                    sql: postgres::becoming(&role),
                    name: format!("becoming `{role}`"),
                };
                let database =
                    OpeningDatabase::new(Arc::clone(home), vec![becoming], limits.clone());
                (role, Arc::new(database) as Arc<dyn Database>)
            }
            Engine::MariaDb => {
                let password = password();
                let hide = Redactor::new([password.clone()]);
                let login = mariadb::login(connection.as_mut())?;
                let keys = login_keys(credentials, &login)?;
                let (name, account) = mariadb::make(connection.as_mut(), &password)
                    .map_err(|error| error.redacted(&hide))?;
                let mut connect_args = credentials.connect_args().clone();
                for (key, value) in keys.into_iter().zip([name, password]) {
                    connect_args.insert(key, Json::String(value));
                }
                let credentials = Credentials::of_connect_args(connect_args);
                match open(connector, &credentials, limits, &|_| ()) {
                    Ok(database) => (account, database),
                    Err(error) => {
                        for statement in mariadb::removal(&account) {
                            // The first error is the one that counts.
                            let _ = connection.run(&statement, &Limits::default());
                        }
                        return Err(SqlError::new(SqlErrorKind::Other, error.to_string()));
                    }
                }
            }
        };
        Ok(Self {
            engine,
            connector,
            home: Arc::clone(home),
            connection,
            account,
            database,
        })
    }

    /// Gives it a right.
    pub(super) fn give(&mut self, grant: &Grant) -> Result<(), SqlError> {
        let sql = grant.given_to(&self.account);
        self.connection.run(&sql, &Limits::default()).map(drop)
    }

    /// Takes a right from it.
    pub(super) fn take(&mut self, grant: &Grant) -> Result<(), SqlError> {
        let sql = grant.taken_from(&self.account);
        self.connection.run(&sql, &Limits::default()).map(drop)
    }

    /// Removes it, over a new connection where the first was lost; gives the statements that failed.
    pub(super) fn remove(mut self) -> Vec<String> {
        let mut statements = match self.engine {
            Engine::Postgres => postgres::removal(&self.account),
            Engine::MariaDb => mariadb::removal(&self.account),
        };
        let removed = |connection: &mut dyn Connection, sql: &String| {
            let outcome = connection.run(sql, &Limits::default());
            outcome.map_or_else(|error| error.kind == SqlErrorKind::MissingObject, |_| true)
        };
        statements.retain(|sql| !removed(self.connection.as_mut(), sql));
        if !statements.is_empty() {
            let again: Result<_, WorkbenchError> = connect(self.connector, self.home.as_ref());
            if let Ok(mut connection) = again {
                statements.retain(|sql| !removed(connection.as_mut(), sql));
            }
        }
        statements
    }
}

/// The credentials under which the login's name and its password stand.
fn login_keys(credentials: &Credentials, login: &str) -> Result<[String; 2], SqlError> {
    let arguments = credentials.connect_args();
    let named: Vec<&String> = arguments
        .iter()
        .filter(|(_, value)| value.as_str() == Some(login))
        .map(|(key, _)| key)
        .collect();
    // A database may have its owner's name.
    let is_user = |key: &&&String| {
        let key = key.to_lowercase();
        ["user", "uid", "login", "account"]
            .iter()
            .any(|word| key.contains(word))
    };
    let user = named.iter().find(is_user).or(named.first());
    let is_password = |key: &&String| {
        let key = key.to_lowercase();
        key.contains("pass") || key.contains("pwd")
    };
    let password = arguments.keys().find(is_password).cloned();
    let user = user.map(|key| (*key).clone()).ok_or_else(|| {
        SqlError::new(
            SqlErrorKind::Other,
            "no value of `connect_args` is the name of the login, so that another cannot take its place",
        )
    })?;
    Ok([user, password.unwrap_or_else(|| "password".to_owned())])
}

/// A name that no account has.
pub(super) fn unused_name() -> String {
    format!("{PREFIX}{:012x}", u64::from_ne_bytes(random()) >> 16)
}

/// Thirty-two signs that nobody can guess.
fn password() -> String {
    format!("{:032x}", u128::from_ne_bytes(random()))
}

/// Random bytes of the system's.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has random bytes");
    bytes
}

/// A text as a literal.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The rows of a query.
pub(super) fn rows(connection: &mut dyn Connection, sql: &str) -> Result<ResultSet, SqlError> {
    connection.run(sql, &Limits::default())
}
