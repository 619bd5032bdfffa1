//! The objects that functional checks make, and watching them: databases tell of a change when they get to it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bowline_driver::{Column, ResultSet, SqlError};
use bowline_template::TemplateValue;

use crate::warehouse::ahead::Renders;
use crate::warehouse::answers::{Answers, Asking, Halt};
use crate::warehouse::chain::{Chain, Seen, Spec, quoted_list, text};
use crate::warehouse::judge::Judged;
use crate::warehouse::metadata::{ALL, Table, full_table_id, read_tables, tables_variables};
use crate::warehouse::tokens::tokens;

/// A condition that no row passes. Not that which others write: a log that sums up statements keeps the text of the first,
/// however it writes the table's name.
pub(crate) const NO_ROW: &str = "2 < 1 AND 1 < 2";

/// Where an object is, with every part known.
#[derive(Debug, Clone)]
pub(super) struct TestTable {
    pub(super) database: String,
    pub(super) schema: String,
    /// As statements name it.
    pub(super) table: String,
    /// As the catalogue does, where that is known to be otherwise: some databases fold even what is quoted.
    pub(super) listed: Option<String>,
}

/// Everything that functional checks make.
#[derive(Debug, Clone)]
pub(super) struct TestTables {
    /// The table that the connector names: it is changed again and again.
    pub(super) changed: TestTable,
    /// A second one, filled once. It is made first and dropped last: beside it, the other is known to be ours.
    pub(super) kept: TestTable,
    /// A view of the second one, where the database lets us make one.
    pub(super) view: TestTable,
    /// Another view of it, whose name has a blank and a letter that is not in ASCII.
    pub(super) other_view: TestTable,
    /// An index of the second one, likewise.
    pub(super) index: TestTable,
    /// A table with keys, likewise, whose columns stand in two of them: catalogues have them once for each.
    pub(super) keys: TestTable,
    /// How the statement that makes a table writes its name.
    pub(super) written: Written,
}

/// How a name is written in a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// In quotes: the catalogue has it as it is.
    Quoted,
    /// Without quotes, or changed: the catalogue may have it in another case.
    Bare,
}

/// What stands beside the table that the connector names. The names have capitals, so that case counts, say whose they
/// are in some place, and are short enough for databases that take 30 bytes. The letter that is not in ASCII has no case.
const BESIDE: [&str; 5] = ["Mark", "View", "V ª", "Index", KEYS];
/// Its name begins like those of a system, without being one: `_` stands for any sign where names are taken for patterns.
const KEYS: &str = "Key";

/// The name of something that is made beside the table which functional checks were given.
#[must_use]
pub fn named_beside(table: &str, what: &str) -> String {
    let rest = match table.split_at_checked("bowline_".len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case("bowline_") && !rest.is_empty() => rest,
        _ => table,
    };
    let start = if what == KEYS { "pgBowline" } else { "Bowline" };
    format!("{start}_{what}_{rest}")
}

/// Whether functional checks that were given this table make something of that name.
#[must_use]
pub fn is_test_object(table: &str, name: &str) -> bool {
    let is_beside = |what: &&str| named_beside(table, what).eq_ignore_ascii_case(name);
    name.eq_ignore_ascii_case(table) || BESIDE.iter().any(is_beside)
}

impl TestTables {
    pub(super) fn beside(changed: TestTable) -> Self {
        let [kept, view, other_view, index, keys] = BESIDE.map(|what| TestTable {
            table: named_beside(&changed.table, what),
            ..changed.clone()
        });
        Self {
            changed,
            kept,
            view,
            other_view,
            index,
            keys,
            written: Written::Quoted,
        }
    }

    /// The same, with how the connector's own statement writes their names.
    pub(super) fn written_by(self, with: &impl Renders) -> Self {
        let table = &self.kept.table;
        let sql = with.render("create_test_table", self.kept.variables());
        let written = if sql.is_ok_and(|sql| is_quoted(&sql, table)) {
            Written::Quoted
        } else {
            Written::Bare
        };
        Self { written, ..self }
    }

