//! Looking again until what is expected shows: databases tell of a change when they get to it.

use std::time::{Duration, Instant};

use super::Place;
use crate::CheckInfo;
use crate::warehouse::chain::{Asked, Chain, quoted_list};
use crate::warehouse::finding::wrong;
use crate::warehouse::metadata::{
    Request, Table, columns_variables, read_columns, read_tables, tables_variables,
};

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// What a look at the database showed.
pub(super) enum Seen<T> {
    AsExpected(T),
    Otherwise { expected: String, got: String },
}

/// Looks again and again until it sees what is expected or the patience runs out.
pub(super) fn poll<T>(
    chain: &mut Chain<'_>,
    patience: Duration,
    mut look: impl FnMut(&mut Chain<'_>) -> Asked<Seen<T>>,
) -> Asked<T> {
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        match look(chain)? {
            Seen::AsExpected(value) => return Ok(value),
            Seen::Otherwise { expected, got } if started.elapsed() >= patience => {
                return Err(wrong(
                    format!("{expected}, within {} s", patience.as_secs()),
                    got,
                ));
            }
            Seen::Otherwise { .. } => {
                std::thread::sleep(pause.min(patience.saturating_sub(started.elapsed())));
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Polls the test table's row in metadata, beginning with a row that was seen just before.
pub(super) fn watch(
    chain: &mut Chain<'_>,
    info: &CheckInfo,
    place: &Place,
    patience: Duration,
    mut seen: Option<Table>,
    mut judge: impl FnMut(&mut Chain<'_>, &Table) -> Asked<Seen<()>>,
) -> Asked<()> {
    poll(chain, patience, |chain| {
        let found = match seen.take() {
            Some(table) => Some(table),
            None => find_table(chain, info, place)?,
        };
        match found {
            Some(table) => judge(chain, &table),
            None => Ok(Seen::Otherwise {
                expected: format!("a table `{}`", place.table),
                got: "none".to_owned(),
            }),
        }
    })
}

/// Polls the names of the test table's columns.
pub(super) fn watch_columns(
    chain: &mut Chain<'_>,
    info: &CheckInfo,
    place: &Place,
    patience: Duration,
    mut judge: impl FnMut(&[String]) -> Seen<()>,
) -> Asked<()> {
    let id = place.id();
    poll(chain, patience, |chain| {
        let variables = columns_variables(
            &place.database,
            std::iter::once(id.as_str()),
            std::iter::once(place.schema.as_str()),
        );
        let result = chain.query(info, "get_columns_query", variables)?;
        let names: Vec<String> = read_columns(&result)?
            .into_iter()
            .map(|(_, column)| column)
            .collect();
        Ok(judge(&names))
    })
}

pub(super) fn find_table(
    chain: &mut Chain<'_>,
    info: &CheckInfo,
    place: &Place,
) -> Asked<Option<Table>> {
    let names = quoted_list(std::iter::once(place.table.as_str()));
    let variables = tables_variables(
        &place.database,
        std::slice::from_ref(&place.schema),
        Some(names),
        Request::ALL,
    );
    let result = chain.query(info, "get_tables_query", variables)?;
    // Some databases fold the case of a name that a template does not quote.
    Ok(read_tables(&result)?
        .into_iter()
        .find(|table| table.name.eq_ignore_ascii_case(&place.table)))
}
