//! The table that functional checks make, and watching it: databases tell of a change when they get to it.

use std::sync::Arc;
use std::time::Duration;

use bowline_driver::ResultSet;
use bowline_template::TemplateValue;

use crate::warehouse::answers::{Answers, Asking, Halt};
use crate::warehouse::chain::{Chain, Seen, Spec, quoted_list, text};
use crate::warehouse::judge::Judged;
use crate::warehouse::metadata::{
    ALL, Table, columns_variables, full_table_id, read_columns, read_tables, tables_variables,
};

/// Where the test table is, with every part known.
#[derive(Debug, Clone)]
pub(super) struct TestTable {
    pub(super) database: String,
    pub(super) schema: String,
    pub(super) table: String,
}

impl TestTable {
    pub(super) fn variables(&self) -> Vec<(&'static str, TemplateValue)> {
        vec![
            ("database", text(&self.database)),
            ("schema", text(&self.schema)),
            ("table", text(&self.table)),
        ]
    }

    /// Asks for its row in metadata.
    pub(super) fn ask_row(&self, asking: &mut Asking<'_>) -> Result<Arc<ResultSet>, Halt> {
        let names = quoted_list(std::iter::once(self.table.as_str()));
        let schema = std::slice::from_ref(&self.schema);
        let variables = tables_variables(&self.database, schema, Some(names), ALL);
        asking.query("get_tables_query", variables)
    }

    /// Its row in a result; some databases fold the case of a name that a template does not quote.
    pub(super) fn row(&self, result: &ResultSet) -> Judged<Option<Table>> {
        let mut tables = read_tables(result)?.into_iter();
        Ok(tables.find(|table| table.name.eq_ignore_ascii_case(&self.table)))
    }

    /// That it is there.
    pub(super) fn is_there(&self, answers: &Answers) -> Judged<Seen<Table>> {
        Ok(match answers.read(|result| self.row(result))? {
            Some(table) => Seen::AsExpected(table),
            None => self.missing(),
        })
    }

    /// That it is not there any more.
    pub(super) fn is_gone(&self, answers: &Answers) -> Judged<Seen<()>> {
        Ok(match answers.read(|result| self.row(result))? {
            None => Seen::AsExpected(()),
            Some(_) => Seen::Otherwise {
                expected: format!("no table `{}`", self.table),
                got: "it is still there".to_owned(),
            },
        })
    }

    fn missing<T>(&self) -> Seen<T> {
        Seen::Otherwise {
            expected: format!("a table `{}`", self.table),
            got: "none".to_owned(),
        }
    }
}

/// How the test table's row is watched.
pub(super) struct RowWatch<'w> {
    pub(super) table: &'w TestTable,
    pub(super) patience: Duration,
    /// The row as it was seen just before: the first look.
    pub(super) seen: Option<Table>,
}

impl RowWatch<'_> {
    /// Runs a check that watches the row. Without a `before` to compare with, nothing is looked at; `again` is done
    /// once, before the second look.
    pub(super) fn check<B>(
        &self,
        chain: &mut Chain<'_>,
        spec: &Spec,
        act: impl FnOnce(&mut Asking<'_>) -> Result<(), Halt>,
        again: impl Fn(&mut Asking<'_>) -> Result<(), Halt>,
        (before, compare): (Judged<B>, impl Fn(&B, &Table) -> Judged<Seen<()>>),
    ) {
        let look = |asking: &mut Asking<'_>, round| {
            if before.is_err() || round == 0 && self.seen.is_some() {
                return Ok(());
            }
            if round == 1 {
                again(asking)?;
                asking.keep();
            }
            self.table.ask_row(asking).map(drop)
        };
        let read = |answers: &Answers| {
            let before = before.as_ref().map_err(Clone::clone)?;
            let found = if answers.round().is_empty() {
                self.seen.clone()
            } else {
                answers.read(|result| self.table.row(result))?
            };
            match found {
                Some(row) => compare(before, &row),
                None => Ok(self.table.missing()),
            }
        };
        chain.watch(spec, self.patience, act, look, read);
    }
}

/// Watches the names of the test table's columns.
pub(super) fn watch_columns(
    chain: &mut Chain<'_>,
    spec: &Spec,
    (table, patience): (&TestTable, Duration),
    act: impl FnOnce(&mut Asking<'_>) -> Result<(), Halt>,
    judge: impl Fn(&[String]) -> Seen<()>,
) -> Option<()> {
    let id = full_table_id(&table.database, &table.schema, &table.table);
    let look = |asking: &mut Asking<'_>, _| {
        let variables = columns_variables(
            &table.database,
            std::iter::once(id.as_str()),
            std::iter::once(table.schema.as_str()),
        );
        asking.query("get_columns_query", variables).map(drop)
    };
    let read = |answers: &Answers| {
        let columns = answers.read(read_columns)?.into_iter();
        let names: Vec<String> = columns.map(|(_, column)| column).collect();
        Ok(judge(&names))
    };
    chain.watch(spec, patience, act, look, read)
}
