//! A refused schema in words for people.
//!
//! Cerberus reads the constraint of `schema` both ways and reports both failures. People meant one
//! of them, and are told what is wrong with that one.

use super::errors::{Crumb, Errors, FieldErrors};
use super::fault::dotted;
use super::meta;
use super::rules::Type;
use bowline_words::nearest::nearest;

/// Rules that take functions, which only a program can name.
const FUNCTIONS: [&str; 4] = ["check_with", "coerce", "default_setter", "rename_handler"];

/// One line for each thing that is wrong, indented.
pub(crate) fn listing(errors: &Errors) -> String {
    explained(errors).0
}

/// What to do about the first thing for which there is something to do.
pub(crate) fn hint(errors: &Errors) -> Option<String> {
    explained(errors).1
}

fn explained(errors: &Errors) -> (String, Option<String>) {
    let mut out = String::new();
    let mut hint = None;
    list(errors, &mut Vec::new(), &mut out, &mut hint);
    (out, hint)
}

fn list(errors: &Errors, path: &mut Vec<Crumb>, out: &mut String, hint: &mut Option<String>) {
    for (crumb, field) in errors.fields() {
        path.push(crumb.clone());
        match crumb {
            Crumb::Name(rule) if FUNCTIONS.contains(&rule.as_str()) => {
                out.push_str(&format!(
                    "\n  {}: a function cannot be named here",
                    dotted(path)
                ));
                hint.get_or_insert_with(|| {
                    format!("remove `{rule}`; a schema in JSON holds no functions")
                });
            }
            _ => {
                let field = meant(crumb, field);
                for message in &field.messages {
                    out.push_str(&format!("\n  {}: {}", dotted(path), message.text));
                    if hint.is_none() {
                        *hint = hint_for(crumb, &message.text);
                    }
                }
                list(&field.inner, path, out, hint);
            }
        }
        path.pop();
    }
}

/// The reading of `schema` that was meant: as the rules of items only when its keys are rules.
fn meant<'a>(crumb: &Crumb, field: &'a FieldErrors) -> &'a FieldErrors {
    let reading = |wanted: &str| {
        let mut inner = field.inner.fields();
        inner.find_map(|(name, errors)| (*name == Crumb::from(wanted)).then_some(errors))
    };
    match (reading("anyof definition 0"), reading("anyof definition 1")) {
        (Some(fields), Some(items)) if *crumb == Crumb::from("schema") => {
            let is_no_rule = |(_, errors): (&Crumb, &FieldErrors)| {
                errors
                    .messages
                    .iter()
                    .any(|message| message.text == "unknown rule")
            };
            let are_fields = fields
                .inner
                .fields()
                .all(|(_, errors)| errors.messages.is_empty());
            if are_fields && items.inner.fields().any(is_no_rule) {
                fields
            } else {
                items
            }
        }
        _ => field,
    }
}

fn hint_for(crumb: &Crumb, text: &str) -> Option<String> {
    let (wrong, known) = match (crumb, text.strip_prefix("Unsupported types: ")) {
        (_, Some(kind)) => (kind, nearest(kind, Type::NAMES)),
        (Crumb::Name(rule), None) if text == "unknown rule" => {
            (rule.as_str(), nearest(rule, meta::rule_names()))
        }
        _ => return None,
    };
    known.map(|known| format!("did you mean `{known}` instead of `{wrong}`?"))
}

#[cfg(test)]
mod tests {
    use bowline_words::Diagnose;
    use serde_json::{Value, json};

    use crate::Schema;

    fn refusal(schema: &Value) -> String {
        Schema::parse(schema)
            .expect_err("a refused schema")
            .diagnose()
            .to_string()
    }

    #[test]
    fn tells_only_what_was_meant() {
        let schema = json!({"connect_args": {"type": "dict", "schema": {
            "host": {"type": "strng"},
            "hosts": {"type": "list", "schema": {"type": "string", "min_length": 1}},
        }}});
        assert_eq!(
            refusal(&schema),
            "not a valid schema:\
             \n  connect_args.schema.host.type: Unsupported types: strng\
             \n  connect_args.schema.hosts.schema.min_length: unknown rule\
             \nhint: did you mean `string` instead of `strng`?"
        );
    }

    #[test]
    fn says_that_functions_have_no_place() {
        assert_eq!(
            refusal(&json!({"port": {"coerce": "int"}})),
            "not a valid schema:\
             \n  port.coerce: a function cannot be named here\
             \nhint: remove `coerce`; a schema in JSON holds no functions"
        );
    }
}
