//! PostgreSQL: which rights what was touched takes, and a role that has them.

use bowline_driver::{Connection, Limits, ResultSet, SqlError, Value};

use super::grant::{Grant, Purpose};
use super::role::{Candidates, PREFIX, quoted, rows, unused_name};
use super::touched::{Change, Name, Part, Touched};

/// What lets an account see everybody's statistics, and texts of queries among them.
pub(super) const READS_ALL_STATS: &str = "pg_read_all_stats";

/// Says whose a role is, and for which database, in its comment.
const MARK: &str = "made by `bowline grants` for";

/// What it takes to read and do what was touched.
pub(super) fn candidates(
    connection: &mut dyn Connection,
    touched: &Touched,
) -> Result<Candidates, SqlError> {
    let mut found = Candidates::default();
    let [database, is_everybodys] = texts(&rows(
        connection,
        "SELECT format('%I', current_database()), CAST(has_database_privilege('public', current_database(), 'CONNECT') AS text)",
    )?)
    .into_iter()
    .next()
    .unwrap_or_default();
    found.take(
        Grant::new(format!("CONNECT ON DATABASE {database}"), Purpose::Login),
        is_everybodys == "true",
    );
    schemas(connection, touched, &mut found)?;
    relations(connection, touched, &mut found)?;
    functions(connection, touched, &mut found)?;
    Ok(found)
}

/// The schemas of what is read, and those in which the run made something.
fn schemas(
    connection: &mut dyn Connection,
    touched: &Touched,
    found: &mut Candidates,
) -> Result<(), SqlError> {
    let made = touched.changed.iter().filter(|(_, changes)| {
        changes.contains(&Change::CreateTable) || changes.contains(&Change::CreateView)
    });
    let made = list(made.filter_map(|(Name(parts), _)| {
        let schema = parts.len().checked_sub(2)?;
        parts.get(schema).map(Part::small)
    }));
    let read =
        list(
            touched
                .listed
                .keys()
                .map(|listed| listed.schema.clone())
                .chain(touched.read.iter().filter_map(|Name(parts)| {
                    parts.len().checked_sub(2).map(|at| parts[at].small())
                })),
        );
    let visible = names(touched);
    let sql = format!(
        "SELECT format('USAGE ON SCHEMA %I', n.nspname), 'platform', CAST(has_schema_privilege('public', n.oid, 'USAGE') AS text) \
         FROM pg_catalog.pg_namespace n WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND (n.nspname IN ({read}) OR n.nspname IN ({made}) \
         OR n.oid IN (SELECT c.relnamespace FROM pg_catalog.pg_class c \
             WHERE c.relname IN ({visible}) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_table_is_visible(c.oid))) \
         UNION ALL \
         SELECT format('CREATE ON SCHEMA %I', n.nspname), 'functional', CAST(has_schema_privilege('public', n.oid, 'CREATE') AS text) \
         FROM pg_catalog.pg_namespace n WHERE n.nspname IN ({made}) ORDER BY 2 DESC, 1"
    );
    for [right, purpose, is_everybodys] in texts(&rows(connection, &sql)?) {
        let purpose = match purpose.as_str() {
            "functional" => Purpose::FunctionalChecks,
            _ => Purpose::Platform,
        };
        found.take(Grant::new(right, purpose), is_everybodys == "true");
    }
    Ok(())
}

/// Tables and views that were listed or read, with the parts of which a table is made; and the role that sees what others
/// do, where statistics were read that hide it.
fn relations(
    connection: &mut dyn Connection,
    touched: &Touched,
    found: &mut Candidates,
) -> Result<(), SqlError> {
    let pairs = touched
        .listed
        .keys()
        .map(|listed| (listed.schema.clone(), listed.name.clone()))
        .chain(touched.read.iter().filter_map(|Name(parts)| {
            let [.., schema, name] = parts.as_slice() else {
                return None;
            };
            Some((schema.small(), name.small()))
        }))
        .map(|(schema, name)| format!("({}, {})", quoted(&schema), quoted(&name)));
    let mut pairs: Vec<String> = pairs.collect();
    pairs.push("(NULL, NULL)".to_owned());
    let sql = format!(
        "WITH RECURSIVE touched AS ( \
             SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_temp%' AND ((n.nspname::text, c.relname::text) IN ({}) \
                 OR (c.relname IN ({}) AND pg_table_is_visible(c.oid))) \
             UNION SELECT i.inhrelid FROM touched t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid) \
         SELECT format('SELECT ON %I.%I', n.nspname, c.relname), CAST(has_table_privilege('public', c.oid, 'SELECT') AS text), \
             CASE WHEN c.relname LIKE 'pg\\_stat%' AND pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') THEN 'stats' ELSE '' END \
         FROM touched t JOIN pg_catalog.pg_class c ON c.oid = t.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1",
        pairs.join(", "),
        names(touched)
    );
    let mut hides = false;
    for [right, is_everybodys, kind] in texts(&rows(connection, &sql)?) {
        hides |= kind == "stats";
        // What the system itself lists to everybody would fill pages.
        let is_system = right.starts_with("SELECT ON pg_catalog.")
            || right.starts_with("SELECT ON information_schema.");
        if is_everybodys != "true" || !is_system {
            found.take(
                Grant::new(right, Purpose::Platform),
                is_everybodys == "true",
            );
        }
    }
    if hides {
        found.take(Grant::new(READS_ALL_STATS, Purpose::Platform), false);
    }
    Ok(())
}

