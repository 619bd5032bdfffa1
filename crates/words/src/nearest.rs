//! The nearest valid name for a mistyped one.

use crate::listed;

/// The candidate a person most likely meant by `name`, if any comes close.
///
/// Case and the difference between `-`, space and `_` do not count. Close means that about one letter in three is off
/// at most, so that a hint is offered for a slip and not for another word. Of equals the first candidate wins.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    within(usize::MAX, name, candidates)
}

/// The candidate that `name` is a slip of: two letters off at most, so that it is no name of its own.
pub fn slip_of<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    within(2, name, candidates)
}

fn within<'a>(
    most: usize,
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted = fold(name);
    let reach = (wanted.chars().count() / 3).max(1).min(most);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&wanted, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn fold(name: &str) -> String {
    name.trim().to_lowercase().replace(['-', ' '], "_")
}

/// The hint of an error about an unknown name, without `hint: `: the nearest candidate, or all of them when none is near.
pub fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    hint_or(name, candidates.iter().copied(), || {
        format!("use one of {}", listed(&candidates))
    })
}

/// The same, with other words when no candidate is near.
pub fn hint_or<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    nearest(name, candidates).map_or_else(otherwise, |near| format!("did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["get_avg_function", "get_length", "is_null", "ql_metrics"];

    #[test]
    fn a_slip_finds_its_name() {
        assert_eq!(nearest("get_lenght", NAMES), Some("get_length"));
        assert_eq!(nearest("GET-LENGTH", NAMES), Some("get_length"));
        assert_eq!(nearest("avg_function", NAMES), Some("get_avg_function"));
        assert_eq!(nearest("metrics", NAMES), None);
    }

    #[test]
    fn a_name_of_its_own_is_no_slip() {
        assert_eq!(slip_of("get_avg_functoin", NAMES), Some("get_avg_function"));
        assert_eq!(slip_of("get_max_function", NAMES), None);
        assert_eq!(nearest("get_max_function", NAMES), Some("get_avg_function"));
    }

    #[test]
    fn another_word_finds_nothing() {
        assert_eq!(nearest("rand_func", NAMES), None);
        assert_eq!(nearest("", NAMES), None);
    }

    #[test]
    fn the_first_of_equals_wins() {
        assert_eq!(nearest("bat", ["cat", "hat"]), Some("cat"));
    }

    #[test]
    fn hints_name_one_or_all() {
        assert_eq!(hint("is_nul", NAMES), "did you mean `is_null`?");
        assert_eq!(hint("x", ["ab", "cd"]), "use one of `ab`, `cd`");
    }
}
