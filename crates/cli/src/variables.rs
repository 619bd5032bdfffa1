//! Values for templates from the command line, typed as the contract types them.

use bowline_contract::{Template, Variable, VariableType};
use bowline_template::TemplateValue;
use bowline_warehouse::template::Arguments;
use bowline_words::listed;
use bowline_words::nearest::hint_or;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde_json::Value as Json;

use crate::error::CliError;

/// Reads `name=value` words and one JSON object into what a template is rendered with.
///
/// A placeholder that is not given stands for itself, so that the text shows where it goes. A list may be given as a
/// JSON array, or item by item by naming the variable again.
pub(crate) fn arguments(
    template: &'static Template,
    words: &[String],
    json: Option<&str>,
) -> Result<Arguments, CliError> {
    let given = given(words, json)?;
    for (name, _) in &given {
        known(template, name)?;
    }
    let absent: Vec<&Variable> = template
        .variables
        .iter()
        .filter(|variable| {
            !variable.optional && !given.iter().any(|(name, _)| name == variable.name)
        })
        .collect();
    if !absent.is_empty() {
        return Err(missing(template, &absent));
    }
    let mut arguments = Arguments::default();
    for variable in template.variables {
        let values: Vec<&Given> = given
            .iter()
            .filter(|(name, _)| name == variable.name)
            .map(|(_, value)| value)
            .collect();
        match values.as_slice() {
            [] => {}
            values => arguments
                .variables
                .push((variable.name, value(variable, values)?)),
        }
    }
    for placeholder in template.placeholders {
        let value = given.iter().rev().find(|(name, _)| name == placeholder);
        let text = match value {
            None => format!("{{{placeholder}}}"),
            Some((_, Given::Word(word))) => word.clone(),
            Some((_, Given::Json(Json::String(text)))) => text.clone(),
            Some((_, Given::Json(other))) => other.to_string(),
        };
        arguments.placeholders.push((placeholder, text));
    }
    Ok(arguments)
}

/// A value as it was typed.
#[derive(Debug, Clone, PartialEq)]
enum Given {
    Word(String),
    Json(Json),
}

fn given(words: &[String], json: Option<&str>) -> Result<Vec<(String, Given)>, CliError> {
    let mut given = Vec::new();
    if let Some(text) = json {
        let parsed: serde_json::Map<String, Json> =
            serde_json::from_str(text).map_err(|error| {
                CliError::usage(
                    format!("`--var-json` is not a JSON object: {error}"),
                    "give an object with a key for each variable, such as '{\"limit\": 5}'",
                )
            })?;
        given.extend(
            parsed
                .into_iter()
                .map(|(name, value)| (name, Given::Json(value))),
        );
    }
    for word in words {
        let Some((name, value)) = word.split_once('=') else {
            return Err(CliError::usage(
                format!("not a variable: `{word}`"),
                "write `name=value`",
            ));
        };
        given.push((name.to_owned(), Given::Word(value.to_owned())));
    }
    Ok(given)
}

fn known(template: &'static Template, name: &str) -> Result<(), CliError> {
    let names = || {
        template
            .variables
            .iter()
            .map(|variable| variable.name)
            .chain(template.placeholders.iter().copied())
    };
    if names().any(|known| known == name) {
        return Ok(());
    }
    let hint = hint_or(name, names(), || match names().next() {
        None => "it takes no variables".to_owned(),
        Some(_) => format!("it takes {}", listed(names())),
    });
    Err(CliError::usage(
        format!("`{}` has no variable `{name}`", template.short_name()),
        hint,
    ))
}

fn missing(template: &'static Template, absent: &[&Variable]) -> CliError {
    let examples: Vec<String> = absent
        .iter()
        .map(|variable| format!("{}={}", variable.name, example(variable.kind)))
        .collect();
    CliError::usage(
        format!(
            "`{}` needs {} {}",
            template.short_name(),
            if absent.len() == 1 {
                "the variable"
            } else {
                "the variables"
            },
            listed(absent.iter().map(|variable| variable.name))
        ),
        format!("add `{}`", examples.join(" ")),
    )
}

fn value(variable: &Variable, values: &[&Given]) -> Result<TemplateValue, CliError> {
    match (variable.kind, values) {
        (VariableType::List | VariableType::TextList | VariableType::PairList, values) => {
            list(variable, values)
        }
        (_, [.., Given::Word(word)]) => scalar(variable, word),
        (_, [.., Given::Json(json)]) => match json {
            Json::Null if variable.optional => Ok(TemplateValue::None),
            Json::String(text) => scalar(variable, text),
            Json::Number(_) | Json::Bool(_) if variable.kind != VariableType::Text => {
                scalar(variable, &json.to_string())
            }
            _ => Err(mismatch(variable, &json.to_string())),
        },
        (_, []) => Ok(TemplateValue::None),
    }
}

