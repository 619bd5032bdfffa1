//! Whether a statement succeeds exactly when a flag says so.

use std::sync::Arc;

use bowline_driver::{ResultSet, SqlError};
use bowline_words::Diagnose;

use crate::warehouse::expect::describe;
use crate::warehouse::judge::{Judged, wrong};

/// What a statement must give to count as a success: some databases give something else instead of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Yield {
    Anything,
    /// A value that is not NULL.
    Value,
    NoRows,
}

impl Yield {
    fn is_given_by(self, result: &ResultSet) -> bool {
        match self {
            Self::Anything => true,
            Self::Value => result.scalar().is_some_and(|value| !value.is_null()),
            Self::NoRows => result.rows.is_empty(),
        }
    }
}

/// What is expected of a statement that must succeed, or must fail, by what a flag says.
pub(crate) const fn success_in_words(must_succeed: bool, yields: Yield) -> &'static str {
    match (must_succeed, yields) {
        (true, Yield::Value) => "a value, going by the flag",
        (true, Yield::NoRows) => "no rows, going by the flag",
        (true, Yield::Anything) => "success, going by the flag",
        (false, Yield::NoRows) => "an error, or rows, going by the flag",
        (false, _) => "an error, going by the flag",
    }
}

/// Judges a statement that must succeed, or must fail, by what a flag says.
pub(crate) fn judge_success(
    must_succeed: bool,
    yields: Yield,
    answer: &Result<Arc<ResultSet>, SqlError>,
) -> Judged<()> {
    let expected = success_in_words(must_succeed, yields);
    match answer {
        Ok(result) if yields.is_given_by(result) != must_succeed => {
            Err(wrong(expected, describe(result)))
        }
        Err(error) if must_succeed => Err(wrong(
            success_in_words(must_succeed, Yield::Anything),
            error.diagnose().to_string(),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use bowline_driver::SqlErrorKind;

    use super::*;

    #[test]
    fn what_gives_something_else_instead_of_an_error_is_no_success() {
        let rows = |rows| Ok(Arc::new(ResultSet::with_rows(["n"], rows)));
        let some = rows(vec![vec![1_i64.into()]]);
        let none = rows(Vec::new());
        let refused = Err(SqlError::new(SqlErrorKind::Other, "no"));
        for (yields, answer, succeeds) in [
            (Yield::Anything, &some, true),
            (Yield::Anything, &none, true),
            (Yield::Value, &some, true),
            (Yield::Value, &none, false),
            (Yield::NoRows, &some, false),
            (Yield::NoRows, &none, true),
            (Yield::NoRows, &refused, false),
        ] {
            for flag in [true, false] {
                let judged = judge_success(flag, yields, answer);
                assert_eq!(judged.is_ok(), flag == succeeds, "{yields:?} {flag}");
            }
        }
    }
}
