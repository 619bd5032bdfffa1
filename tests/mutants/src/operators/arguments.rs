//! Operators over what a template is given: swapped, ignored, changed in Jinja.

use std::collections::BTreeMap;

use bowline_contract::VariableType;

use crate::operators::{Right, Wrong};
use crate::tokens::{Kind, Place, Token};

/// Where a variable is read in Jinja.
pub(super) fn reads<'s>(right: &'s Right<'_>, name: &str) -> Vec<&'s Token> {
    let source = &right.source;
    source
        .all(Kind::Word)
        .filter(|token| token.place == Place::Jinja && source.of(token) == name)
        .filter(|token| !source.text[..token.range.start].ends_with('.'))
        .collect()
}

/// Where a placeholder stands.
pub(super) fn placeholders<'s>(right: &'s Right<'_>, name: &str) -> Vec<&'s Token> {
    let source = &right.source;
    source
        .all(Kind::Placeholder)
        .filter(|token| source.of(token).trim_matches(['{', '}']) == name)
        .collect()
}

/// Where an argument stands in SQL by itself, with Jinja around it or in braces.
pub(super) fn stands<'s>(right: &'s Right<'_>, name: &str) -> Vec<&'s Token> {
    let source = &right.source;
    let begins = |token: &Token| {
        let inner = source.of(token).trim_matches(['{', '}', '-', ' ']);
        let word = inner
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next();
        word == Some(name)
    };
    source
        .tokens
        .iter()
        .filter(|token| matches!(token.kind, Kind::Value | Kind::Placeholder))
        .filter(|token| token.place == Place::Sql && begins(token))
        .collect()
}

/// The names of all arguments.
pub(super) fn names(right: &Right<'_>) -> Vec<&'static str> {
    let variables = right.template.variables.iter();
    variables
        .map(|variable| variable.name)
        .chain(right.template.placeholders.iter().copied())
        .collect()
}

/// Replaces tokens one at a time, and all of them at once.
pub(super) fn each_and_all(
    right: &Right<'_>,
    tokens: &[&Token],
    fault: &str,
    other: impl Fn(&str) -> String,
) -> Vec<Wrong> {
    let source = &right.source;
    let part = |token: &&Token| (token.range.clone(), other(source.of(token)));
    let mut wrong = Vec::new();
    if tokens.len() > 1 {
        let all = source.with(tokens.iter().map(part).collect());
        wrong.push((fault.to_owned(), all));
    }
    for (number, token) in tokens.iter().enumerate() {
        let at = match tokens.len() {
            1 => String::new(),
            _ => format!(", the {}.", number + 1),
        };
        wrong.push((format!("{fault}{at}"), source.with(vec![part(token)])));
    }
    wrong
}

/// One argument taken for another, or two for each other.
pub(super) fn swapped(right: &Right<'_>) -> Vec<Wrong> {
    let source = &right.source;
    let names = names(right);
    let mut wrong = Vec::new();
    let tokens: BTreeMap<&str, Vec<&Token>> = names
        .iter()
        .map(|name| {
            let tokens = [reads(right, name), placeholders(right, name)].concat();
            (*name, tokens)
        })
        .collect();
    for first in &names {
        for second in &names {
            let (Some(ours), Some(theirs)) = (tokens.get(first), tokens.get(second)) else {
                continue;
            };
            let both = !ours.is_empty() && !theirs.is_empty();
            if first == second || !both || ours[0].kind != theirs[0].kind {
                continue;
            }
            let other = |of: &Token, name: &str| {
                source
                    .of(of)
                    .replace(source.of(of).trim_matches(['{', '}']), name)
            };
            let take = |tokens: &[&Token], name: &str| -> Vec<_> {
                let parts = tokens.iter();
                parts
                    .map(|token| (token.range.clone(), other(token, name)))
                    .collect()
            };
            if first < second {
                let parts = [take(ours, second), take(theirs, first)].concat();
                wrong.push((format!("{first} and {second} swapped"), source.with(parts)));
            }
            let keep = reading(right, first);
            let text = source.with(take(ours, second));
            wrong.push((
                format!("{second} in place of {first}"),
                format!("{text}{keep}"),
            ));
        }
    }
    wrong
}

/// Jinja that reads a variable and gives nothing: a template that ignores one is refused before it is asked.
pub(super) fn reading(right: &Right<'_>, name: &str) -> String {
    if right.template.placeholders.contains(&name) {
        return String::new();
    }
    format!("{{{{ '' if {name} else '' }}}}")
}

/// What stands in place of an argument that is ignored.
const CONSTANTS: &[&str] = &["1", "0", "NULL", "'a'", "''", "1 = 1", "val", "test_data"];

/// An argument ignored and a constant used.
pub(super) fn ignored(right: &Right<'_>) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    for name in names(right) {
        let tokens = stands(right, name);
        let keep = reading(right, name);
        for constant in CONSTANTS {
            let fault = format!("{constant} in place of {name}");
            let texts = each_and_all(right, &tokens, &fault, |_| (*constant).to_owned());
            wrong.extend(
                texts
                    .into_iter()
                    .map(|(fault, text)| (fault, format!("{text}{keep}"))),
            );
        }
    }
    wrong
}