/// Functions that not everybody may call.
fn functions(
    connection: &mut dyn Connection,
    touched: &Touched,
    found: &mut Candidates,
) -> Result<(), SqlError> {
    let called = list(
        touched
            .called
            .iter()
            .filter_map(|Name(parts)| parts.last().map(Part::small)),
    );
    let sql = format!(
        "SELECT format('EXECUTE ON FUNCTION %I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) \
         FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
         WHERE p.proname IN ({called}) AND p.prokind <> 'p' AND NOT has_function_privilege('public', p.oid, 'EXECUTE') ORDER BY 1"
    );
    for [right] in texts(&rows(connection, &sql)?) {
        found.take(Grant::new(right, Purpose::Platform), false);
    }
    Ok(())
}

/// What was read by its own name alone.
fn names(touched: &Touched) -> String {
    list(touched.read.iter().filter_map(|Name(parts)| {
        let [name] = parts.as_slice() else {
            return None;
        };
        Some(name.small())
    }))
}

/// Texts as a list of literals, which is never empty.
fn list(texts: impl Iterator<Item = String>) -> String {
    let mut literals: Vec<String> = texts.map(|text| quoted(&text)).collect();
    literals.sort();
    literals.dedup();
    if literals.is_empty() {
        literals.push("NULL".to_owned());
    }
    literals.join(", ")
}

/// The first columns of all rows as texts.
fn texts<const N: usize>(result: &ResultSet) -> Vec<[String; N]> {
    let text = |value: Option<&Value>| match value {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    let row = |row: &Vec<Value>| std::array::from_fn(|at| text(row.get(at)));
    result.rows.iter().map(row).collect()
}

/// Makes a role that may nothing, and that the connection may become. A lock tells as long as the connection lives that
/// the role is in use.
pub(super) fn make(connection: &mut dyn Connection) -> Result<String, SqlError> {
    drop_forgotten(connection)?;
    let role = unused_name();
    run(connection, &format!("CREATE ROLE {role} NOLOGIN"))?;
    let made = (|| {
        rows(
            connection,
            &format!(
                "SELECT CAST(pg_advisory_lock(oid::bigint) AS text) FROM pg_catalog.pg_roles WHERE rolname = '{role}'"
            ),
        )?;
        let database = texts::<1>(&rows(connection, "SELECT current_database()::text")?);
        let [database] = database.into_iter().next().unwrap_or_default();
        let mark = quoted(&format!("{MARK} {database}"));
        run(connection, &format!("COMMENT ON ROLE {role} IS {mark}"))?;
        run(connection, &format!("GRANT {role} TO CURRENT_USER"))
    })();
    match made {
        Ok(()) => Ok(role),
        Err(error) => {
            // The first error is the one that counts; what it leaves may not be much.
            let _ = run(connection, &format!("DROP ROLE {role}"));
            Err(error)
        }
    }
}

/// Drops what a proof left that was killed: marked for this database, and in use by nobody.
fn drop_forgotten(connection: &mut dyn Connection) -> Result<(), SqlError> {
    let sql = format!(
        "SELECT r.rolname::text FROM pg_catalog.pg_roles r WHERE r.rolname LIKE '{}%' \
         AND shobj_description(r.oid, 'pg_authid') = '{MARK} ' || current_database() AND pg_try_advisory_lock(r.oid::bigint)",
        PREFIX.replace('_', "\\_")
    );
    for [role] in texts(&rows(connection, &sql)?) {
        for statement in removal(&role) {
            // One that stays is in nobody's way.
            let _ = run(connection, &statement);
        }
    }
    Ok(())
}

/// What a connection runs to be the role.
pub(super) fn becoming(role: &str) -> String {
    format!("SET ROLE {role}")
}

/// The statements that remove a role, with all that it has and may.
pub(super) fn removal(role: &str) -> Vec<String> {
    vec![format!("DROP OWNED BY {role}"), format!("DROP ROLE {role}")]
}

fn run(connection: &mut dyn Connection, sql: &str) -> Result<(), SqlError> {
    connection.run(sql, &Limits::default()).map(drop)
}
