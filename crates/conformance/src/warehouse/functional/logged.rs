//! A statement that was run, found again among logged queries, and what these say of it.

use bigdecimal::{BigDecimal, ToPrimitive};
use jiff::{SignedDuration, Timestamp};

use crate::warehouse::answers::{Answers, came};
use crate::warehouse::judge::{Judged, wrong};
use crate::warehouse::logged_query::LoggedQuery;
use crate::warehouse::outcome::Step;
use crate::warehouse::query_logs::LEEWAY;
use crate::warehouse::tokens::{Likeness, TokenKind, holds, tokens, unqualified};

/// How far the clocks of server and client may be apart where nobody has asked.
pub(super) const APART: SignedDuration = SignedDuration::from_mins(15);
/// How much of one a log has at least: some databases keep no more than 1,024 bytes.
pub(super) const LEAST: usize = 900;
/// The tokens of the shortest beginning of a statement that counts as one.
const SHORTEST: usize = 20;

/// A statement that was run, and that the log is searched for.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) sql: String,
    pub(super) rows: usize,
    /// From when to when it ran, by our clock.
    pub(super) span: [Timestamp; 2],
    /// From when to when it ran again, where it did.
    pub(super) again: Option<[Timestamp; 2]>,
}

impl Run {
    pub(super) fn of(step: &Step) -> Self {
        let rows = step
            .answer
            .result
            .as_deref()
            .map_or(0, |result| result.rows.len());
        Self {
            sql: step.sql.clone(),
            rows,
            span: [step.answer.asked, came(&step.answer)],
            again: None,
        }
    }

    /// The logged queries that are this one, and how like it they are.
    pub(super) fn find<'q>(
        &self,
        logs: &'q [LoggedQuery],
    ) -> Option<(Likeness, Vec<&'q LoggedQuery>)> {
        let wanted = tokens(&self.sql);
        // Most texts of a log are long and about something else: they are not worth taking apart.
        let names = [TokenKind::Word, TokenKind::Quoted];
        let own = unqualified(&wanted);
        let names = own.iter().filter(|token| names.contains(&token.kind));
        let longest = names.max_by_key(|token| token.text.len());
        let telling = longest.map_or(String::new(), |token| token.text.to_lowercase());
        let alike: Vec<(Likeness, &LoggedQuery)> = logs
            .iter()
            .filter(|query| query.text.to_lowercase().contains(&telling))
            .filter_map(|query| Some((holds(&tokens(&query.text), &wanted)?, query)))
            .collect();
        let likeness = alike.iter().map(|(likeness, _)| *likeness).min()?;
        let queries = alike.into_iter().filter(|(each, _)| *each == likeness);
        Some((likeness, queries.map(|(_, query)| query).collect()))
    }

    /// The first logged query that is the beginning of this one.
    pub(super) fn find_cut<'q>(&self, logs: &'q [LoggedQuery]) -> Option<&'q LoggedQuery> {
        let wanted = tokens(&self.sql);
        logs.iter().find(|query| {
            // The last one may be cut itself.
            let there = tokens(&query.text);
            let whole = there.len().saturating_sub(1);
            there.len() > SHORTEST
                && wanted
                    .get(..whole)
                    .is_some_and(|start| holds(&there[..whole], start).is_some())
        })
    }

    /// Whether one logged query stands for both times that this one ran: it takes the time between them, or times are
    /// not told that exactly.
    pub(super) fn is_both(&self, query: &LoggedQuery) -> bool {
        let is_exact = |at: Timestamp| at.subsec_nanosecond() != 0;
        let Some([again, _]) = self.again else {
            return true;
        };
        let between = again.duration_since(self.span[1]);
        query.end.duration_since(query.start) >= between
            || !is_exact(query.start) && !is_exact(query.end)
    }

    pub(super) fn expected(&self) -> String {
        let sql: String = self.sql.chars().take(LEAST / 4).collect();
        let rest = if sql.len() < self.sql.len() {
            "…"
        } else {
            ""
        };
        format!("the query `{sql}{rest}` among the logged ones")
    }
}

/// Judges what the log says of a statement, and of all that came with it; one of several entries suffices, for a log may
/// have older ones.
pub(super) fn is_described(
    answers: &Answers,
    run: &Run,
    (logs, all): (&[LoggedQuery], &[LoggedQuery]),
    users: &[String],
    skew: Option<SignedDuration>,
) -> Judged<()> {
    let looked = answers
        .steps
        .last()
        .map_or(run.span[1], |step| came(&step.answer));
    let leeway = if skew.is_some() { LEEWAY } else { APART };
    let skew = skew.unwrap_or_default();
    let judge = |query: &LoggedQuery| -> Judged<()> {
        let [from, until] = run.span.map(|at| at + skew);
        // What counts queries instead of logging them knows no more than that it ran in the span asked for.
        let is_bound = query.start.duration_since(from - LEEWAY).abs() <= LEEWAY;
        if !is_bound && (query.start < from - leeway || query.start > until + leeway) {
            return Err(wrong(
                format!("a start_time from {from} to {until}, when the query ran"),
                query.start.to_string(),
            ));
        }
        let is_error = |error: &&String| !is_no_error(error);
        if let Some(error) = query.errors.iter().flatten().find(is_error) {
            return Err(wrong(
                "no error for a query that succeeded",
                format!("`{error}`"),
            ));
        }
        rows_are_told(run, std::slice::from_ref(query))?;
        match (&query.user, users) {
            (Some(logged), [user, ..]) if !users.iter().any(|user| is_same_user(logged, user)) => {
                Err(wrong(format!("the user `{user}`"), format!("`{logged}`")))
            }
            _ => Ok(()),
        }
    };
    let is_twice = |at: usize| logs[..at].contains(&logs[at]);
    if let Some(twice) = (0..logs.len()).find(|at| is_twice(*at)) {
        return Err(wrong(
            "each query once",
            format!("`{}` again", logs[twice].id),
        ));
    }
    let mut judged = logs.iter().map(judge);
    match judged.next() {
        Some(first @ Err(_)) if !judged.any(|judged| judged.is_ok()) => first,
        _ => are_of_then(all, [run.span[0] + skew, looked + skew], leeway),
    }
}