    /// The same, under the names that the catalogue has for database and schema.
    pub(super) fn found_in(&self, database: &str, schema: &str) -> Self {
        let written = self.written;
        let changed = TestTable {
            database: database.to_owned(),
            schema: schema.to_owned(),
            table: self.changed.table.clone(),
            listed: None,
        };
        Self {
            written,
            ..Self::beside(changed)
        }
    }

    /// The same, under the names that these give for them in the catalogue.
    pub(super) fn listed_as(self, name: impl Fn(&TestTable) -> Option<String>) -> Self {
        let listed = |table: TestTable| TestTable {
            listed: name(&table),
            ..table
        };
        Self {
            changed: listed(self.changed),
            kept: listed(self.kept),
            view: listed(self.view),
            other_view: listed(self.other_view),
            index: listed(self.index),
            keys: listed(self.keys),
            written: self.written,
        }
    }

    /// What the catalogue lists: the tables, and the view where there is one.
    pub(super) fn listed(&self) -> [&TestTable; 3] {
        [&self.changed, &self.kept, &self.view]
    }

    /// Asks for the rows of these in the catalogue.
    pub(super) fn ask_rows(
        &self,
        asking: &mut Asking<'_>,
        objects: &[&TestTable],
    ) -> Result<Arc<ResultSet>, Halt> {
        asking.query("get_tables_query", self.row_variables(objects))
    }

    /// What asks for their rows.
    pub(super) fn row_variables(
        &self,
        objects: &[&TestTable],
    ) -> Vec<(&'static str, TemplateValue)> {
        let mut names: Vec<String> = objects.iter().map(|each| each.name().to_owned()).collect();
        if self.written == Written::Bare {
            for fold in [str::to_lowercase, str::to_uppercase] {
                names.extend(objects.iter().map(|object| fold(&object.table)));
            }
            let mut seen = BTreeSet::new();
            names.retain(|name| seen.insert(name.clone()));
        }
        let names = quoted_list(names.iter().map(String::as_str));
        let schema = std::slice::from_ref(&self.changed.schema);
        tables_variables(&self.changed.database, schema, Some(names), ALL)
    }
}

/// Whether a statement writes a table's name in quotes, alone or with what it stands in.
fn is_quoted(sql: &str, table: &str) -> bool {
    tokens(sql).iter().any(|token| {
        let bare = token.text.trim_matches(['"', '`', '[', ']', '\'']);
        let before = bare.strip_suffix(table);
        token.text != table && before.is_some_and(|path| path.is_empty() || path.ends_with('.'))
    })
}

impl TestTable {
    pub(super) fn variables(&self) -> Vec<(&'static str, TemplateValue)> {
        vec![
            ("database", text(&self.database)),
            ("schema", text(&self.schema)),
            ("table", text(&self.table)),
        ]
    }

    /// As a statement names it.
    pub(super) fn identifier(&self, with: &impl Renders) -> Result<String, Halt> {
        with.render("get_table_identifier", self.variables())
    }

    /// A query of none of its rows.
    pub(super) fn no_rows(&self, with: &impl Renders) -> Result<String, Halt> {
        let identifier = self.identifier(with)?;
        Ok(format!("SELECT * FROM {identifier} WHERE {NO_ROW}"))
    }

    /// The columns that selecting from it gives, where it can be selected from.
    pub(super) fn columns(
        &self,
        asking: &mut Asking<'_>,
    ) -> Result<Result<Vec<Column>, SqlError>, Halt> {
        let sql = self.no_rows(asking)?;
        let result = asking.try_run(None, &sql)?;
        Ok(result.map(|result| result.columns.clone()))
    }

