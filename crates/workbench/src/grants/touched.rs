//! Which objects a run touched, read from its statements and from what they answered.

use std::collections::{BTreeMap, BTreeSet};

use bowline_conformance::warehouse::{Token, TokenKind, tokens};
use bowline_driver::{Recording, ResultSet, Value};

use super::grant::{Grant, Purpose};
use super::role::Candidates;

/// The name of an object as a statement writes it: its parts, the last of which is its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(pub(super) Vec<Part>);

/// A part of a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    /// Without quotes.
    pub(super) text: String,
    /// Whether it stood in quotes, so that its case counts.
    pub(super) is_quoted: bool,
}

impl Part {
    fn of(token: &Token<'_>) -> Self {
        let is_quoted = token.kind == TokenKind::Quoted;
        let text = match token.text.chars().next() {
            Some(quote) if is_quoted && token.text.len() >= 2 => {
                let end = if quote == '[' { ']' } else { quote };
                let inner = &token.text[quote.len_utf8()..token.text.len() - end.len_utf8()];
                inner.replace(&format!("{end}{end}"), &end.to_string())
            }
            _ => token.text.to_owned(),
        };
        Self { text, is_quoted }
    }

    /// As an engine reads it that makes names without quotes small.
    pub(super) fn small(&self) -> String {
        if self.is_quoted {
            self.text.clone()
        } else {
            self.text.to_lowercase()
        }
    }
}

/// What a statement does to the object that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Change {
    CreateTable,
    CreateView,
    /// An index of it is made.
    Index,
    Alter,
    Drop,
    Insert,
    Update,
    Delete,
    /// Statistics are made.
    Analyze,
}

/// A table or view of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listed {
    pub(super) schema: String,
    pub(super) name: String,
}

/// What a run touched.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// What was read, as statements name it.
    pub(super) read: BTreeSet<Name>,
    /// What was changed, and how.
    pub(super) changed: BTreeMap<Name, BTreeSet<Change>>,
    /// What was called.
    pub(super) called: BTreeSet<Name>,
    /// What the catalogue listed, and whether as a view.
    pub(super) listed: BTreeMap<Listed, bool>,
}

impl Touched {
    /// What the statements touched that were answered; what `is_ours` is listed at times only, and left out.
    pub(super) fn by(recording: &Recording, is_ours: impl Fn(&str) -> bool) -> Self {
        let mut touched = Self::default();
        for statement in &recording.statements {
            let Some(Ok(result)) = statement.answer.as_ref().map(|answer| &answer.result) else {
                continue;
            };
            touched.statement(&statement.sql);
            touched.answer(result);
        }
        touched.listed.retain(|listed, _| !is_ours(&listed.name));
        touched
    }

    /// Rights to what was listed, for engines of which no more is known.
    pub(super) fn plain(&self) -> Candidates {
        let mut found = Candidates::default();
        for Listed { schema, name } in self.listed.keys() {
            let right = format!("SELECT ON {schema}.{name}");
            found.take(Grant::new(right, Purpose::Platform), false);
        }
        found
    }

    fn answer(&mut self, result: &ResultSet) {
        for (listed, row) in listed(result) {
            let kind = cell(result, row, "table_type");
            let is_view =
                matches!(kind, Some(Value::Text(kind)) if kind.eq_ignore_ascii_case("view"));
            self.listed.insert(listed, is_view);
        }
    }

    fn statement(&mut self, sql: &str) {
        let tokens = tokens(sql);
        let subject = subject(&tokens);
        let own = defined_within(&tokens);
        let mut clause = "";
        let mut at = 0;
        while at < tokens.len() {
            let before = at.checked_sub(1).map(|before| &tokens[before]);
            let Some((name, end)) = name_at(&tokens, at) else {
                at += 1;
                continue;
            };
            let is_one_word = end == at + 1;
            if is_one_word && let Some(word) = clause_word(&tokens[at]) {
                clause = word;
                at = end;
                continue;
            }
            let is_called = tokens.get(end).is_some_and(|next| next.is_sign("("));
            let is_place = before.is_some_and(|before| {
                ["FROM", "JOIN", "INTO", "ONLY", "UPDATE"]
                    .iter()
                    .any(|word| before.is_word(word))
                    || (clause == "FROM" && before.is_sign(","))
            });
            match subject {
                Some((place, change)) if place == at => {
                    self.changed.entry(name).or_default().insert(change);
                }
                _ if is_called => {
                    self.called.insert(name);
                }
                _ if is_place && !own.contains(&name) => {
                    self.read.insert(name);
                }
                _ => {}
            }
            at = end;
        }
    }
}