/// How far the clocks of other machines may be ahead, whose queries come from the same log.
const OTHER_CLOCKS: SignedDuration = SignedDuration::from_mins(1);

/// Judges what came with a statement, from the span that was looked into: it ended by now, and not before that span.
fn are_of_then(
    logs: &[LoggedQuery],
    [from, until]: [Timestamp; 2],
    leeway: SignedDuration,
) -> Judged<()> {
    let (from, until) = (from - leeway - LEEWAY, until + leeway.max(OTHER_CLOCKS));
    match logs
        .iter()
        .find(|query| query.end < from || query.end > until)
    {
        Some(query) => Err(wrong(
            format!("queries that ended from {from} to {until}, as asked for and by now"),
            format!("`{}`, which ended at {}", query.id, query.end),
        )),
        None => Ok(()),
    }
}

/// Judges that what ran at different times is told apart.
pub(super) fn ids_are_told(logs: &[LoggedQuery]) -> Judged<()> {
    let Some((first, others)) = logs.split_first() else {
        return Ok(());
    };
    if others.iter().any(|other| other.id != first.id) {
        return Ok(());
    }
    match others.iter().find(|other| other.start != first.start) {
        Some(other) => Err(wrong(
            "a query_id of its own each time that a query runs",
            format!(
                "`{}` for what began at {} and for what began at {}",
                first.id, first.start, other.start
            ),
        )),
        None => Ok(()),
    }
}

/// Judges how many rows a statement is said to have returned; one of several entries suffices.
pub(super) fn rows_are_told(run: &Run, logs: &[LoggedQuery]) -> Judged<()> {
    let told = logs.iter().map(|query| query.returned_rows.as_ref());
    let is_told =
        |rows: Option<&BigDecimal>| rows.is_none_or(|rows| rows.to_usize() == Some(run.rows));
    match told.clone().next().flatten() {
        Some(rows) if !told.clone().any(is_told) => Err(wrong(
            format!("{} as returned_rows", run.rows),
            rows.to_string(),
        )),
        _ => Ok(()),
    }
}

/// What stands for no error in a log that always has one.
fn is_no_error(error: &str) -> bool {
    let error = error.trim().to_lowercase();
    error.chars().all(|sign| sign == '0')
        || "ok,success,successful,succeeded,none,null,no error,finished"
            .split(',')
            .any(|word| word == error)
}

/// Names of users come with or without where they come from: `ada`, `ada@localhost`, `HOME\ada`. With what a log has in
/// brackets, as MariaDB's `ada[ada] @ localhost []`, it is a line of a log and nobody's name.
pub(super) fn is_same_user(logged: &str, user: &str) -> bool {
    fn names(user: &str) -> impl Iterator<Item = &str> {
        // Where somebody comes from is nobody's name.
        let user = user.split('@').next().unwrap_or_default();
        let parts = user.split(['\\', '/', ':', ' ', '\'', '"', '`']);
        parts.filter(|part| !part.is_empty())
    }
    let is_in = |user: &str, others: &str| {
        let name = names(user).next();
        name.is_some_and(|name| names(others).any(|other| other.eq_ignore_ascii_case(name)))
    };
    logged.eq_ignore_ascii_case(user) || is_in(user, logged) || is_in(logged, user)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(text: &str, at: Timestamp) -> LoggedQuery {
        LoggedQuery {
            id: "1".to_owned(),
            start: at,
            end: at,
            text: text.to_owned(),
            user: None,
            errors: [None, None],
            returned_rows: None,
        }
    }

    #[test]
    fn queries_that_ended_before_the_span_or_after_now_are_told() {
        let [from, until] = [1_000, 2_000].map(|second| Timestamp::from_second(second).unwrap());
        let second = SignedDuration::from_secs(1);
        let is_told =
            |at: Timestamp| are_of_then(&[logged("SELECT 1", at)], [from, until], second).is_err();
        let earliest = from - second - LEEWAY;
        let latest = until + OTHER_CLOCKS;
        for at in [earliest, from, until, latest] {
            assert!(!is_told(at), "{at}");
        }
        for at in [earliest - second, latest + second] {
            assert!(is_told(at), "{at}");
        }
    }

    #[test]
    fn a_user_may_come_with_a_place_and_with_nothing_else() {
        for logged in ["ada", "ADA", "ada@localhost", "HOME\\ada", "'ada'@'%'"] {
            assert!(is_same_user(logged, "ada@localhost"), "{logged}");
        }
        for logged in [
            "eve",
            "ada[ada] @ localhost []",
            "eve@localhost",
            " localhost [127.0.0.1]",
        ] {
            assert!(!is_same_user(logged, "ada@localhost"), "{logged}");
        }
    }

    #[test]
    fn what_names_are_qualified_with_does_not_hide_a_query() {
        let at = Timestamp::UNIX_EPOCH;
        let run = Run {
            sql: "SELECT * FROM a_long_schema.t WHERE 1 = 0".to_owned(),
            rows: 0,
            span: [at, at],
            again: None,
        };
        let logs = ["SELECT * FROM t WHERE $1 = $2", "SELECT 1"].map(|text| logged(text, at));
        let (likeness, queries) = run.find(&logs).unwrap();
        assert_eq!((likeness, queries), (Likeness::Normalized, vec![&logs[0]]));
    }
}
