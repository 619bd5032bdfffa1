//! Finding a statement again in the database's query logs.

use bowline_driver::ResultSet;

use crate::warehouse::answers::{Answers, Asking, Halt};
use crate::warehouse::chain::{PageRequest, Seen};
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::query_logs::{self, Bounds};

const LOG_PAGE: usize = 1000;
const LOG_PAGES: usize = 20;

/// Looks for the first statement of a check among the logged ones, page by page: the order of a log is the dialect's
/// own.
pub(super) fn look_through_logs(asking: &mut Asking<'_>) -> Result<(), Halt> {
    let hour = asking.clock().last_hour();
    let run = asking.answers().steps.first();
    let wanted = Wanted::new(run.map_or("", |step| step.sql.as_str()));
    for page in 0..LOG_PAGES {
        let page = PageRequest {
            limit: wide(LOG_PAGE),
            offset: wide(page * LOG_PAGE),
        };
        let result = query_logs::ask(asking, hour, Bounds::DateTimes, page)?;
        if wanted.is_in(&result) != Ok(false) || result.rows.len() < LOG_PAGE {
            break;
        }
    }
    Ok(())
}

/// Judges whether the first statement is among the logged ones that followed.
pub(super) fn is_logged(answers: &Answers) -> Judged<Seen<()>> {
    let run = answers.steps.first();
    let wanted = Wanted::new(run.map_or("", |step| step.sql.as_str()));
    let mut others = 0;
    for result in answers.results() {
        if wanted.is_in(result)? {
            return Ok(Seen::AsExpected(()));
        }
        others += result.rows.len();
    }
    Ok(Seen::Otherwise {
        expected: format!("the query `{}` among the logged ones", wanted.sql),
        got: format!("{others} other queries"),
    })
}

/// A statement that logs are searched for.
struct Wanted {
    sql: String,
    squeezed: String,
    without_constants: String,
}

impl Wanted {
    fn new(sql: &str) -> Self {
        Self {
            sql: sql.to_owned(),
            squeezed: squeeze(sql),
            without_constants: without_constants(sql),
        }
    }

    /// Whether a page of the log has it.
    fn is_in(&self, result: &ResultSet) -> Judged<bool> {
        let texts = query_logs::read_texts(result)?;
        let mut squeezed = texts.iter().map(|text| squeeze(text));
        if squeezed.any(|text| text.contains(&self.squeezed)) {
            return Ok(true);
        }
        // Waiting brings no constant back.
        let is_the_same =
            |text: &&String| without_constants(text).contains(&self.without_constants);
        match texts.iter().find(is_the_same) {
            None => Ok(false),
            Some(text) => Err(wrong(
                format!(
                    "the query `{}` among the logged ones, as it was run",
                    self.sql
                ),
                format!(
                    "`{}`: the log keeps queries without their constants",
                    squeeze(text)
                ),
            )),
        }
    }
}

fn wide(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A statement with every run of blanks as one, and no semicolon at the end.
fn squeeze(sql: &str) -> String {
    let words: Vec<&str> = sql
        .trim()
        .trim_end_matches(';')
        .split_whitespace()
        .collect();
    words.join(" ")
}

/// A statement as logs keep it that put `$1` or `?` where a constant stood.
fn without_constants(sql: &str) -> String {
    let is_constant = |word: &str| {
        let digits = word.strip_prefix('$').unwrap_or(word);
        word.starts_with('\'')
            || !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let squeezed = squeeze(sql);
    let words = squeezed
        .split(' ')
        .map(|word| if is_constant(word) { "?" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_do_not_count_where_a_log_drops_them() {
        let run = "SELECT *\n FROM t WHERE 1 = 0;";
        assert_eq!(squeeze(run), "SELECT * FROM t WHERE 1 = 0");
        assert_eq!(
            without_constants(run),
            without_constants("SELECT * FROM t WHERE $1 = $2")
        );
        assert_ne!(
            without_constants(run),
            without_constants("SELECT * FROM u WHERE $1 = $2")
        );
    }
}
