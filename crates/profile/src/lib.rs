//! Metrics of a table, computed with a connector's templates as the platform would compute them.
//!
//! ```
//! use std::sync::Arc;
//!
//! use bowline_contract::Metric;
//! use bowline_driver::{DriverKind, DriverSpec, Limits, Value, open};
//! use bowline_profile::{Costs, Outcome, Request, profile};
//! use bowline_warehouse::dialect::Pack;
//!
//! let mut spec = DriverSpec::new(DriverKind::Sqlite);
//! spec.options.insert("path".to_owned(), ":memory:".to_owned());
//! let database = open(&spec)?;
//! let mut connection = database.connect()?;
//! connection.run("CREATE TABLE prices AS SELECT 0 AS price UNION ALL SELECT 3", &Limits::default())?;
//!
//! let request = Request {
//!     table: "prices".to_owned(),
//!     metrics: vec![Metric::find("zero_rate").unwrap()],
//!     ..Request::default()
//! };
//! let templates = Arc::new(Pack::find("sqlite").unwrap().templates());
//! let mut costs = Costs::new();
//! let another = || database.connect();
//! let found = profile(templates, &mut *connection, &another, &request, &mut costs, &mut |_| ())?;
//! assert_eq!(found.rows(), 2);
//! assert_eq!(found.columns[0].name, "price");
//! assert_eq!(found.slices[0].outcomes[0][0], Outcome::Value(Value::Float(0.5)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod columns;
mod compute;
mod plan;
mod request;
mod statement;
mod unit;

pub use columns::kind_of;
pub use compute::{Another, plan, profile};
pub use plan::{Cost, Costs, Family, MOST_KEPT, Plan, Step, Way};
pub use request::{
    Bucket, Buckets, Estimates, Outcome, Profile, ProfileError, ProfiledColumn, Progress, Refused,
    Request, Slice,
};
