//! The `str.format` stage: `{x}` placeholders in rendered text.

use bowline_words::nearest::nearest;

use super::format_syntax::{self, Field, First, FormatSyntaxError, Piece, Step};
use super::python::fault::{Fault, check_text};
use super::python::form::repr;
use super::python::percent::ascii;
use super::python::slice::item;
use super::python::spec::format_text;
use super::python::value::Value;
use super::{TemplateError, TemplateErrorKind};

/// How deep placeholders may stand in the format of placeholders.
const NESTING: usize = 2;

/// Substitutes placeholders by the rules of Python's `str.format` with named text arguments.
///
/// `{x}`, `{x!r}`, `{x:>10}`, `{x:{y}}` and `{x[0]}` mean what they mean in Python; `{{` and `}}` stand for braces.
///
/// # Errors
/// Kind `Format`: braces that do not pair, a name that is not passed, a positional field, a format that texts do not
/// take. Kind `Unsupported`: attributes of texts. Kind `OutOfFuel`: a width beyond all bounds.
pub fn format_placeholders(
    name: &str,
    text: &str,
    placeholders: &[(&str, String)],
) -> Result<String, TemplateError> {
    expand(text, placeholders, NESTING).map_err(|failure| {
        let error =
            TemplateError::at_offset(failure.kind, name, text, failure.offset, failure.message);
        error.with_hint(failure.hint)
    })
}

struct Failure {
    kind: TemplateErrorKind,
    offset: usize,
    message: String,
    hint: Option<String>,
}

impl Failure {
    fn new(offset: usize, message: String) -> Self {
        Self {
            kind: TemplateErrorKind::Format,
            offset,
            message,
            hint: None,
        }
    }

    fn fault(field: &Field<'_>, fault: Fault) -> Self {
        use super::python::fault::FaultKind;
        let kind = match fault.kind {
            FaultKind::Unsupported => TemplateErrorKind::Unsupported,
            FaultKind::Fuel => TemplateErrorKind::OutOfFuel,
            _ => TemplateErrorKind::Format,
        };
        Self {
            kind,
            ..Self::new(
                field.offset,
                format!("placeholder `{{{}}}`: {}", field.name, fault.message),
            )
        }
    }
}

impl From<FormatSyntaxError> for Failure {
    fn from(error: FormatSyntaxError) -> Self {
        Self::new(error.offset, error.message)
    }
}

fn expand(text: &str, placeholders: &[(&str, String)], nesting: usize) -> Result<String, Failure> {
    let mut out = String::with_capacity(text.len());
    for piece in format_syntax::pieces(text)? {
        let field = match piece {
            Piece::Literal(literal) => {
                out.push_str(literal);
                continue;
            }
            Piece::Field(field) => field,
        };
        if nesting == 0 {
            return Err(Failure::new(
                field.offset,
                "placeholders nested too deep".to_owned(),
            ));
        }
        let shown = substitute(&field, placeholders, nesting)?;
        check_text(out.len() + shown.len()).map_err(|fault| Failure::fault(&field, fault))?;
        out.push_str(&shown);
    }
    Ok(out)
}

fn substitute(
    field: &Field<'_>,
    placeholders: &[(&str, String)],
    nesting: usize,
) -> Result<String, Failure> {
    let fault = |fault| Failure::fault(field, fault);
    let (first, steps) = format_syntax::field_name(field)?;
    let First::Key(key) = first else {
        return Err(Failure::new(
            field.offset,
            format!(
                "positional placeholder `{{{}}}`: placeholders have names, and literal braces are doubled",
                field.name
            ),
        ));
    };
    let Some((_, given)) = placeholders.iter().find(|(name, _)| *name == key) else {
        let mut failure = Failure::new(field.offset, format!("unknown placeholder `{{{key}}}`"));
        let names = placeholders.iter().map(|(name, _)| *name);
        failure.hint = nearest(key, names).map(|near| format!("did you mean `{{{near}}}`?"));
        return Err(failure);
    };
    let mut value = Value::text(given);
    for step in steps {
        let key = match step {
            Step::Attribute(name) => {
                return Err(Failure {
                    kind: TemplateErrorKind::Unsupported,
                    ..Failure::new(
                        field.offset,
                        format!("not supported here: the attribute `{name}` in a placeholder"),
                    )
                });
            }
            Step::Index(place) => Value::size(place),
            Step::Key(key) => Value::text(key),
        };
        value = item(&value, &key).map_err(fault)?;
    }
    let mut text = value.as_str().unwrap_or_default().to_owned();
    match field.conversion {
        None | Some('s') => {}
        Some(kind @ ('r' | 'a')) => {
            text = repr(&Value::text(text)).map_err(fault)?;
            if kind == 'a' {
                text = ascii(&text);
            }
        }
        Some(other) => {
            return Err(Failure::new(
                field.offset,
                format!(
                    "unknown conversion `!{other}` in the placeholder `{{{}}}`",
                    field.name
                ),
            ));
        }
    }
    if field.spec.is_empty() {
        return Ok(text);
    }
    let spec = expand(field.spec, placeholders, nesting - 1).map_err(|failure| Failure {
        offset: field.offset,
        ..failure
    })?;
    format_text(&text, &spec).map_err(fault)
}

#[cfg(test)]
mod tests {
    use bowline_words::Diagnose;

    use super::*;

    fn format(text: &str) -> Result<String, TemplateError> {
        let placeholders = [("x", "a".to_owned()), ("date_expr", "b".to_owned())];
        format_placeholders("get_sum_function", text, &placeholders)
    }

    #[test]
    fn names_are_substituted_and_double_braces_are_braces() {
        assert_eq!(
            format("SUM({x}) {{{x}}} {x!r:>5}"),
            Ok("SUM(a) {a}   'a'".to_owned())
        );
    }

    #[test]
    fn an_unknown_name_offers_the_nearest() {
        let error = format("f({date_exp})").unwrap_err();
        assert_eq!(
            error.diagnose().to_string(),
            "unknown placeholder `{date_exp}` (`get_sum_function`, 1:3)\nhint: did you mean `{date_expr}`?"
        );
        assert_eq!(error.kind, TemplateErrorKind::Format);
    }

    #[test]
    fn positional_fields_and_single_braces_are_errors() {
        for text in [
            "{}", "{2}", "a } b", "a {", "{x", "{x!", "{x!q}", "{x:d}", "{x[5]}",
        ] {
            let error = format(text).unwrap_err();
            assert_eq!(error.kind, TemplateErrorKind::Format, "{text}");
            assert!(error.line.is_some(), "{text}");
        }
    }

    #[test]
    fn attributes_of_placeholders_are_refused() {
        let error = format("{x.upper}").unwrap_err();
        assert_eq!(error.kind, TemplateErrorKind::Unsupported);
    }
}
