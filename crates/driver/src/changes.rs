//! Which statements change something, by their words.

/// Statements that change something and, without RETURNING, give no rows.
pub(crate) const CHANGES: [&str; 13] = [
    "INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "DROP", "ALTER", "TRUNCATE", "BEGIN",
    "COMMIT", "ROLLBACK", "GRANT", "REVOKE",
];

/// Whether a statement changes something and gives no rows.
pub(crate) fn is_change(word: &str, sql: &str) -> bool {
    CHANGES.contains(&word) && !returns_changes(sql)
}

/// Whether a statement may give the rows that it changes.
pub(crate) fn returns_changes(sql: &str) -> bool {
    sql.to_ascii_uppercase().contains("RETURNING")
}

/// The statement's first word in capitals, past blanks, comments and opening brackets; empty when there is none.
pub(crate) fn leading_word(sql: &str) -> String {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(' || c == ';');
        rest = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, rest)| rest)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            after_comment(comment)
        } else {
            break;
        };
    }
    let word = rest
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .next();
    match word {
        Some("") | None => rest.chars().take(1).collect(),
        Some(word) => word.to_ascii_uppercase(),
    }
}

/// What follows a block comment, whose opening is already read; comments nest.
fn after_comment(text: &str) -> &str {
    let mut depth = 1;
    let mut rest = text;
    while let Some(at) = rest.find(['*', '/']) {
        let mark = rest.get(at..at + 2);
        depth += i32::from(mark == Some("/*")) - i32::from(mark == Some("*/"));
        let is_mark = matches!(mark, Some("/*" | "*/"));
        rest = &rest[at + 1 + usize::from(is_mark)..];
        if depth == 0 {
            return rest;
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_found_behind_comments_and_brackets() {
        for (sql, word) in [
            ("select 1", "SELECT"),
            (" -- note\n\t((VALUES (1)))", "VALUES"),
            ("/* a /* b */ c */ show x", "SHOW"),
            ("/**/With x as (select 1) select 1", "WITH"),
            ("", ""),
            ("-- nothing", ""),
            ("/* open", ""),
            (" ; ", ""),
            ("?", "?"),
        ] {
            assert_eq!(leading_word(sql), word, "{sql}");
        }
    }

    #[test]
    fn a_change_that_returns_rows_is_read_like_a_query() {
        assert!(is_change("INSERT", "insert into t values (1)"));
        assert!(!is_change("INSERT", "insert into t values (1) returning a"));
        assert!(!is_change("SELECT", "select 1"));
    }
}
