//! Making the tables, and what stands beside them where the database lets us: views, an index, a table with keys.

use bowline_driver::{Column, SqlError, SqlErrorKind, Value};

use super::start::{Made, Presence, dropping};
use super::table::{TestTable, TestTables};
use crate::Tier;
use crate::warehouse::ahead::Renders;
use crate::warehouse::answers::{Asking, Halt};
use crate::warehouse::chain::{Chain, Spec, text};
use crate::warehouse::metadata::read_tables;

pub(super) const CREATED: Spec = Spec::new(
    "created",
    "a new table can be made and selected from",
    &["create_test_table"],
    &[],
);
/// How many conditions a view has that all rows pass: its definition is long enough then to be cut where one is.
const PASSING: usize = 60;
/// How often it has each row of the table beneath.
pub(super) const VIEWED: i64 = 2;
/// The columns of the table with keys, in names that want quotes.
pub(super) const KEY_COLUMNS: [&str; 2] = ["Key 1", "Key 2"];

/// The new tables with what selecting from them gives, where they can be selected from.
#[derive(Debug, Clone, Default)]
pub(super) struct Created {
    pub(super) columns: Option<Vec<Column>>,
    pub(super) has_view: bool,
    pub(super) has_other_view: bool,
    pub(super) has_index: bool,
    pub(super) has_keys: bool,
}

/// Makes the tables, the mark first; in the strict tier views, a table with keys and an index as well, where the database lets us.
pub(super) fn create(
    chain: &mut Chain<'_>,
    tables: &TestTables,
    tier: Tier,
    made: &mut Made,
) -> Option<Created> {
    let can_select = chain.has("get_table_identifier");
    let has_names = chain.has("escape_field_name");
    let mut created = Created::default();
    chain
        .check(
            &CREATED,
            |asking| {
                for (table, presence) in [
                    (&tables.kept, &mut made.kept),
                    (&tables.changed, &mut made.changed),
                ] {
                    // The second is selected from next.
                    if can_select && table.table == tables.changed.table {
                        asking.announce(|ahead| {
                            ahead.query("create_test_table", tables.changed.variables());
                            ahead.then(|ahead| tables.changed.no_rows(ahead));
                            if tier == Tier::Strict {
                                ahead.then(|ahead| other_name_sql(tables, ahead));
                            }
                        });
                    }
                    let asked = asking.query("create_test_table", table.variables());
                    *presence = match &asked {
                        Ok(_) => Presence::Made,
                        Err(halt) => presence_after(halt),
                    };
                    asked?;
                }
                if !can_select {
                    return Ok(());
                }
                let sql = tables.changed.no_rows(asking)?;
                let Ok(result) = asking.try_run(None, &sql)? else {
                    // A table that is listed is there: then it is only that it cannot be named.
                    let listed = tables.ask_rows(asking, &[&tables.changed])?;
                    asking.forget();
                    let listed = read_tables(&listed).unwrap_or_default();
                    if tables.changed.row(&listed).is_none() {
                        asking.run(None, &sql)?;
                    }
                    return Ok(());
                };
                if tier == Tier::Strict {
                    let column = result.columns.first().filter(|_| has_names);
                    let takes_name = takes_other_name(asking, tables)?;
                    asking.announce(|ahead| {
                        ahead.then(|ahead| view_sql(tables, ahead));
                        if takes_name {
                            ahead.then(|ahead| other_view_sql(tables, ahead));
                        }
                        ahead.then(|ahead| keys_sql(tables, ahead));
                        if let Some(column) = column {
                            ahead.then(|ahead| {
                                Ok(index_sqls(tables, &column.name, ahead)?[0].clone())
                            });
                        }
                    });
                    let names: Vec<&str> = result
                        .columns
                        .iter()
                        .map(|column| column.name.as_str())
                        .collect();
                    let mut others = Others { asking, tables };
                    let sql = view_sql(tables, others.asking)?;
                    created.has_view = others.create(&tables.view, &sql, &mut made.view, &names)?;
                    if takes_name {
                        let sql = other_view_sql(tables, others.asking)?;
                        let presence = &mut made.other_view;
                        created.has_other_view =
                            others.create(&tables.other_view, &sql, presence, &names)?;
                    }
                    if let Ok(sql) = keys_sql(tables, others.asking) {
                        created.has_keys =
                            others.create(&tables.keys, &sql, &mut made.keys, &KEY_COLUMNS)?;
                    }
                    if let Some(column) = column {
                        created.has_index = create_index(asking, tables, &column.name)?;
                    }
                }
                Ok(())
            },
            |answers| {
                let selected = answers
                    .results()
                    .filter(|result| !result.columns.is_empty())
                    .last();
                Ok(selected.map(|result| result.columns.clone()))
            },
        )
        .map(|columns| Created { columns, ..created })
}

/// Whether a statement failed in a way that says that it has done nothing, and would not on any other day.
fn is_refusal(error: &SqlError) -> bool {
    matches!(
        error.kind,
        SqlErrorKind::Permission | SqlErrorKind::Syntax | SqlErrorKind::MissingObject
    )
}

/// What a statement that failed may have made.
fn presence_after(halt: &Halt) -> Presence {
    match halt {
        Halt::Unwritten(_) | Halt::Unasked(_) => Presence::Absent,
        Halt::Failed(error) if is_refusal(error) => Presence::Absent,
        Halt::Failed(error) => match error.kind {
            SqlErrorKind::Connection | SqlErrorKind::Timeout => Presence::Unanswered,
            _ => Presence::Possible,
        },
    }
}

