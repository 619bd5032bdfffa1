//! `templates.toml` and `templates/*.sql.j2`: the template texts a connector or a pack gives.

use std::path::Path;

use bowline_connector::folder::{Document, Place, Problem, ProblemKind};
use bowline_contract::layout::TEMPLATE_SOURCE_ENDING;
use bowline_contract::{Template, TemplateKind, TemplateSection};
use bowline_template::{CompiledTemplate, TemplateError};
use bowline_words::listed;
use bowline_words::nearest::{hint_or, nearest};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::position::{first_line_in_file, position_in_file};

/// What one file says about one template.
#[derive(Debug, Clone)]
pub(crate) struct GivenTemplate {
    /// Which template.
    pub(crate) template: &'static Template,
    /// Its text; none when the file says that it is not implemented.
    pub(crate) text: Option<String>,
    /// The line where the text, or the word that drops it, begins in the file; from 1.
    pub(crate) line: usize,
    token: std::ops::Range<usize>,
    form: Form,
}

/// How a file holds a template's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    TomlString,
    WholeFile,
}

impl GivenTemplate {
    /// Where a template error stands in the file whose text is given.
    fn place(&self, file: &str, error: &TemplateError) -> Place {
        let line = error.line.unwrap_or(1);
        let column = error.column.unwrap_or(0);
        match self.form {
            Form::WholeFile => Place::at(file, line, column),
            Form::TomlString => {
                let at = position_in_file(file, self.token.clone(), line, column.max(1));
                Place::of(file, at..at)
            }
        }
    }
}

/// Reads `templates.toml`; mistakes are noted in the document and the rest is still given.
pub(crate) fn read_templates(document: &mut Document<'_>) -> Vec<GivenTemplate> {
    let table = document.parse();
    let mut given = Vec::new();
    read_table(document, table.get_ref(), None, &mut given);
    given
}

fn read_table(
    document: &mut Document<'_>,
    table: &DeTable<'_>,
    section: Option<TemplateSection>,
    given: &mut Vec<GivenTemplate>,
) {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        let name = key.get_ref().as_ref();
        match (value.get_ref(), section) {
            (DeValue::Table(inner), None) if Template::find(name).is_none() => {
                match TemplateSection::from_name(name) {
                    Some(found) => read_table(document, inner, Some(found), given),
                    None => report_unknown_section(document, key.span(), name),
                }
            }
            _ => {
                if let Some(template) = find_template(document, key.span(), name, section) {
                    read_value(document, template, value, given);
                }
            }
        }
    }
}

fn report_unknown_section(document: &mut Document<'_>, range: std::ops::Range<usize>, name: &str) {
    let names = TemplateSection::ALL.iter().map(|section| section.name());
    let hint = match nearest(name, names.clone()) {
        Some(near) => format!("did you mean `[{near}]`?"),
        None => format!("sections are {}", listed(names)),
    };
    document.report(
        ProblemKind::UnknownKey,
        range,
        format!("unknown section `[{name}]`"),
        Some(hint),
    );
}

fn find_template(
    document: &mut Document<'_>,
    range: std::ops::Range<usize>,
    name: &str,
    section: Option<TemplateSection>,
) -> Option<&'static Template> {
    let Some(template) = Template::find(name) else {
        document.report(
            ProblemKind::UnknownTemplate,
            range,
            format!("unknown template `{name}`"),
            Some(nearest_template(name)),
        );
        return None;
    };
    if let Some(section) = section.filter(|section| *section != template.section) {
        document.report(
            ProblemKind::WrongSection,
            range,
            format!("`{name}` does not belong to `[{section}]`"),
            Some(format!("move it under `[{}]`", template.section)),
        );
        return None;
    }
    Some(template)
}

/// The hint for a template name that is not in the contract.
pub(crate) fn nearest_template(name: &str) -> String {
    let short = name.strip_suffix("_template").unwrap_or(name);
    hint_or(short, Template::all().map(Template::short_name), || {
        "`bowline explain` lists every template".to_owned()
    })
}

