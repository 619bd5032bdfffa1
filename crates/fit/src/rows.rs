//! Rows beyond the suite's: what a spelling must answer over values that no check has, worked out here.
//!
//! A false acceptance is the worst that a search can do, and a search seeks out what a suite does not see. What dialects
//! differ in is not asked: on which day weeks begin, what an empty text is, how characters outside of the basic plane
//! count.

use std::collections::HashSet;
use std::sync::Arc;

use bowline_conformance::warehouse::{Trial, spell};
use bowline_contract::Template;
use bowline_driver::Value;
use bowline_query::{Alphabet, Clock, Composer, Expressions, Literal, Rows};
use bowline_warehouse::template::TemplateSet;
use jiff::civil::{DateTime, Time};
use jiff::{Timestamp, Unit};

use crate::known_answers::questions;
use crate::outcome::WrongRow;
use crate::profile::number;

/// What is asked of a spelling over rows of one column `v`, or of two, `v` and `w`.
pub(crate) struct Question {
    pub(crate) rows: Vec<Vec<Literal>>,
    /// Jinja: an expression over `v` and `w`.
    pub(crate) expression: String,
    /// A row's answer each, or one for all.
    pub(crate) expected: Vec<Expect>,
}

/// What a row must answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expect {
    Number(f64),
    /// Either will do.
    Either(f64, f64),
    Text(String),
    Moment(DateTime),
    /// One of these.
    Moments(Vec<DateTime>),
    Null,
}

/// The questions of a fit. Spellings are judged again when others were found, mostly by the same statements: what was
/// answered rightly is not asked again.
pub(crate) struct Asked {
    now: Timestamp,
    /// What was asked, with template and arguments, and the statement that asked it.
    right: HashSet<(String, String)>,
}

impl Asked {
    /// Nothing yet; windows of time are asked about as of the hour of this moment, and of later ones as they come.
    pub(crate) fn at(now: Timestamp) -> Self {
        Self {
            now,
            right: HashSet::new(),
        }
    }

    /// Asks about a spelling over the rows there are for its template; gives how many answers were right.
    pub(crate) fn wrong(
        &mut self,
        trial: &mut Trial,
        set: &Arc<TemplateSet>,
        template: &'static Template,
    ) -> Result<usize, Box<WrongRow>> {
        let (now, hour) = (Timestamp::now(), |at: Timestamp| {
            at.as_second().div_euclid(3600)
        });
        if hour(now) != hour(self.now) {
            self.now = now;
        }
        let clock = Clock::at(self.now);
        let expressions = Expressions::new(Composer::new(Arc::clone(set)), clock);
        let mut right = 0;
        for question in questions(template.short_name(), self.now) {
            let mut asked = self.ask(&question, trial, &expressions);
            for alphabet in Alphabet::ALL {
                if matches!(asked, Ok(1..))
                    || !trial.lacks_letters(&expressions, &question.letters())
                {
                    break;
                }
                asked = self.ask(&question.spelled(alphabet), trial, &expressions);
            }
            right += asked?;
        }
        Ok(right)
    }

    fn ask(
        &mut self,
        question: &Question,
        trial: &mut Trial,
        expressions: &Expressions,
    ) -> Result<usize, Box<WrongRow>> {
        let rows = question.over();
        let Ok(sql) = expressions.render(&question.whole(), &rows) else {
            return Ok(0);
        };
        let what = (question.expression.clone(), sql);
        if self.right.contains(&what) {
            return Ok(question.expected.len());
        }
        let asked = question.ask(trial, expressions, &rows, &what.1);
        if matches!(asked, Ok(1..)) {
            self.right.insert(what);
        }
        asked
    }
}

impl Question {
    /// The letters of its texts that not every database can hold.
    fn letters(&self) -> String {
        let texts = self.rows.iter().flatten().map(|cell| match cell {
            Literal::Text(text) => text.as_str(),
            _ => "",
        });
        texts
            .flat_map(str::chars)
            .filter(|letter| !letter.is_ascii())
            .collect()
    }

    fn spelled(&self, alphabet: Alphabet) -> Self {
        let cell = |cell: &Literal| match cell {
            Literal::Text(text) => Literal::Text(alphabet.spell(text)),
            other => other.clone(),
        };
        let answer = |answer: &Expect| match answer {
            Expect::Text(text) => Expect::Text(alphabet.spell(text)),
            other => other.clone(),
        };
        Self {
            rows: self
                .rows
                .iter()
                .map(|row| row.iter().map(cell).collect())
                .collect(),
            expression: self.expression.clone(),
            expected: self.expected.iter().map(answer).collect(),
        }
    }

