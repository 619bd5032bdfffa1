//! The `str.format` stage: `{x}` placeholders in rendered text.

use bowline_contract::nearest::nearest;

use super::markup::{self, First, Piece};
use super::{TemplateError, TemplateErrorKind};

/// Substitutes placeholders by the rules of Python's `str.format` with named text arguments.
///
/// # Errors
/// Kind `Format`: braces that do not pair, a name that is not passed, a positional field.
pub fn format_placeholders(
    name: &str,
    text: &str,
    placeholders: &[(&str, String)],
) -> Result<String, TemplateError> {
    let fail = |offset: usize, message: String| {
        TemplateError::at_offset(TemplateErrorKind::Format, name, text, offset, message)
    };
    let mut out = String::with_capacity(text.len());
    for piece in markup::pieces(text).map_err(|e| fail(e.offset, e.message))? {
        let field = match piece {
            Piece::Literal(literal) => {
                out.push_str(literal);
                continue;
            }
            Piece::Field(field) => field,
        };
        let (first, steps) = markup::field_name(&field).map_err(|e| fail(e.offset, e.message))?;
        let First::Key(key) = first else {
            return Err(fail(
                field.offset,
                format!(
                    "positional placeholder `{{{}}}`: placeholders are named",
                    field.name
                ),
            ));
        };
        let Some((_, value)) = placeholders.iter().find(|(name, _)| *name == key) else {
            let hint = nearest(key, placeholders.iter().map(|(name, _)| *name))
                .map(|near| format!("did you mean `{{{near}}}`?"));
            return Err(
                fail(field.offset, format!("unknown placeholder `{{{key}}}`")).with_hint(hint),
            );
        };
        if !steps.is_empty() || field.conversion.is_some() || !field.spec.is_empty() {
            return Err(fail(
                field.offset,
                format!("placeholder `{{{}}}` has a format", field.name),
            ));
        }
        out.push_str(value);
    }
    Ok(out)
}