fn read_value(
    document: &mut Document<'_>,
    template: &'static Template,
    value: &Spanned<DeValue<'_>>,
    given: &mut Vec<GivenTemplate>,
) {
    let text = match (value.get_ref(), template.kind) {
        (DeValue::String(text), _) => Some(text.as_ref().to_owned()),
        (DeValue::Boolean(flag), TemplateKind::Flag) => Some(flag.to_string()),
        (DeValue::Boolean(false), _) => None,
        (other, kind) => {
            let hint = if kind == TemplateKind::Flag {
                "give `true` or `false`"
            } else {
                "give the template's text, or `false` for one that is not implemented"
            };
            let found = match other {
                DeValue::Boolean(_) => "`true`",
                DeValue::Table(_) => "a table",
                DeValue::Array(_) => "a list",
                DeValue::Datetime(_) => "a time",
                DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) => "a number",
            };
            document.report(
                ProblemKind::InvalidValue,
                value.span(),
                format!("`{}` cannot be {found}", template.short_name()),
                Some(hint.to_owned()),
            );
            return;
        }
    };
    let line = first_line_in_file(document.text(), value.span());
    if let Some(earlier) = given.iter().find(|earlier| earlier.template == template) {
        let message = format!(
            "`{}` is given twice: first in line {}",
            template.short_name(),
            earlier.line
        );
        document.report(
            ProblemKind::Duplicate,
            value.span(),
            message,
            Some("keep one of them".to_owned()),
        );
        return;
    }
    given.push(GivenTemplate {
        template,
        text: text.filter(|text| !text.trim().is_empty()),
        line,
        token: value.span(),
        form: Form::TomlString,
    });
}

/// Which template a file in `templates/` holds, by its name; nothing for files that are none of our business.
///
/// # Errors
/// A problem when the file is meant to be a template and its name is not one.
pub(crate) fn template_of_file(path: &Path) -> Result<Option<&'static Template>, Box<Problem>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let problem = |message: String, hint: String| {
        Box::new(Problem {
            kind: ProblemKind::UnknownTemplate,
            path: path.to_path_buf(),
            place: None,
            message,
            hint: Some(hint),
        })
    };
    if name.starts_with('.') {
        return Ok(None);
    }
    if let Some(stem) = name.strip_suffix(TEMPLATE_SOURCE_ENDING) {
        return match Template::find(stem) {
            Some(template) => Ok(Some(template)),
            None => Err(problem(
                format!("unknown template `{stem}`"),
                nearest_template(stem),
            )),
        };
    }
    let stem = name
        .strip_suffix(".j2")
        .or_else(|| name.strip_suffix(".sql"));
    match stem {
        Some(stem) => Err(problem(
            format!("a template's file name ends in `{TEMPLATE_SOURCE_ENDING}`"),
            format!("rename it to `{stem}{TEMPLATE_SOURCE_ENDING}`"),
        )),
        None => Ok(None),
    }
}

/// The template that a whole file holds.
pub(crate) fn whole_file(template: &'static Template, text: &str) -> GivenTemplate {
    GivenTemplate {
        template,
        text: Some(text.to_owned()).filter(|text| !text.trim().is_empty()),
        line: 1,
        token: 0..text.len(),
        form: Form::WholeFile,
    }
}

/// Compiles a given text; a mistake becomes a problem placed in its file.
///
/// # Errors
/// The mistake.
pub(crate) fn compile(
    given: &GivenTemplate,
    text: &str,
    path: &Path,
    file: &str,
) -> Result<CompiledTemplate, Box<Problem>> {
    CompiledTemplate::compile(given.template.short_name(), text).map_err(|error| {
        Box::new(Problem {
            kind: ProblemKind::Template,
            path: path.to_path_buf(),
            place: Some(given.place(file, &error)),
            message: format!("`{}`: {}", given.template.short_name(), error.message),
            hint: error.hint,
        })
    })
}