    /// Its name in the catalogue, as far as that is known.
    fn name(&self) -> &str {
        self.listed.as_deref().unwrap_or(&self.table)
    }

    /// Its id, as the contract joins it.
    pub(super) fn id(&self) -> String {
        full_table_id(&self.database, &self.schema, self.name())
    }

    /// Its row among those of the catalogue; some databases fold the case of a name that a template does not quote.
    pub(super) fn row<'t>(&self, rows: &'t [Table]) -> Option<&'t Table> {
        rows.iter()
            .find(|row| row.name.eq_ignore_ascii_case(&self.table))
    }

    pub(super) fn missing<T>(&self) -> Seen<T> {
        Seen::Otherwise {
            expected: format!("a table `{}`", self.table),
            got: "none".to_owned(),
        }
    }
}

/// The catalogue's rows of the two tables, and of the view where there is one.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) changed: Table,
    pub(super) kept: Table,
    pub(super) view: Option<Table>,
}

impl TestTables {
    /// The rows of both tables in what was asked last.
    pub(super) fn read(&self, answers: &Answers) -> Judged<Seen<Rows>> {
        let rows = answers.read(read_tables)?;
        Ok(match (self.changed.row(&rows), self.kept.row(&rows)) {
            (Some(changed), Some(kept)) => Seen::AsExpected(Rows {
                changed: changed.clone(),
                kept: kept.clone(),
                view: self.view.row(&rows).cloned(),
            }),
            (None, _) => self.changed.missing(),
            (_, None) => self.kept.missing(),
        })
    }

    /// Runs a check that watches both rows until they are as expected; `again` is done once, before the third look.
    pub(super) fn watch(
        &self,
        chain: &mut Chain<'_>,
        (spec, patience): (&Spec, Duration),
        again: impl Fn(&mut Asking<'_>) -> Result<(), Halt>,
        compare: impl Fn(&Rows) -> Judged<Seen<()>>,
    ) -> Option<Rows> {
        let look = |asking: &mut Asking<'_>, round| {
            if round == 2 {
                again(asking)?;
            }
            self.ask_rows(asking, &self.listed()).map(drop)
        };
        let read = |answers: &Answers| {
            Ok(match self.read(answers)? {
                Seen::AsExpected(rows) => match compare(&rows)? {
                    Seen::AsExpected(()) => Seen::AsExpected(rows),
                    Seen::Otherwise { expected, got } => Seen::Otherwise { expected, got },
                },
                otherwise => otherwise,
            })
        };
        chain.watch(spec, patience, |_| Ok(()), look, read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beside_a_table_differ_from_it_whatever_the_case() {
        for table in [
            "bowline_functional_check",
            "BOWLINE_CHECK",
            "bowline_",
            "scratch",
        ] {
            let made = TestTables::beside(TestTable {
                database: String::new(),
                schema: String::new(),
                table: table.to_owned(),
                listed: None,
            });
            for name in BESIDE.map(|what| named_beside(table, what)) {
                assert!(!name.eq_ignore_ascii_case(table), "{name}");
                assert!(is_test_object(table, &name.to_uppercase()));
            }
            assert!(made.kept.table.len() <= 30, "{}", made.kept.table);
        }
        assert!(!is_test_object("scratch", "scratch_2"));
    }

    #[test]
    fn a_name_may_be_quoted_with_its_path() {
        for (sql, expected) in [
            ("CREATE TABLE \"s\".\"Bowline_Mark_x\" (id INT)", true),
            ("CREATE TABLE `p.s.Bowline_Mark_x` (id INT)", true),
            ("CREATE TABLE [Bowline_Mark_x] (id INT)", true),
            ("CREATE TABLE s.Bowline_Mark_x (id INT)", false),
            ("CREATE TABLE `p.s.My_Bowline_Mark_x` (id INT)", false),
        ] {
            assert_eq!(is_quoted(sql, "Bowline_Mark_x"), expected, "{sql}");
        }
    }
}
