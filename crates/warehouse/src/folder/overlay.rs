//! Templates that are written into a connector's folder by the program.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use bowline_contract::reading::read_text;
use bowline_contract::{Template, TemplateKind, TemplateSection, layout, toml_text};
use bowline_words::{Diagnose, Diagnostic};
use toml::de::{DeTable, DeValue};

use super::layer::{fitted_methods, with_layer};
use crate::connector::Connector;
use crate::dialect::{ANY_ENGINE, Pack};
use crate::template::{Origin, SuiteWords};

/// A template to write.
#[derive(Debug, Clone)]
pub struct NewTemplate {
    /// The template.
    pub template: &'static Template,
    /// Its text; none where the database does not have it.
    pub text: Option<String>,
    /// One line on where it is from, without the sign of a comment; it begins as [`FITTED`].
    pub comment: String,
}

/// How comments begin that say that a fit wrote a template.
pub const FITTED: &str = "Fitted on ";

/// Why templates cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// A file cannot be read or written.
    #[error("cannot write templates: `{}`", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no place for a template in a file that its user wrote.
    #[error("cannot write templates: `{}`: no place for `{template}`", .path.display())]
    NoPlace {
        /// The file.
        path: PathBuf,
        /// The template's short name.
        template: &'static str,
    },
}

impl Diagnose for OverlayError {
    fn diagnose(&self) -> Diagnostic {
        let told = Diagnostic::of(self);
        match self {
            Self::File { .. } => told,
            Self::NoPlace { .. } => told.hint(
                "give the file the shape that `bowline new` writes: sections as tables, a template a line".to_owned(),
            ),
        }
    }
}

impl Connector {
    /// Writes templates where this connector has its own: into `templates.toml`, over what stands there, or into the
    /// layer behind the classes of `connector.py`; and words for the suite's own statements that it lacks. Gives the files that changed.
    ///
    /// # Errors
    /// [`OverlayError`]; files before the one that it names may have changed.
    pub fn write_templates(
        &self,
        templates: &[NewTemplate],
        suite: &SuiteWords,
    ) -> Result<Vec<PathBuf>, OverlayError> {
        let home = self.home();
        if self.is_in_python() {
            let words = suite_lines(
                suite,
                "BaseConnector.one_row_table = ",
                "BaseConnector.text_type = ",
            );
            write(&home, &with_layer(&read(&home)?, templates, &words))?;
            return Ok(vec![home]);
        }
        let mut changed = Vec::new();
        let mut text = match read_text(&home) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(OverlayError::File { path: home, source }),
        };
        let before = text.clone();
        for new in templates {
            if let Some(path) = self.own_file(new.template) {
                write(&path, new.text.as_deref().unwrap_or_default())?;
                changed.push(path);
                continue;
            }
            text = in_toml(&text, new).ok_or_else(|| OverlayError::NoPlace {
                path: home.clone(),
                template: new.template.short_name(),
            })?;
        }
        if text != before {
            write(&home, &text)?;
            changed.push(home);
        }
        let words = suite_lines(suite, "one_row_table = ", "text_type = ");
        if !words.is_empty() {
            let path = self.dir.join(layout::CONNECTOR_FILE);
            let text = read(&path)?;
            write(&path, &with_suite(&text, &words))?;
            changed.push(path);
        }
        Ok(changed)
    }

    /// The templates that its `templates.toml` says are not implemented, in the user's own word.
    #[must_use]
    pub fn refused(&self) -> Vec<&'static Template> {
        let text = read_text(&self.dir.join(layout::TEMPLATES_FILE)).unwrap_or_default();
        let Some(table) = toml_text::read::<toml::Table>(&text) else {
            return Vec::new();
        };
        let nested = table.values().filter_map(toml::Value::as_table);
        let all = nested.chain([&table]).flat_map(|table| table.iter());
        all.filter(|(_, value)| value.as_bool() == Some(false))
            .filter_map(|(name, _)| Template::find(name))
            .filter(|template| template.kind != TemplateKind::Flag)
            .filter(|template| !is_fitted(&text, template))
            .collect()
    }

    /// The templates of its own files whose text the program wrote: an earlier fit, as the comment says, or `bowline new`
    /// from the base of all engines, where nobody changed it since.
    #[must_use]
    pub fn written_by_us(&self) -> Vec<&'static Template> {
        let home = self.home();
        let text = read_text(&home).unwrap_or_default();
        if self.is_in_python() {
            let base = Pack::find(ANY_ENGINE);
            let mut ours = fitted_methods(&text);
            ours.extend(self.templates.iter().filter_map(|own| {
                let of_base = base?.spelling(own.template)?;
                (of_base.text == own.text).then_some(own.template)
            }));
            return ours;
        }
        Template::all()
            .filter(|template| is_fitted(&text, template))
            .collect()
    }

    /// The file that holds this template and nothing else.
    fn own_file(&self, template: &Template) -> Option<PathBuf> {
        let own = self.templates.get(template)?;
        match &own.origin {
            Origin::File { path, .. }
                if path
                    .parent()
                    .is_some_and(|dir| dir.ends_with(layout::TEMPLATES_DIR)) =>
            {
                Some(path.clone())
            }
            _ => None,
        }
    }
}