/// What Jinja makes of a variable of each type.
fn changes(kind: VariableType) -> &'static [&'static str] {
    match kind {
        VariableType::Text => &[
            "(@ | lower)",
            "(@ | upper)",
            "(@ | trim)",
            "(@ | replace(' ', ''))",
            "(@ | replace('.', ''))",
            "(@ | replace('\"', ''))",
            "(@ | replace(\"'\", ''))",
            "(@ | replace('`', ''))",
            "(@ | replace('\\\\', ''))",
            "(@ | replace('\\\\', '\\\\\\\\'))",
            "(@ | replace('%', ''))",
            "(@ | replace('-', '_'))",
            "(@ | replace(\"''\", \"'\"))",
            "(@ | replace(\"'\", \"''\"))",
            "(@ | replace('\"', '\"\"'))",
            "(@ | replace('\n', ' '))",
            "(@ | replace(';', ''))",
            "(@ | replace('--', ''))",
            "@[:30]",
            "@[:63]",
            "@[1:]",
            "@[:-1]",
            "@.split('.')[0]",
            "@.split('.')[-1]",
            "@.split()[0]",
            "@.split(';')[0]",
            "@.split('--')[0]",
            "(@ ~ ' ')",
            "(@ ~ ';')",
            "(@ ~ @)",
        ],
        VariableType::TextList | VariableType::List | VariableType::PairList => &[
            "@[:1]",
            "@[1:]",
            "@[:-1]",
            "@[-1:]",
            "@[:2]",
            "@[:10]",
            "(@ | reverse | list)",
            "(@ | unique | list)",
            "(@ | sort)",
            "(@ + @)",
            "(@ + @[:1])",
            "[]",
            "[@ | length]",
            "(@ | map('lower') | list)",
            "(@ | map('upper') | list)",
            "(@ | map('trim') | list)",
        ],
        VariableType::Integer => &[
            "(@ + 1)",
            "(@ - 1)",
            "(@ * 2)",
            "(@ * 10)",
            "(-@)",
            "(@ | abs)",
            "([@, 1] | max)",
            "([@, 5] | min)",
            "(@ or 1)",
            "1",
            "10",
        ],
        VariableType::Float => &[
            "(1 - @)",
            "(@ / 2)",
            "(@ * 100)",
            "(@ | round(1))",
            "(@ | round)",
            "0.5",
            "[[@, 0.1] | max, 0.9] | min",
        ],
        VariableType::Boolean => &["(not @)", "(@ or true)", "(@ and false)"],
        VariableType::DateTime | VariableType::Date => &[
            "@.replace(microsecond=0)",
            "@.replace(second=0)",
            "@.replace(minute=0)",
            "@.replace(tzinfo=none)",
            "@.replace(day=1)",
            "@.date()",
        ],
    }
}

/// A variable changed before it is used.
pub(super) fn changed(right: &Right<'_>) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    for variable in right.template.variables {
        let tokens = reads(right, variable.name);
        for change in changes(variable.kind) {
            let fault = change.replace('@', variable.name);
            wrong.extend(each_and_all(right, &tokens, &fault, |own| {
                change.replace('@', own)
            }));
        }
    }
    wrong
}