/// The view has the table's rows twice, behind a condition that lets no row pass, with what says so at the end of it: a
/// definition that is cut gives fewer, one that has lost its condition or the quotes in it gives more. One that begins
/// behind its last `AS`, or has lost the ends of its lines, is none.
fn view_sql(tables: &TestTables, with: &impl Renders) -> Result<String, Halt> {
    let (view, table) = (tables.view.identifier(with)?, tables.kept.identifier(with)?);
    let passing = "1 < 2\nAND ".repeat(PASSING);
    Ok(format!(
        "CREATE VIEW {view} AS SELECT * FROM {table} WHERE 'A\"b' = 'Ab' OR 'A`b' = 'Ab' OR 'A AS b' = 'Ab' OR {passing}1 = 0 \
         UNION ALL SELECT * FROM {table} UNION ALL SELECT * FROM {table}"
    ))
}

fn other_name_sql(tables: &TestTables, with: &impl Renders) -> Result<String, Halt> {
    let name = tables.other_view.table.replace('\'', "''");
    let clause = with.one_row_clause()?;
    // Without templates: what fails here is no evidence about them.
    Ok(format!("SELECT '{name}'{clause}"))
}

/// Whether the other view's name comes back as it was sent: some connections and databases put other letters for those
/// that their alphabet lacks, and say nothing.
fn takes_other_name(asking: &mut Asking<'_>, tables: &TestTables) -> Result<bool, Halt> {
    let Ok(sql) = other_name_sql(tables, asking) else {
        return Ok(false);
    };
    let Ok(result) = asking.try_run(None, &sql)? else {
        return Ok(false);
    };
    asking.forget();
    let name = &tables.other_view.table;
    Ok(matches!(result.scalar(), Some(Value::Text(told)) if told.trim_end() == name))
}

/// Some databases have no such names.
fn other_view_sql(tables: &TestTables, with: &impl Renders) -> Result<String, Halt> {
    let view = tables.other_view.identifier(with)?;
    let table = tables.kept.identifier(with)?;
    Ok(format!("CREATE VIEW {view} AS SELECT * FROM {table}"))
}

fn keys_sql(tables: &TestTables, with: &impl Renders) -> Result<String, Halt> {
    let [first, second] =
        KEY_COLUMNS.map(|name| with.render("escape_field_name", vec![("field_name", text(name))]));
    let (table, first, second) = (tables.keys.identifier(with)?, first?, second?);
    Ok(format!(
        "CREATE TABLE {table} ({first} INTEGER NOT NULL PRIMARY KEY, {second} VARCHAR(20) NOT NULL UNIQUE, UNIQUE ({first}, {second}))"
    ))
}

/// Makes what stands beside the tables, where the database lets us.
struct Others<'o, 'a> {
    asking: &'o mut Asking<'a>,
    tables: &'o TestTables,
}

impl Others<'_, '_> {
    /// Makes one, which has columns of these names; says whether it is there. One of the name that has the same columns
    /// was left by a run whose connection was lost, and makes way.
    fn create(
        &mut self,
        other: &TestTable,
        sql: &str,
        presence: &mut Presence,
        columns: &[&str],
    ) -> Result<bool, Halt> {
        let mut asked = self.asking.try_run(None, sql);
        if matches!(&asked, Ok(Err(error)) if !is_refusal(error)) && self.is_left(other, columns)? {
            let drop = dropping(self.tables, other, self.asking)?;
            if self.asking.try_run(None, &drop)?.is_ok() {
                self.asking.forget();
                asked = self.asking.try_run(None, sql);
            }
        }
        *presence = match &asked {
            Ok(Ok(_)) => Presence::Made,
            // What was refused by a database that answers is not there.
            Ok(Err(_)) => Presence::Absent,
            Err(halt) => presence_after(halt),
        };
        let is_made = asked?.is_ok();
        if is_made {
            self.asking.forget();
        }
        Ok(is_made)
    }

    fn is_left(&mut self, other: &TestTable, columns: &[&str]) -> Result<bool, Halt> {
        let Ok(left) = other.columns(self.asking)? else {
            return Ok(false);
        };
        self.asking.forget();
        // Some drivers put the table's name before, and some databases fold even what is quoted.
        let is_it = |(column, name): (&Column, &&str)| {
            let column = column.name.rsplit('.').next().unwrap_or(&column.name);
            column.eq_ignore_ascii_case(name)
        };
        Ok(left.len() == columns.len() && left.iter().zip(columns).all(is_it))
    }
}

/// Where an index is qualified, its table is not, and the other way round.
fn index_sqls(tables: &TestTables, column: &str, with: &impl Renders) -> Result<[String; 2], Halt> {
    let field = |name: &str| with.render("escape_field_name", vec![("field_name", text(name))]);
    let (column, index, table) = (
        field(column)?,
        field(&tables.index.table)?,
        field(&tables.kept.table)?,
    );
    let (whole_index, whole_table) = (
        tables.index.identifier(with)?,
        tables.kept.identifier(with)?,
    );
    Ok([
        format!("CREATE INDEX {index} ON {whole_table} ({column})"),
        format!("CREATE INDEX {whole_index} ON {table} ({column})"),
    ])
}

fn create_index(asking: &mut Asking<'_>, tables: &TestTables, column: &str) -> Result<bool, Halt> {
    for sql in index_sqls(tables, column, asking)? {
        if asking.try_run(None, &sql)?.is_ok() {
            asking.forget();
            return Ok(true);
        }
    }
    Ok(false)
}
