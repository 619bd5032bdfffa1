//! Opens a SQLite database, runs a statement and prints its values: as people read them, and as JSON.
//!
//! `cargo run -p bowline-driver --example sqlite [FILE [SQL]]`
#![expect(clippy::print_stdout, reason = "an example shows what it finds")]

use bowline_driver::{DriverKind, DriverSpec, Limits, SqlError, open};

const STATEMENT: &str = "SELECT 1 AS n, 2.5 AS x, 'Ada' AS name, x'00ff' AS bytes, NULL AS nothing";

fn main() -> Result<(), SqlError> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or(":memory:".to_owned());
    let statement = arguments.next().unwrap_or(STATEMENT.to_owned());

    let mut spec = DriverSpec::new(DriverKind::Sqlite);
    spec.options.insert("path".to_owned(), path);
    let database = open(&spec)?;
    let mut connection = database.connect()?;
    println!("{}", database.product());

    let result = connection.run(&statement, &Limits::default())?;
    for (number, row) in (1..).zip(&result.rows) {
        println!("row {number}");
        for (column, value) in result.columns.iter().zip(row) {
            println!("  {} = {value} (JSON: {})", column.name, value.to_json());
        }
    }
    Ok(())
}
