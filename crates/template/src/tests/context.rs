//! Contexts written as JSON, with the types JSON lacks spelled as `{"$type": ...}`.

use serde_json::Value as Json;

use crate::TemplateValue;

/// The variables of a JSON object.
pub(super) fn variables(context: &Json) -> Vec<(String, TemplateValue)> {
    let entries = context.as_object().into_iter().flatten();
    entries
        .map(|(name, value)| (name.clone(), template_value(value)))
        .collect()
}

fn template_value(json: &Json) -> TemplateValue {
    match json {
        Json::Null => TemplateValue::None,
        Json::Bool(truth) => TemplateValue::Boolean(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(number) => TemplateValue::Integer(number),
            None => TemplateValue::Float(number.as_f64().expect("a number")),
        },
        Json::String(text) => TemplateValue::Text(text.clone()),
        Json::Array(items) => TemplateValue::List(items.iter().map(template_value).collect()),
        Json::Object(entries) => match entries.iter().next() {
            Some((kind, inside)) if kind.starts_with('$') => special(kind, inside),
            _ => TemplateValue::Dict(
                entries
                    .iter()
                    .map(|(key, value)| (key.clone(), template_value(value)))
                    .collect(),
            ),
        },
    }
}

fn special(kind: &str, inside: &Json) -> TemplateValue {
    if let Some(items) = inside.as_array() {
        return TemplateValue::Tuple(items.iter().map(template_value).collect());
    }
    let text = inside.as_str().expect("a text");
    match kind {
        "$float" => TemplateValue::Float(text.parse().expect("a float")),
        "$date" => TemplateValue::Date(text.parse().expect("a date")),
        "$datetime" => TemplateValue::DateTime(text.parse().expect("a datetime")),
        "$zoned" => TemplateValue::ZonedDateTime(Box::new(text.parse().expect("a zoned datetime"))),
        _ => panic!("unknown type `{kind}` in a context"),
    }
}