fn read(path: &Path) -> Result<String, OverlayError> {
    read_text(path).map_err(|source| OverlayError::File {
        path: path.to_path_buf(),
        source,
    })
}

fn write(path: &Path, text: &str) -> Result<(), OverlayError> {
    fs::write(path, text).map_err(|source| OverlayError::File {
        path: path.to_path_buf(),
        source,
    })
}

/// The text of `templates.toml` with a template in it; none where there is no place for it.
fn in_toml(text: &str, new: &NewTemplate) -> Option<String> {
    let name = new.template.short_name();
    let section = new.template.section;
    let value = match &new.text {
        Some(text) => toml_value(new.template, text),
        None => "false".to_owned(),
    };
    let line = format!("{name} = {value}");
    let commented = format!("# {}\n{line}", new.comment);
    let written = if let Some(place) = entry(text, new.template) {
        let (start, line) = match fitted_comment(text, place.start) {
            Some(start) => (start, &commented),
            None => (place.start, &line),
        };
        format!("{}{line}{}", &text[..start], &text[place.end..])
    } else if let Some(end) = behind_comment(text, name) {
        format!("{}{commented}\n{}", &text[..end], &text[end..])
    } else if let Some(end) = behind_header(text, section) {
        format!("{}{commented}\n{}", &text[..end], &text[end..])
    } else {
        let gap = if text.is_empty() { "" } else { "\n" };
        format!("{text}{gap}[{section}]\n{commented}\n")
    };
    let stands = |table: &toml::Table| {
        let found = table.get(section.name()).and_then(|table| table.get(name));
        let found = found.or_else(|| table.get(name))?;
        Some(match found {
            toml::Value::Boolean(flag) => flag.to_string(),
            other => other.as_str()?.to_owned(),
        })
    };
    let read = written.parse::<toml::Table>().ok()?;
    (stands(&read)? == new.text.as_deref().unwrap_or("false")).then_some(written)
}

/// Where a template's key and value stand.
fn entry(text: &str, template: &Template) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    let in_table = |table: &DeTable<'_>| {
        table.iter().find_map(|(key, value)| {
            let is_it = Template::find(key.get_ref()) == Some(template);
            is_it.then(|| key.span().start..value.span().end)
        })
    };
    let table = table.get_ref();
    in_table(table).or_else(|| {
        table.iter().find_map(|(_, value)| match value.get_ref() {
            DeValue::Table(inner) => in_table(inner),
            _ => None,
        })
    })
}

/// Whether the comment of a fit stands above a template.
fn is_fitted(text: &str, template: &Template) -> bool {
    let place = entry(text, template);
    place.is_some_and(|place| fitted_comment(text, place.start).is_some())
}

/// Where the comment of a fit begins in the line above a template; none where it has no such comment.
fn fitted_comment(text: &str, template: usize) -> Option<usize> {
    let above = text[..template].strip_suffix('\n')?;
    let start = above.rfind('\n').map_or(0, |end| end + 1);
    let comment = above[start..].strip_prefix("# ");
    comment
        .is_some_and(|comment| comment.starts_with(FITTED))
        .then_some(start)
}

/// Behind the line in which a new `templates.toml` shows a template as a comment.
fn behind_comment(text: &str, name: &str) -> Option<usize> {
    let shows = |line: &str| {
        let rest = line
            .strip_prefix("# ")
            .and_then(|line| line.strip_prefix(name));
        rest.is_some_and(|rest| rest.starts_with([' ', ':']))
    };
    end_of_line(text, shows)
}

fn behind_header(text: &str, section: TemplateSection) -> Option<usize> {
    let header = format!("[{section}]");
    end_of_line(text, |line| line.trim() == header)
}