fn scalar(variable: &Variable, word: &str) -> Result<TemplateValue, CliError> {
    let parsed = match variable.kind {
        VariableType::Text => Some(TemplateValue::Text(word.to_owned())),
        VariableType::Integer => word.parse().ok().map(TemplateValue::Integer),
        VariableType::Float => word.parse().ok().map(TemplateValue::Float),
        VariableType::Boolean => match word {
            "true" | "True" => Some(TemplateValue::Boolean(true)),
            "false" | "False" => Some(TemplateValue::Boolean(false)),
            _ => None,
        },
        VariableType::Date => word.parse::<Date>().ok().map(TemplateValue::Date),
        VariableType::DateTime => datetime(word),
        VariableType::List | VariableType::TextList | VariableType::PairList => None,
    };
    parsed.ok_or_else(|| mismatch(variable, word))
}

/// A zone makes it a zoned datetime; an offset alone keeps its offset; without either it is a naive one.
fn datetime(word: &str) -> Option<TemplateValue> {
    if let Ok(zoned) = word.parse::<jiff::Zoned>() {
        return Some(TemplateValue::ZonedDateTime(Box::new(zoned)));
    }
    if let Ok(pieces) = jiff::fmt::temporal::Pieces::parse(word)
        && let Some(offset) = pieces.to_numeric_offset()
        && let Ok(instant) = word.parse::<Timestamp>()
    {
        let zoned = instant.to_zoned(jiff::tz::TimeZone::fixed(offset));
        return Some(TemplateValue::ZonedDateTime(Box::new(zoned)));
    }
    if let Ok(instant) = word.parse::<Timestamp>() {
        let zoned = instant.to_zoned(jiff::tz::TimeZone::UTC);
        return Some(TemplateValue::ZonedDateTime(Box::new(zoned)));
    }
    word.parse::<DateTime>().ok().map(TemplateValue::DateTime)
}

fn list(variable: &Variable, values: &[&Given]) -> Result<TemplateValue, CliError> {
    let mut items = Vec::new();
    for value in values {
        match value {
            Given::Json(Json::Array(array)) => items.extend(array.iter().cloned()),
            Given::Json(other) => return Err(mismatch(variable, &other.to_string())),
            Given::Word(word) => match serde_json::from_str(word) {
                Ok(Json::Array(array)) => items.extend(array),
                _ if variable.kind == VariableType::PairList => {
                    return Err(mismatch(variable, word));
                }
                _ => items.push(Json::String(word.clone())),
            },
        }
    }
    let items = items
        .iter()
        .map(|item| match (variable.kind, item) {
            (VariableType::PairList, Json::Array(pair)) if pair.len() == 2 => {
                let pair = pair.iter().map(plain).collect::<Option<_>>()?;
                Some(TemplateValue::Tuple(pair))
            }
            (VariableType::PairList, _) => None,
            (VariableType::TextList, Json::String(text)) => Some(TemplateValue::Text(text.clone())),
            (VariableType::TextList, _) => None,
            (_, item) => plain(item),
        })
        .collect::<Option<Vec<_>>>();
    match items {
        Some(items) => Ok(TemplateValue::List(items)),
        None => Err(mismatch(variable, "an item of another type")),
    }
}

fn plain(json: &Json) -> Option<TemplateValue> {
    Some(match json {
        Json::Null => TemplateValue::None,
        Json::Bool(value) => TemplateValue::Boolean(*value),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => TemplateValue::Integer(integer),
            None => TemplateValue::Float(number.as_f64()?),
        },
        Json::String(text) => TemplateValue::Text(text.clone()),
        Json::Array(items) => TemplateValue::List(items.iter().map(plain).collect::<Option<_>>()?),
        Json::Object(_) => return None,
    })
}

fn mismatch(variable: &Variable, got: &str) -> CliError {
    CliError::usage(
        format!(
            "the variable `{}` takes {}, not `{got}`",
            variable.name,
            kind_name(variable.kind)
        ),
        format!(
            "write it as in `{}={}`",
            variable.name,
            example(variable.kind)
        ),
    )
}

