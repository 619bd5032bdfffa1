//! Finding a statement again in the database's query logs.

use super::polling::Seen;
use crate::CheckInfo;
use crate::warehouse::chain::{Asked, Chain};
use crate::warehouse::finding::wrong;
use crate::warehouse::query_logs::{self, Bounds, Page};
use bowline_query::Clock;

const LOG_PAGE: i64 = 1000;
const LOG_PAGES: i64 = 20;

/// Looks for a statement among the logged ones, page by page: the order of a log is the dialect's own.
pub(super) fn look_through_logs(
    chain: &mut Chain<'_>,
    info: &CheckInfo,
    sql: &str,
) -> Asked<Seen<()>> {
    let wanted = squeeze(sql);
    let pattern = without_constants(sql);
    let hour = Clock::at(jiff::Timestamp::now()).last_hour();
    let mut others = 0;
    for page in 0..LOG_PAGES {
        let page = Page {
            limit: LOG_PAGE,
            offset: page * LOG_PAGE,
        };
        let variables = query_logs::variables(hour, Bounds::DateTimes, page);
        let result = chain.query(info, "get_query_logs_query", variables)?;
        let texts = query_logs::read_texts(&result)?;
        if texts.iter().any(|text| squeeze(text).contains(&wanted)) {
            return Ok(Seen::AsExpected(()));
        }
        // Waiting brings no constant back.
        if let Some(text) = texts
            .iter()
            .find(|text| without_constants(text).contains(&pattern))
        {
            return Err(wrong(
                format!("the query `{sql}` among the logged ones, as it was run"),
                format!(
                    "`{}`: the log keeps queries without their constants",
                    squeeze(text)
                ),
            ));
        }
        others += texts.len();
        if i64::try_from(texts.len()).is_ok_and(|found| found < LOG_PAGE) {
            break;
        }
    }
    Ok(Seen::Otherwise {
        expected: format!("the query `{sql}` among the logged ones"),
        got: format!("{others} other queries"),
    })
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
