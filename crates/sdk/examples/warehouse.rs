//! A connector for a database that is a table in memory, and for as much SQL as its templates need.
//!
//! ```toml
//! # connector.toml
//! version = 1
//! [driver]
//! kind = "process"
//! command = ["cargo", "run", "--quiet", "-p", "bowline-sdk", "--example", "warehouse"]
//! ```

use std::process::ExitCode;

use bowline_sdk::{
    Answer, Credentials, Error, ErrorKind, Value, Warehouse, WarehouseSession, warehouse,
};

/// The table: orders, each with what it costs.
const ORDERS: [(i128, Option<&str>); 3] = [(1, Some("12.50")), (2, None), (3, Some("0.99"))];

struct Shop;

/// A login. This database lets everybody in who says a name.
struct Session {
    user: String,
}

impl Warehouse for Shop {
    type Session = Session;

    fn name(&self) -> &str {
        "shop"
    }

    fn connect(&self, credentials: &Credentials) -> Result<Session, Error> {
        let user = credentials.text("user")?.to_owned();
        if user.is_empty() {
            return Err(Error::new(ErrorKind::Permission, "nobody may not log in"));
        }
        Ok(Session { user })
    }

    fn templates(&self) -> Vec<(String, String)> {
        let templates = [
            ("get_count_all_expression_template", "COUNT(*)"),
            ("get_avg_function_template", "AVG({x})"),
        ];
        templates
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into()
    }
}

impl WarehouseSession for Session {
    fn product(&self) -> Option<String> {
        Some("Shop 1".to_owned())
    }

    fn query(&mut self, sql: &str, answer: &mut Answer) -> Result<(), Error> {
        match sql.trim().trim_end_matches(';') {
            "SELECT 1 AS test_col" => {
                answer.column("test_col", "integer");
                answer.row(&[Value::Integer(1)])
            }
            "SELECT CURRENT_USER" => {
                answer.column("current_user", "text");
                answer.row(&[Value::Text(self.user.clone())])
            }
            "SELECT COUNT(*) FROM orders" => {
                answer.column("count", "integer");
                answer.row(&[Value::Integer(ORDERS.len() as i128)])
            }
            "SELECT * FROM orders" => {
                answer.column("id", "integer");
                answer.column("total", "decimal");
                ORDERS.iter().try_for_each(|(id, total)| {
                    let total =
                        total.map_or(Value::Null, |digits| Value::Decimal(digits.to_owned()));
                    answer.row(&[Value::Integer(*id), total])
                })
            }
            other => Err(Error::new(
                ErrorKind::Syntax,
                format!("this is not understood: {other}"),
            )),
        }
    }
}

fn main() -> ExitCode {
    warehouse::serve(Shop)
}