/// The type's name in the contract's Python terms.
pub(crate) fn python_name(kind: VariableType) -> &'static str {
    match kind {
        VariableType::Text => "str",
        VariableType::Integer => "int",
        VariableType::Float => "float",
        VariableType::Boolean => "bool",
        VariableType::DateTime => "datetime",
        VariableType::Date => "date",
        VariableType::List => "list",
        VariableType::TextList => "list[str]",
        VariableType::PairList => "list[tuple[str, str]]",
    }
}

fn kind_name(kind: VariableType) -> &'static str {
    match kind {
        VariableType::Text => "text",
        VariableType::Integer => "a whole number",
        VariableType::Float => "a number",
        VariableType::Boolean => "`true` or `false`",
        VariableType::DateTime => "a date and time",
        VariableType::Date => "a date",
        VariableType::List => "a list",
        VariableType::TextList => "a list of texts",
        VariableType::PairList => "a list of pairs of texts",
    }
}

fn example(kind: VariableType) -> &'static str {
    match kind {
        VariableType::Text => "text",
        VariableType::Integer => "5",
        VariableType::Float => "0.5",
        VariableType::Boolean => "true",
        VariableType::DateTime => "2024-06-15T14:30:00Z",
        VariableType::Date => "2024-06-15",
        VariableType::List => "'[1, \"a\"]'",
        VariableType::TextList => "'[\"a\", \"b\"]'",
        VariableType::PairList => "'[[\"a\", \"b\"]]'",
    }
}

#[cfg(test)]
mod tests {
    use bowline_words::Diagnose;

    use super::*;

    fn template(name: &str) -> &'static Template {
        Template::find(name).expect("a template of the contract")
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn values_take_the_contract_types() {
        let arguments = arguments(
            template("get_tables_query"),
            &words(&["database_name=a=b", "schemas='x'", "limit=5"]),
            Some(r#"{"offset": 0}"#),
        )
        .unwrap();
        assert_eq!(
            arguments.variables,
            [
                ("database_name", TemplateValue::Text("a=b".to_owned())),
                ("schemas", TemplateValue::Text("'x'".to_owned())),
                ("offset", TemplateValue::Integer(0)),
                ("limit", TemplateValue::Integer(5)),
            ]
        );
    }

    #[test]
    fn a_placeholder_left_out_stands_for_itself() {
        let arguments = arguments(template("ascending_order"), &[], None).unwrap();
        assert_eq!(arguments.placeholders, [("x", "{x}".to_owned())]);
    }

    #[test]
    fn lists_come_item_by_item_or_as_json() {
        for given in [&["queries=a", "queries=b"][..], &[r#"queries=["a", "b"]"#]] {
            let arguments = arguments(template("union_queries"), &words(given), None).unwrap();
            let item = |text: &str| TemplateValue::Text(text.to_owned());
            assert_eq!(
                arguments.variables,
                [("queries", TemplateValue::List(vec![item("a"), item("b")]))]
            );
        }
    }

    #[test]
    fn datetimes_keep_their_zone() {
        assert!(matches!(
            datetime("2024-06-15T14:30:00"),
            Some(TemplateValue::DateTime(_))
        ));
        for (word, offset) in [
            ("2024-06-15T14:30:00Z", 0),
            ("2024-06-15T14:30:00+02:00", 7200),
            ("2024-06-15T14:30:00[Europe/Berlin]", 7200),
        ] {
            let Some(TemplateValue::ZonedDateTime(zoned)) = datetime(word) else {
                panic!("`{word}` is zoned");
            };
            assert_eq!(zoned.offset().seconds(), offset, "{word}");
        }
        assert_eq!(datetime("soon"), None);
    }

    #[test]
    fn errors_say_what_is_wanted() {
        let wanted = [
            (
                &["offset=x"][..],
                "the variable `offset` takes a whole number, not `x`",
            ),
            (&["ofset=1"], "hint: did you mean `offset`?"),
            (&["offset"], "not a variable: `offset`"),
            (
                &[],
                "needs the variables `database_name`, `schemas`, `offset`, `limit`",
            ),
            (
                &["limit=1"],
                "hint: add `database_name=text schemas=text offset=5`",
            ),
        ];
        for (given, text) in wanted {
            let mut given = words(given);
            if given
                .first()
                .is_some_and(|word| word.starts_with("offset="))
            {
                given.extend(words(&["database_name=a", "schemas=b", "limit=1"]));
            }
            let error = arguments(template("get_tables_query"), &given, None).unwrap_err();
            assert!(error.diagnose().to_string().contains(text), "{error}");
        }
    }
}
