//! Results of SQL as people and programs read them.

use bowline_driver::{ResultSet, Value};
use bowline_words::visible;
use comfy_table::{CellAlignment, Table, presets};
use textwrap::core::display_width;

use crate::error::CliError;

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RowFormat {
    /// A table for people; control characters are spelt out
    Table,
    /// CSV with a header; NULL is an empty field, and empty text is `""`
    Csv,
    /// A JSON array with an object for each row
    Json,
}

/// The widest a cell of a table gets, in characters.
const CELL: usize = 80;

/// Writes a result in a format. A table that is wider than the terminal, where there is one, comes row by row.
pub(crate) fn write(
    result: &ResultSet,
    format: RowFormat,
    terminal: Option<usize>,
) -> Result<String, CliError> {
    match format {
        RowFormat::Table => {
            let table = table(result);
            let width = table.lines().next().map_or(0, display_width);
            Ok(match terminal {
                Some(terminal) if width > terminal && !result.rows.is_empty() => by_row(result),
                _ => table,
            })
        }
        RowFormat::Csv => Ok(csv(result)),
        RowFormat::Json => json(result),
    }
}

fn table(result: &ResultSet) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(result.columns.iter().map(|column| cell(&column.name)));
    for row in &result.rows {
        table.add_row(row.iter().map(|value| cell(&value.to_string())));
    }
    for (position, _) in result.columns.iter().enumerate() {
        let mut present = result
            .rows
            .iter()
            .filter_map(|row| row.get(position))
            .filter(|value| !value.is_null())
            .peekable();
        if present.peek().is_some()
            && present.all(is_number)
            && let Some(column) = table.column_mut(position)
        {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{table}\n")
}

/// Every value on a line of its own, behind its column's name.
fn by_row(result: &ResultSet) -> String {
    let names: Vec<String> = result
        .columns
        .iter()
        .map(|column| cell(&column.name))
        .collect();
    let widest = names.iter().map(|name| display_width(name)).max();
    let mut text = String::new();
    for (number, row) in (1..).zip(&result.rows) {
        if number > 1 {
            text.push('\n');
        }
        text.push_str(&format!("row {number}\n"));
        for (name, value) in names.iter().zip(row) {
            let gap = widest.unwrap_or_default() - display_width(name);
            let value = cell(&value.to_string());
            text.push_str(&format!("  {name}{}  {value}\n", " ".repeat(gap)));
        }
    }
    text
}

fn is_number(value: &Value) -> bool {
    matches!(
        value,
        Value::Integer(_) | Value::Float(_) | Value::Decimal(_)
    )
}

fn cell(text: &str) -> String {
    let shown = visible(text).replace('\n', "\\n").replace('\t', "\\t");
    if shown.chars().count() <= CELL {
        return shown;
    }
    let mut cut: String = shown.chars().take(CELL - 1).collect();
    cut.push('…');
    cut
}

/// NULL and empty text must not look alike, which the `csv` crate's writer cannot say field by field.
fn csv(result: &ResultSet) -> String {
    let mut text = String::new();
    let header: Vec<String> = result
        .columns
        .iter()
        .map(|column| quoted(&column.name))
        .collect();
    line(&mut text, &header);
    for row in &result.rows {
        let fields: Vec<String> = row
            .iter()
            .map(|value| match value {
                Value::Null => String::new(),
                value => quoted(&value.to_string()),
            })
            .collect();
        line(&mut text, &fields);
    }
    text
}

fn line(text: &mut String, fields: &[String]) {
    text.push_str(&fields.join(","));
    text.push_str("\r\n");
}

fn quoted(field: &str) -> String {
    let plain = !field.is_empty()
        && !field.contains([',', '"', '\r', '\n'])
        && !field.starts_with(' ')
        && !field.ends_with(' ');
    if plain {
        field.to_owned()
    } else {
        format!("\"{}\"", field.replace('"', "\"\""))
    }
}

fn json(result: &ResultSet) -> Result<String, CliError> {
    let names = distinct(result.columns.iter().map(|column| column.name.as_str()));
    let rows: Vec<serde_json::Map<String, serde_json::Value>> = result
        .rows
        .iter()
        .map(|row| {
            names
                .iter()
                .cloned()
                .zip(row.iter().map(Value::to_json))
                .collect()
        })
        .collect();
    serde_json::to_string_pretty(&rows)
        .map(|text| text + "\n")
        .map_err(|error| CliError::Internal(format!("the rows cannot be written as JSON: {error}")))
}

/// Two columns may have one name, two keys of an object may not: later ones get a number.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken: Vec<String> = Vec::new();
    for name in names {
        let mut candidate = name.to_owned();
        let mut number = 2;
        while taken.contains(&candidate) {
            candidate = format!("{name}_{number}");
            number += 1;
        }
        taken.push(candidate);
    }
    taken
}

#[cfg(test)]
mod tests {
    use bowline_driver::Column;

    use super::*;

    fn result() -> ResultSet {
        let column = |name: &str| Column {
            name: name.to_owned(),
            type_name: String::new(),
        };
        ResultSet {
            columns: vec![column("id"), column("a,b"), column("id")],
            rows: vec![
                vec![Value::Integer(7), Value::Text(String::new()), Value::Null],
                vec![
                    Value::Integer(10),
                    Value::Text("say \"hi\"\n\u{1b}[1m".to_owned()),
                    Value::Boolean(true),
                ],
            ],
            ..ResultSet::default()
        }
    }

    #[test]
    fn csv_tells_null_from_empty() {
        assert_eq!(
            csv(&result()),
            "id,\"a,b\",id\r\n7,\"\",\r\n10,\"say \"\"hi\"\"\n\u{1b}[1m\",true\r\n"
        );
    }

    #[test]
    fn json_keeps_every_column() {
        let rows: serde_json::Value = serde_json::from_str(&json(&result()).unwrap()).unwrap();
        assert_eq!(
            rows[0],
            serde_json::json!({"id": 7, "a,b": "", "id_2": null})
        );
    }

    #[test]
    fn a_table_cannot_steer_the_terminal() {
        let table = table(&result());
        assert!(table.contains("say \"hi\"\\n\\u{1b}[1m"), "{table}");
        assert!(
            table.contains("│ 7  ┆") || table.contains("│  7 ┆"),
            "{table}"
        );
    }

    #[test]
    fn what_is_too_wide_for_the_terminal_comes_row_by_row() {
        let wide = |terminal| write(&result(), RowFormat::Table, terminal).unwrap();
        assert_eq!(wide(None), table(&result()));
        assert_eq!(wide(Some(200)), table(&result()));
        assert_eq!(
            wide(Some(20)),
            "row 1\n  id   7\n  a,b  \n  id   NULL\n\nrow 2\n  id   10\n  a,b  say \"hi\"\\n\\u{1b}[1m\n  id   true\n"
        );
    }

    #[test]
    fn long_cells_are_cut() {
        assert_eq!(cell(&"x".repeat(200)).chars().count(), CELL);
    }
}
