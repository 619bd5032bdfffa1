//! MariaDB: which rights what was touched takes, and an account that has them.

use std::collections::{BTreeMap, BTreeSet};

use bowline_driver::{Connection, Limits, SqlError, Value};

use super::grant::{Grant, Purpose};
use super::role::{Candidates, PREFIX, rows, unused_name};
use super::touched::{Change, Name, Touched};

/// A table: its database and its name.
type Table = (String, String);

/// What it takes to read and do what was touched.
pub(super) fn candidates(
    connection: &mut dyn Connection,
    touched: &Touched,
) -> Result<Candidates, SqlError> {
    let current = text(connection, "SELECT COALESCE(DATABASE(), '')")?;
    let table = |Name(parts): &Name| match parts.as_slice() {
        [] => (String::new(), String::new()),
        [name] => (current.clone(), name.text.clone()),
        [.., database, name] => (database.text.clone(), name.text.clone()),
    };
    let mut changed: BTreeMap<Table, BTreeSet<&str>> = BTreeMap::new();
    for (name, changes) in &touched.changed {
        let rights = changed.entry(table(name)).or_default();
        // What is not there yet can be given rights to only with the one to make it.
        rights.extend(["CREATE", "SELECT"]);
        rights.extend(changes.iter().map(|change| match change {
            Change::CreateTable => "CREATE",
            Change::CreateView => "CREATE VIEW",
            Change::Index => "INDEX",
            Change::Alter => "ALTER",
            Change::Drop => "DROP",
            Change::Insert | Change::Analyze => "INSERT",
            Change::Update => "UPDATE",
            Change::Delete => "DELETE",
        }));
        if changes.contains(&Change::CreateView) {
            rights.insert("SHOW VIEW");
        }
    }
    let mut read: BTreeMap<Table, bool> = BTreeMap::new();
    for name in &touched.read {
        read.entry(table(name)).or_default();
    }
    for (listed, is_view) in &touched.listed {
        read.insert((listed.schema.clone(), listed.name.clone()), *is_view);
    }
    let mut found = Candidates::default();
    for ((database, name), is_view) in read {
        let key = (database, name);
        let is_system = key.0.eq_ignore_ascii_case("information_schema");
        if is_system || changed.contains_key(&key) || !is_there(connection, &key)? {
            continue;
        }
        let rights = if is_view {
            "SELECT, SHOW VIEW"
        } else {
            "SELECT"
        };
        found.take(
            Grant::new(format!("{rights} ON {}", named(&key)), Purpose::Platform),
            false,
        );
    }
    for (table, rights) in changed {
        let rights: Vec<&str> = rights.into_iter().collect();
        let right = format!("{} ON {}", rights.join(", "), named(&table));
        found.take(Grant::new(right, Purpose::FunctionalChecks), false);
    }
    Ok(found)
}

fn is_there(connection: &mut dyn Connection, (database, name): &Table) -> Result<bool, SqlError> {
    let sql = format!(
        "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {}",
        quoted(database),
        quoted(name)
    );
    Ok(text(connection, &sql)? != "0")
}

/// A text as a literal, in which a backslash is an escape.
fn quoted(text: &str) -> String {
    super::role::quoted(&text.replace('\\', "\\\\"))
}

fn named((database, name): &Table) -> String {
    let part = |text: &str| format!("`{}`", text.replace('`', "``"));
    format!("{}.{}", part(database), part(name))
}

/// The name with which the connection logged in.
pub(super) fn login(connection: &mut dyn Connection) -> Result<String, SqlError> {
    text(connection, "SELECT SUBSTRING_INDEX(USER(), '@', 1)")
}

/// Makes an account that may nothing but log in from where the connection's own may; gives its name and how statements
/// write it. A lock tells as long as the connection lives that it is in use.
pub(super) fn make(
    connection: &mut dyn Connection,
    password: &str,
) -> Result<(String, String), SqlError> {
    drop_forgotten(connection)?;
    let host = text(
        connection,
        "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', -1)",
    )?;
    let name = unused_name();
    let account = format!("'{name}'@{}", quoted(&host));
    text(connection, &format!("SELECT GET_LOCK('{name}', 0)"))?;
    let sql = format!("CREATE USER {account} IDENTIFIED BY '{password}'");
    connection.run(&sql, &Limits::default())?;
    Ok((name, account))
}

/// Drops what a proof left that was killed: in use by nobody.
fn drop_forgotten(connection: &mut dyn Connection) -> Result<(), SqlError> {
    let sql = format!(
        "SELECT CONCAT('''', User, '''@''', Host, '''') FROM mysql.user WHERE User LIKE '{PREFIX}%' AND IS_FREE_LOCK(User) = 1"
    );
    for row in rows(connection, &sql)?.rows {
        if let Some(Value::Text(account)) = row.first() {
            // One that stays is in nobody's way.
            let _ = connection.run(&format!("DROP USER {account}"), &Limits::default());
        }
    }
    Ok(())
}

/// The statements that remove an account.
pub(super) fn removal(account: &str) -> Vec<String> {
    vec![format!("DROP USER {account}")]
}

fn text(connection: &mut dyn Connection, sql: &str) -> Result<String, SqlError> {
    let result = rows(connection, sql)?;
    Ok(match result.scalar() {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    })
}