/// The end of the first line of which this holds, its break included.
fn end_of_line(text: &str, holds: impl Fn(&str) -> bool) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        if line.ends_with('\n') && holds(line.trim_end()) {
            return Some(at);
        }
    }
    None
}

/// A template's text as a value of `templates.toml`.
pub(crate) fn toml_value(template: &Template, text: &str) -> String {
    if template.kind == TemplateKind::Flag {
        return text.to_owned();
    }
    let is_long = text.contains('\n') || text.contains('\'');
    let is_plain = !text.contains(|c: char| c.is_control() && c != '\n');
    match (is_long, is_plain) {
        (false, true) => format!("'{text}'"),
        (true, true) if !text.contains("'''") && !text.ends_with('\'') => {
            format!("'''\n{text}'''")
        }
        _ => toml::Value::from(text).to_string(),
    }
}

fn suite_lines(suite: &SuiteWords, one_row_table: &str, text_type: &str) -> Vec<String> {
    let words = [
        (one_row_table, &suite.one_row_table),
        (text_type, &suite.text_type),
    ];
    let given = words.into_iter().filter_map(|(name, word)| {
        let word = toml::Value::from(word.as_deref()?);
        Some(format!("{name}{word}\n"))
    });
    given.collect()
}

/// `connector.toml` with words in `[suite]`.
fn with_suite(text: &str, words: &[String]) -> String {
    let words = words.concat();
    match end_of_line(text, |line| line.trim() == "[suite]") {
        Some(end) => format!("{}{words}{}", &text[..end], &text[end..]),
        None => format!(
            "{}\n\n# What the suite writes into statements of its own.\n[suite]\n{words}",
            text.trim_end()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(name: &'static str, text: &str) -> NewTemplate {
        NewTemplate {
            template: Template::known(name),
            text: Some(text.to_owned()),
            comment: "Fitted on X.".to_owned(),
        }
    }

    #[test]
    fn a_template_goes_where_a_new_file_shows_it() {
        let file = "# head\n\n# About\n[string_functions]\n# Not in the pack. Counts.\n# get_length = \"\"\n# substring_func = 'x'\n";
        let written = in_toml(file, &new("get_length", "LENGTH({x})")).unwrap();
        assert!(written.contains(
            "# get_length = \"\"\n# Fitted on X.\nget_length = 'LENGTH({x})'\n# substring_func"
        ));
        let mut other = new("get_length", "LEN('{x}')");
        other.comment = "Fitted on Y.".to_owned();
        let again = in_toml(&written, &other).unwrap();
        assert!(
            again.contains("get_length = \"\"\n# Fitted on Y.\nget_length = '''\nLEN('{x}')'''\n")
        );
        other.text = None;
        let none = in_toml(&again, &other).unwrap();
        assert!(
            none.contains("get_length = \"\"\n# Fitted on Y.\nget_length = false\n"),
            "{none}"
        );
    }

    #[test]
    fn a_file_without_the_section_gets_it() {
        let written = in_toml("", &new("get_length", "LEN({x})")).unwrap();
        assert_eq!(
            written,
            "[string_functions]\n# Fitted on X.\nget_length = 'LEN({x})'\n"
        );
        let written = in_toml(&written, &new("supports_limit_0", "true")).unwrap();
        assert!(
            written.ends_with(
                "\n[dialect_capability_flags]\n# Fitted on X.\nsupports_limit_0 = true\n"
            )
        );
        let written = in_toml("get_length = \"A\"\n", &new("get_length", "B")).unwrap();
        assert_eq!(written, "get_length = 'B'\n");
    }

    #[test]
    fn every_text_comes_back_from_toml() {
        for text in [
            "a'b",
            "a\nb",
            "\nx",
            "'''",
            "ends'",
            "tab\t\"q\" '",
            "\\d {{ x }}",
        ] {
            let written = in_toml("", &new("get_length", text));
            assert!(written.is_some(), "{text}");
        }
    }

    #[test]
    fn words_join_those_that_are_there() {
        let words = vec!["text_type = \"CLOB\"\n".to_owned()];
        let with = with_suite("version = 1\n[suite]\none_row_table = \"DUAL\"\n", &words);
        assert_eq!(
            with,
            "version = 1\n[suite]\ntext_type = \"CLOB\"\none_row_table = \"DUAL\"\n"
        );
        assert!(with_suite("version = 1\n", &words).ends_with("\n[suite]\ntext_type = \"CLOB\"\n"));
    }
}
