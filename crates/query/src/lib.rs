//! SQL out of templates: statements for a connector's database, written with the connector's own spellings.
//!
//! A [`Composer`] renders templates and puts the pieces together: literals, rows, a SELECT over them. [`Expressions`]
//! is the language over it, in which every template is a function. Both remember which templates a statement was
//! written with. Nothing here runs a statement or reads the time.
//!
//! ```
//! use std::sync::Arc;
//!
//! use bowline_warehouse::dialect::Pack;
//! use bowline_query::{Clock, Composer, Expressions, Literal, Rows};
//!
//! let sqlite = Pack::find("sqlite").unwrap();
//! let composer = Composer::new(Arc::new(sqlite.templates()));
//! let now = "2026-01-31T12:00:00Z".parse()?;
//! let expressions = Expressions::new(composer.clone(), Clock::at(now));
//!
//! let rows = Rows {
//!     columns: vec!["val".to_owned()],
//!     values: vec![vec![Literal::Number("1".to_owned())], vec![Literal::Null]],
//! };
//! let sql = expressions.render("{{ over_rows(get_avg_function(x='val')) }}", &rows)?;
//! assert!(sql.contains("UNION ALL") && sql.contains("AVG("), "{sql}");
//! assert!(composer.take_used().iter().any(|template| template.short_name() == "get_avg_function"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alphabet;
mod clock;
mod compose;
mod expression;
mod literal;

pub use alphabet::Alphabet;
pub use clock::Clock;
pub use compose::{ComposeError, Composer, SOURCE, read_flag};
pub use expression::{ExpressionError, Expressions};
pub use literal::{Literal, Rows};