/// The rows of an answer that speak of a table or view.
pub(super) fn listed(result: &ResultSet) -> impl Iterator<Item = (Listed, &Vec<Value>)> {
    result.rows.iter().filter_map(|row| {
        match ["schema_name", "table_name"].map(|column| cell(result, row, column)) {
            [Some(Value::Text(schema)), Some(Value::Text(name))] => Some((
                Listed {
                    schema: schema.clone(),
                    name: name.clone(),
                },
                row,
            )),
            _ => None,
        }
    })
}

/// The value of a column, whatever case an engine gives its name.
pub(super) fn cell<'r>(result: &ResultSet, row: &'r [Value], column: &str) -> Option<&'r Value> {
    let place = result
        .columns
        .iter()
        .position(|found| found.name.eq_ignore_ascii_case(column))?;
    row.get(place)
}

/// The words that tell whether a comma divides tables.
fn clause_word(token: &Token<'_>) -> Option<&'static str> {
    [
        "SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "ON", "SET", "VALUES",
        "WITH", "JOIN", "INTO", "UPDATE", "ONLY", "LATERAL", "UNION",
    ]
    .into_iter()
    .find(|word| token.is_word(word))
}

/// The name that begins at a token, and where it ends.
fn name_at(tokens: &[Token<'_>], at: usize) -> Option<(Name, usize)> {
    let is_part = |token: &&Token<'_>| matches!(token.kind, TokenKind::Word | TokenKind::Quoted);
    let mut parts = vec![Part::of(tokens.get(at).filter(is_part)?)];
    let mut end = at + 1;
    while tokens.get(end).is_some_and(|token| token.is_sign("."))
        && let Some(part) = tokens.get(end + 1).filter(is_part)
    {
        parts.push(Part::of(part));
        end += 2;
    }
    Some((Name(parts), end))
}

/// What a statement calls by a name of its own: `WITH name AS (`, with columns or without.
fn defined_within(tokens: &[Token<'_>]) -> BTreeSet<Name> {
    let mut found = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate() {
        let opens =
            ["WITH", "RECURSIVE"].iter().any(|word| token.is_word(word)) || token.is_sign(",");
        let Some((name, mut end)) = opens.then(|| name_at(tokens, at + 1)).flatten() else {
            continue;
        };
        if tokens.get(end).is_some_and(|token| token.is_sign("(")) {
            while tokens.get(end).is_some_and(|token| !token.is_sign(")")) {
                end += 1;
            }
            end += 1;
        }
        if tokens.get(end).is_some_and(|token| token.is_word("AS"))
            && tokens.get(end + 1).is_some_and(|next| {
                next.is_sign("(") || next.is_word("MATERIALIZED") || next.is_word("NOT")
            })
        {
            found.insert(name);
        }
    }
    found
}

/// Where the name stands that a statement is about which changes something, and how.
fn subject(tokens: &[Token<'_>]) -> Option<(usize, Change)> {
    let verb = tokens.first()?;
    let behind = |words: &[&str]| {
        let place = tokens
            .iter()
            .position(|token| words.iter().any(|word| token.is_word(word)))?;
        let mut at = place + 1;
        while tokens.get(at).is_some_and(|token| {
            ["IF", "NOT", "EXISTS", "TABLE", "ONLY"]
                .iter()
                .any(|word| token.is_word(word))
        }) {
            at += 1;
        }
        Some(at)
    };
    let is_about = |word: &str| tokens.iter().take(6).any(|token| token.is_word(word));
    let (words, change): (&[&str], _) = if verb.is_word("CREATE") && is_about("INDEX") {
        (&["ON"], Change::Index)
    } else if verb.is_word("CREATE") && is_about("VIEW") {
        (&["VIEW"], Change::CreateView)
    } else if verb.is_word("CREATE") && is_about("TABLE") {
        (&["TABLE"], Change::CreateTable)
    } else if verb.is_word("DROP") && !is_about("INDEX") {
        (&["TABLE", "VIEW"], Change::Drop)
    } else if verb.is_word("ALTER") {
        (&["TABLE", "VIEW"], Change::Alter)
    } else if verb.is_word("INSERT") {
        (&["INTO"], Change::Insert)
    } else if verb.is_word("UPDATE") {
        (&["UPDATE"], Change::Update)
    } else if verb.is_word("DELETE") {
        (&["FROM"], Change::Delete)
    } else if verb.is_word("TRUNCATE") {
        (&["TRUNCATE"], Change::Drop)
    } else if verb.is_word("ANALYZE") {
        (&["ANALYZE"], Change::Analyze)
    } else {
        return None;
    };
    Some((behind(words)?, change))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touched(sql: &str) -> Touched {
        let mut touched = Touched::default();
        touched.statement(sql);
        touched
    }

    fn names(names: impl IntoIterator<Item = Name>) -> Vec<String> {
        let joined = |name: Name| {
            let parts: Vec<String> = name.0.into_iter().map(|part| part.text).collect();
            parts.join("|")
        };
        names.into_iter().map(joined).collect()
    }

    #[test]
    fn tables_are_read_where_a_table_can_stand_and_nowhere_else() {
        let sql = r#"WITH few AS MATERIALIZED (SELECT a.b, x FROM "My ""Shop""".orders AS o, stock)
            SELECT count(*), lower(t.name), 'FROM nothing' /* FROM nowhere */
            FROM few JOIN ONLY s.`till` USING (n) CROSS JOIN generate_series(0, 3) WHERE x IN (1, y)"#;
        let touched = touched(sql);
        assert_eq!(
            names(touched.read),
            ["My \"Shop\"|orders", "s|till", "stock"]
        );
        let called = names(touched.called);
        for function in ["count", "lower", "generate_series"] {
            assert!(called.iter().any(|called| called == function), "{called:?}");
        }
        assert!(touched.changed.is_empty());
    }

    #[test]
    fn what_is_changed_is_known_by_the_statement_that_does_it() {
        for (sql, change) in [
            (
                "CREATE TABLE IF NOT EXISTS s.t (a INT)",
                Change::CreateTable,
            ),
            ("CREATE OR REPLACE VIEW s.t AS SELECT 1", Change::CreateView),
            ("CREATE UNIQUE INDEX i ON s.t (a)", Change::Index),
            ("DROP TABLE IF EXISTS s.t", Change::Drop),
            ("DROP VIEW s.t", Change::Drop),
            ("TRUNCATE TABLE s.t", Change::Drop),
            ("INSERT INTO s.t (a) VALUES (1)", Change::Insert),
            ("UPDATE s.t SET a = 1", Change::Update),
            ("DELETE FROM s.t", Change::Delete),
            ("ANALYZE TABLE s.t", Change::Analyze),
            ("ANALYZE s.t", Change::Analyze),
            ("ALTER TABLE s.t ADD COLUMN b INT", Change::Alter),
        ] {
            let touched = touched(sql);
            let changed: Vec<_> = touched.changed.into_iter().collect();
            assert_eq!(changed.len(), 1, "{sql}");
            assert_eq!(changed[0].1, BTreeSet::from([change]), "{sql}");
            assert_eq!(names([changed[0].0.clone()]), ["s|t"], "{sql}");
        }
    }

    #[test]
    fn what_the_catalogue_listed_is_touched() {
        let row = |kind: &str| vec!["s".into(), "t".into(), kind.into()];
        let columns = ["SCHEMA_NAME", "TABLE_NAME", "TABLE_TYPE"];
        let mut touched = Touched::default();
        touched.answer(&ResultSet::with_rows(columns, [row("view")]));
        let listed = Listed {
            schema: "s".to_owned(),
            name: "t".to_owned(),
        };
        assert_eq!(touched.listed, BTreeMap::from([(listed, true)]));
    }
}
