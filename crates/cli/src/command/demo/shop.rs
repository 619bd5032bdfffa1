//! The demo's database: a small shop with NULLs and with names that need care, alike on every engine.

use std::fmt::Write as _;

/// Tables, a view, and the rows that are written out.
const TABLES: &str = include_str!("shop.sql");

const CUSTOMERS: usize = 40;
const ORDERS: usize = 300;

const NAMES: [&str; 8] = [
    "Ada", "Bo", "Chloé", "Dmitri", "Eun-ji", "Fátima", "Grace", "O''Neil",
];
const COUNTRIES: [&str; 5] = ["NL", "DE", "BR", "KR", "KE"];
const PRODUCTS: [(&str, &str, &str); 8] = [
    ("Hemp rope, 10 m", "18.50", "1.2"),
    ("Marlinspike", "24.00", "0.3"),
    ("Sail needle", "3.20", "0.01"),
    ("Brass shackle", "7.75", "0.15"),
    ("Fender", "32.00", "2.4"),
    ("Knot board, framed", "89.90", "3.1"),
    ("Signal flags", "45.00", "0.8"),
    ("Gift wrap", "0.00", "NULL"),
];

/// The statements that make the shop, in order.
pub(super) fn statements() -> Vec<String> {
    let tables = TABLES
        .split(";\n")
        .map(str::trim)
        .filter(|statement| !statement.is_empty());
    tables
        .map(str::to_owned)
        .chain([customers(), products(), orders(), order_items()])
        .collect()
}

/// How many tables the shop has.
pub(super) fn tables() -> usize {
    TABLES.matches("CREATE TABLE").count()
}

/// How many rows the shop has in all.
pub(super) fn rows() -> usize {
    CUSTOMERS + PRODUCTS.len() + ORDERS + items().count() + 3 + 2 + 3
}

fn customers() -> String {
    insert(
        "customers",
        (1..=CUSTOMERS).map(|id| {
            let name = NAMES[id % NAMES.len()];
            let email = match id % 7 {
                0 => "NULL".to_owned(),
                _ => format!("'customer{id}@example.com'"),
            };
            let country = match id % 9 {
                0 => "NULL".to_owned(),
                _ => format!("'{}'", COUNTRIES[id % COUNTRIES.len()]),
            };
            let newsletter = ["TRUE", "FALSE", "NULL"][id % 3];
            format!(
                "{id}, '{name} {id}', {email}, {country}, '2024-{:02}-{:02}', {newsletter}",
                id % 12 + 1,
                id % 28 + 1
            )
        }),
    )
}

fn products() -> String {
    insert(
        "products",
        PRODUCTS
            .iter()
            .enumerate()
            .map(|(position, (title, price, weight))| {
                format!("{}, '{title}', {price}, {weight}", position + 1)
            }),
    )
}

fn orders() -> String {
    insert(
        "orders",
        (1..=ORDERS).map(|id| {
            let (month, day, hour) = (id % 12 + 1, id % 28 + 1, id % 24);
            let shipped = match id % 5 {
                0 => "NULL".to_owned(),
                _ => format!("'2025-{month:02}-{day:02} 23:30:00'"),
            };
            let note = match id % 11 {
                0 => "'please wrap it: it''s a gift 🎁'",
                5 => "''",
                _ => "NULL",
            };
            format!(
                "{id}, {}, '2025-{month:02}-{day:02} {hour:02}:15:00', {shipped}, {note}",
                id % CUSTOMERS + 1
            )
        }),
    )
}

fn order_items() -> String {
    insert(
        "order_items",
        items().map(|(order, line)| {
            let product = (order * 3 + line * 5) % PRODUCTS.len() + 1;
            let discount = match (order + line) % 4 {
                0 => "0.10",
                1 => "0.00",
                _ => "NULL",
            };
            format!("{order}, {product}, {}, {discount}", (order + line) % 6 + 1)
        }),
    )
}

/// Every order has one to three lines.
fn items() -> impl Iterator<Item = (usize, usize)> {
    (1..=ORDERS).flat_map(|order| (0..=order % 3).map(move |line| (order, line)))
}

fn insert(table: &str, rows: impl Iterator<Item = String>) -> String {
    let mut sql = format!("INSERT INTO {table} VALUES");
    for (position, row) in rows.enumerate() {
        let comma = if position > 0 { "," } else { "" };
        let _ = write!(sql, "{comma}\n({row})");
    }
    sql
}

#[cfg(test)]
mod tests {
    use bowline_driver::{DriverKind, DriverSpec, Limits, Value, open};

    use super::*;

    #[test]
    fn the_shop_can_be_made_and_has_the_rows_it_says() {
        let mut spec = DriverSpec::new(DriverKind::Sqlite);
        spec.options
            .insert("path".to_owned(), ":memory:".to_owned());
        let database = open(&spec).unwrap();
        let mut connection = database.connect().unwrap();
        for statement in statements() {
            connection.run(&statement, &Limits::default()).unwrap();
        }
        let tables = [
            "customers",
            "products",
            "orders",
            "order_items",
            "\"Gift Cards\"",
            "\"archive.2023\"",
            "\"отзывы 🪢\"",
        ];
        let counts: Vec<String> = tables
            .iter()
            .map(|table| format!("(SELECT COUNT(*) FROM {table})"))
            .collect();
        let sql = format!("SELECT {}", counts.join(" + "));
        let total = connection.run(&sql, &Limits::default()).unwrap();
        let rows = i128::try_from(rows()).unwrap();
        assert_eq!(total.scalar(), Some(&Value::Integer(rows)));
    }
}