    /// Whether there is a row's answer each.
    fn is_each(&self) -> bool {
        self.expected.len() == self.rows.len() && self.rows.len() > 1
    }

    fn over(&self) -> Rows {
        let width = self.rows.first().map_or(0, Vec::len);
        let columns = ["id", "v", "w"].into_iter().take(1 + width);
        let values = self.rows.iter().enumerate().map(|(number, cells)| {
            let id = Literal::Number((number + 1).to_string());
            std::iter::once(id).chain(cells.iter().cloned()).collect()
        });
        Rows {
            columns: columns.map(str::to_owned).collect(),
            values: values.collect(),
        }
    }

    /// Jinja: what is asked over all rows.
    fn whole(&self) -> String {
        if self.is_each() {
            format!("{{{{ over_rows('id', {}) }}}}", self.expression)
        } else {
            format!("{{{{ over_rows({}) }}}}", self.expression)
        }
    }

    fn ask(
        &self,
        trial: &mut Trial,
        expressions: &Expressions,
        rows: &Rows,
        sql: &str,
    ) -> Result<usize, Box<WrongRow>> {
        let result = match trial.run(sql) {
            Ok(result) => result,
            Err(error) => {
                // Where the rows themselves cannot be had, nothing is shown.
                let plain = expressions.render("{{ over_rows('id', 'v') }}", rows);
                let has_rows = plain.is_ok_and(|plain| trial.run(&plain).is_ok());
                return if has_rows {
                    Err(self.differs(sql, "an answer for every row".to_owned(), error.text()))
                } else {
                    Ok(0)
                };
            }
        };
        let mut answers: Vec<&[Value]> = result.rows.iter().map(Vec::as_slice).collect();
        if self.is_each() {
            answers.sort_by_key(|row| row.first().and_then(number).map(|id| id as i64));
        }
        if answers.len() != self.expected.len() {
            let expected = format!("{} rows", self.expected.len());
            return Err(self.differs(sql, expected, format!("{} rows", answers.len())));
        }
        for (place, (answer, expected)) in answers.iter().zip(&self.expected).enumerate() {
            let value = answer.last().unwrap_or(&Value::Null);
            if !expected.holds(value) {
                let of = self.rows.get(place).filter(|_| self.is_each());
                let of = of.map_or(String::new(), |row| format!(" for {row:?}"));
                return Err(self.differs(sql, format!("{expected:?}{of}"), spell(value)));
            }
        }
        Ok(self.expected.len())
    }

    fn differs(&self, sql: &str, expected: String, got: String) -> Box<WrongRow> {
        Box::new(WrongRow {
            sql: sql.to_owned(),
            expected,
            got,
        })
    }
}

impl Expect {
    fn holds(&self, value: &Value) -> bool {
        let near = |wanted: f64| {
            let got = match value {
                Value::Boolean(flag) => Some(f64::from(u8::from(*flag))),
                value => number(value),
            };
            got.is_some_and(|got| (got - wanted).abs() <= 1e-6 * wanted.abs().max(1.0))
        };
        match self {
            Self::Number(wanted) => near(*wanted),
            Self::Either(one, other) => near(*one) || near(*other),
            Self::Text(wanted) => matches!(value, Value::Text(got) if got == wanted),
            Self::Moment(wanted) => moments(value).contains(wanted),
            Self::Moments(wanted) => moments(value).iter().any(|got| wanted.contains(got)),
            Self::Null => value.is_null(),
        }
    }
}

/// The moments that a value may stand for: with a zone, its clock there and in UTC. Whether a text may stand for one is
/// for the suite to say.
fn moments(value: &Value) -> Vec<DateTime> {
    let to_milli = |at: DateTime| at.round(Unit::Millisecond).unwrap_or(at);
    match value {
        Value::Timestamp(at) => vec![to_milli(*at)],
        Value::TimestampTz(at) => {
            let utc = at.timestamp().to_zoned(jiff::tz::TimeZone::UTC);
            vec![to_milli(at.datetime()), to_milli(utc.datetime())]
        }
        Value::Date(day) => vec![day.to_datetime(Time::midnight())],
        Value::Text(text) => text.parse().ok().map(to_milli).into_iter().collect(),
        _ => Vec::new(),
    }
}
