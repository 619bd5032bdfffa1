//! What a listing of tables must be like whatever it lists.

use std::collections::BTreeSet;

use bowline_contract::Capability;
use bowline_driver::ResultSet;

use super::tables::{ALL, Table, all_names, read_tables};
use crate::warehouse::chain::{Chain, Spec};
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::query_logs::is_by_measures;
use crate::warehouse::tokens::{Order, Term, is_uncut, order, tokens, view_query};

pub(crate) const WELL_FORMED: Spec = Spec::new(
    "tables_as_asked",
    "tables come once each, of the database and schemas asked for, views with a query",
    &["get_tables_query"],
    &[Capability::Metadata],
)
.strict();
pub(crate) const ORDERED: Spec = Spec::new(
    "tables_in_order",
    "the order of tables leaves no two of them open, so that pages hold",
    &["get_tables_query"],
    &[Capability::Metadata],
)
.strict();

/// Schemas that belong to a system, wherever they are found.
const SYSTEM: [&str; 7] = [
    "information_schema",
    "pg_catalog",
    "pg_toast",
    "performance_schema",
    "mysql",
    "sys",
    "system",
];

/// The names that catalogues have for what a listing tells under another.
const ELSEWHERE: [(&str, &str); 2] = [
    (
        "schema_name",
        "schemaname nspname table_schema schema relnamespace owner",
    ),
    ("table_name", "relname tablename tabname"),
];

/// What orders and never tells two tables of a schema apart, under the names that catalogues have for it.
const SHARED: &str =
    "database_name datname table_catalog catalog_name table_type relkind type engine view_query";

/// Says that schemas of the system are among those listed.
pub(super) fn advise_on_system(chain: &mut Chain<'_>, spec: &Spec) {
    let names = chain
        .last_result(spec)
        .and_then(|result| all_names(result).ok());
    let is_system = |name: &String| SYSTEM.contains(&name.to_lowercase().as_str());
    let names: Vec<String> = names
        .unwrap_or_default()
        .into_iter()
        .filter(is_system)
        .collect();
    if !names.is_empty() {
        let words = format!(
            "get_schemas_query lists schemas of the system ({}): their tables will be collected and monitored",
            names.join(", ")
        );
        chain.advise(spec, words);
    }
}

/// Judges the listing that the check of tables gave.
pub(super) fn prove(
    chain: &mut Chain<'_>,
    (database, schemas): (&str, &[String]),
    tables: &[Table],
) {
    let step = chain.last_step(&super::TABLES);
    let sql = step
        .first()
        .map(|step| step.sql.clone())
        .unwrap_or_default();
    let evidence = step.clone();
    chain.check(
        &WELL_FORMED,
        |asking| {
            asking.recall(step);
            Ok(())
        },
        |_| are_as_asked(tables, database, schemas),
    );
    chain.check(
        &ORDERED,
        |asking| {
            asking.recall(evidence);
            Ok(())
        },
        |answers| answers.read(|result| is_ordered(&sql, result)),
    );
}

fn are_as_asked(tables: &[Table], database: &str, schemas: &[String]) -> Judged<()> {
    let mut seen = BTreeSet::new();
    for table in tables {
        let Table { name, schema, .. } = table;
        if table.database != database {
            return Err(wrong(
                format!("`{database}` as database_name"),
                format!("`{}` for `{name}`", table.database),
            ));
        }
        if !schemas.contains(schema) {
            return Err(wrong(
                format!("tables of the schemas {}", schemas.join(", ")),
                format!("`{name}` of `{schema}`"),
            ));
        }
        if !seen.insert((schema, name)) {
            return Err(wrong(
                "each table once",
                format!("`{name}` of `{schema}` again"),
            ));
        }
        let definition = table.view_query.as_deref().unwrap_or_default();
        if !definition.trim().is_empty() && view_query(definition).is_none() {
            return Err(wrong(
                "the query of a view as view_query",
                format!("`{definition}` for `{name}`"),
            ));
        }
    }
    Ok(())
}

fn is_among(names: &str, name: &str) -> bool {
    names.split(' ').any(|each| each.eq_ignore_ascii_case(name))
}

/// The column that tells what is ordered by.
fn place_of(result: &ResultSet, name: &str) -> Option<usize> {
    let named = |name: &str| {
        let mut columns = result.columns.iter();
        columns.position(|column| column.name.eq_ignore_ascii_case(name))
    };
    let elsewhere = || {
        let mut known = ELSEWHERE.iter();
        known.find(|(_, names)| is_among(names, name))
    };
    named(name).or_else(|| named(elsewhere()?.0))
}

/// Judges a statement's order by the rows it gave.
fn is_ordered(sql: &str, result: &ResultSet) -> Judged<()> {
    let tokens = tokens(sql);
    is_uncut(&tokens, ALL.limit)?;
    let is_query = tokens
        .first()
        .is_some_and(|first| first.is_word("SELECT") || first.is_word("WITH"));
    let terms = match order(&tokens) {
        Order::Nothing if is_query => {
            return Err(wrong(
                "pages in an order",
                "a statement that orders nothing",
            ));
        }
        Order::By(terms) => terms,
        Order::Nothing | Order::Untold => return Ok(()),
    };
    if is_by_measures(&tokens, &terms) {
        let got = "a statement that orders by measures of tables alone";
        return Err(wrong("pages in an order", got));
    }
    let mut places = Vec::new();
    for term in &terms {
        let place = match term {
            Term::Place(place) => place.checked_sub(1),
            Term::Name(name) => place_of(result, name),
        };
        match (place, term) {
            (Some(place), _) => places.push(place),
            (None, Term::Name(name)) if is_among(SHARED, name) => {}
            // What it is only the database knows.
            (None, _) => return Ok(()),
        }
    }
    let tables = read_tables(result)?;
    let mut seen: Vec<(Vec<_>, &Table)> = Vec::new();
    for (row, table) in result.rows.iter().zip(&tables) {
        let key: Vec<_> = places.iter().filter_map(|place| row.get(*place)).collect();
        match seen.last() {
            // In their order, rows that are alike stand side by side.
            Some((before, other)) if *before == key => {
                return Err(wrong(
                    "an order that tells any two tables apart",
                    format!(
                        "one in which `{}` and `{}` are alike",
                        other.name, table.name
                    ),
                ));
            }
            _ => seen.push((key, table)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_known_by_the_names_that_catalogues_have() {
        let column = |name: &str| bowline_driver::Column {
            name: name.to_owned(),
            type_name: String::new(),
        };
        let names = ["database_name", "schema_name", "table_name", "table_type"];
        let row = |[schema, table]: [&str; 2]| {
            vec!["d".into(), schema.into(), table.into(), "table".into()]
        };
        let judge = |by: &str, rows: [[&str; 2]; 2]| {
            let result = ResultSet {
                columns: names.map(column).into(),
                rows: rows.map(row).into(),
                ..ResultSet::default()
            };
            is_ordered(
                &format!("SELECT * FROM c ORDER BY {by} LIMIT 5000"),
                &result,
            )
        };
        let twins = [["a", "t"], ["b", "t"]];
        assert!(judge("c.relname", twins).is_err());
        assert!(judge("tablename, n.nspname", twins).is_ok());
        // The one schema ends with the name that the other begins with.
        assert!(judge("relnamespace, relname", twins).is_ok());
        assert!(judge("n.nspname", [["a", "s"], ["a", "t"]]).is_err());
        assert!(judge("c.oid", twins).is_ok());
    }
}
