//! A TOML file with its text at hand, so that every mistake in it can be shown in place.

use std::ops::Range;
use std::path::{Path, PathBuf};

use bowline_contract::toml_text;
use bowline_words::listed;
use bowline_words::nearest::hint_or;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Place, Problem, ProblemKind};

/// The only version of the file formats so far.
pub(crate) const FORMAT_VERSION: i64 = 1;

/// How many mistakes of syntax are told: a file that is no TOML at all has one for every byte.
const MOST_SYNTAX_PROBLEMS: usize = 20;

/// A file's text and the mistakes found in it so far.
#[derive(Debug)]
pub struct Document<'a> {
    path: PathBuf,
    text: &'a str,
    problems: Vec<Problem>,
}

impl<'a> Document<'a> {
    /// A document; `path` is what its problems call it.
    pub fn new(path: &Path, text: &'a str) -> Self {
        Self {
            path: path.to_path_buf(),
            text,
            problems: Vec::new(),
        }
    }

    /// Notes a mistake that covers a byte range.
    pub fn report(
        &mut self,
        kind: ProblemKind,
        range: Range<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let place = Place::of(self.text, range);
        self.report_at(kind, Some(place), message, hint);
    }

    /// Notes a mistake at a place already worked out.
    pub fn report_at(
        &mut self,
        kind: ProblemKind,
        place: Option<Place>,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.problems.push(Problem {
            kind,
            path: self.path.clone(),
            place,
            message: message.into(),
            hint,
        });
    }

    /// The file's text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The mistakes found, in the order of the file.
    pub fn into_problems(mut self) -> Vec<Problem> {
        self.problems
            .sort_by_key(|problem| problem.place.as_ref().map(|p| (p.line, p.column)));
        self.problems
    }

    /// Whether nothing of the text was read, because no parser may see it.
    pub fn is_given_up(&self) -> bool {
        self.text.is_empty() && !self.problems.is_empty()
    }

    /// Parses the text as TOML; gives what could be read and notes the first mistakes of syntax.
    pub fn parse(&mut self) -> Spanned<DeTable<'a>> {
        if let Err(odd) = toml_text::check_brackets(self.text) {
            self.report(ProblemKind::Syntax, odd.at..odd.at + 1, odd.words(), None);
            // Whoever looks for the place of a mistake parses the text again.
            self.text = "";
        }
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors.into_iter().take(MOST_SYNTAX_PROBLEMS) {
            let range = error.span().unwrap_or(0..0);
            self.report(ProblemKind::Syntax, range, error.message(), None);
        }
        table
    }

    /// Checks `version` and the keys against the type's JSON Schema, then reads the value.
    ///
    /// Gives nothing when the file cannot be read as that type; the problems then say why.
    pub fn read<T: DeserializeOwned + JsonSchema>(&mut self) -> Option<T> {
        let before = self.problems.len();
        let mut table = self.parse();
        if self.problems.len() > before || !self.check_version(table.get_ref()) {
            return None;
        }
        let schema = schema_of::<T>();
        self.drop_unknown_keys(&schema, table.get_mut(), "");
        match T::deserialize(toml::de::Deserializer::from(table)) {
            Ok(value) => Some(value),
            Err(error) => {
                let range = error.span().unwrap_or(0..0);
                let kind = if error.message().starts_with("missing field") {
                    ProblemKind::MissingKey
                } else {
                    ProblemKind::InvalidValue
                };
                self.report(kind, range, in_our_words(error.message()), None);
                None
            }
        }
    }

    /// Checks that the file says a version of the format that this program reads; says whether it does.
    pub fn check_version(&mut self, table: &DeTable<'_>) -> bool {
        let Some(version) = table.get("version") else {
            self.report(
                ProblemKind::Version,
                0..0,
                "missing `version`",
                Some(format!("begin the file with `version = {FORMAT_VERSION}`")),
            );
            return false;
        };
        let known = version.get_ref().as_integer().is_some_and(|number| {
            i64::from_str_radix(number.as_str(), number.radix()) == Ok(FORMAT_VERSION)
        });
        if !known {
            self.report(
                ProblemKind::Version,
                version.span(),
                "unknown format version",
                Some(format!(
                    "this program reads `version = {FORMAT_VERSION}`; a newer file needs a newer program"
                )),
            );
        }
        known
    }

    /// Notes and takes out every key that the schema does not name, so that one mistake hides no other.
    fn drop_unknown_keys(&mut self, schema: &Value, table: &mut DeTable<'a>, inside: &str) {
        let properties = schema["properties"].as_object();
        let closed = schema["additionalProperties"] == Value::Bool(false);
        let mut unknown = Vec::new();
        for (key, value) in table.iter_mut() {
            let name = key.get_ref().as_ref();
            match properties.and_then(|properties| properties.get(name)) {
                Some(inner) => {
                    let inner = non_null(inner);
                    let inner_path = if inside.is_empty() {
                        name.to_owned()
                    } else {
                        format!("{inside}.{name}")
                    };
                    match value.get_mut() {
                        DeValue::Table(table) => self.drop_unknown_keys(inner, table, &inner_path),
                        DeValue::Array(items) => {
                            for item in items.iter_mut() {
                                if let DeValue::Table(table) = item.get_mut() {
                                    self.drop_unknown_keys(&inner["items"], table, &inner_path);
                                }
                            }
                        }
                        _ => {}
                    }
                }
                None if closed => unknown.push((key.span(), name.to_owned())),
                None => {}
            }
        }
        for (range, name) in unknown {
            let candidates = properties
                .into_iter()
                .flat_map(|properties| properties.keys().map(String::as_str));
            let hint = hint_or(&name, candidates.clone(), || {
                format!("valid keys are {}", listed(candidates))
            });
            let place = if inside.is_empty() {
                format!("unknown key `{name}`")
            } else {
                format!("unknown key `{name}` in `[{inside}]`")
            };
            self.report(ProblemKind::UnknownKey, range, place, Some(hint));
            table.remove(name.as_str());
        }
    }
}

/// The JSON Schema of a type, without references.
#[must_use]
pub fn schema_of<T: JsonSchema>() -> Value {
    let mut settings = schemars::generate::SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// The part of an optional value's schema that says what it is when present.
fn non_null(schema: &Value) -> &Value {
    schema["anyOf"]
        .as_array()
        .and_then(|options| options.iter().find(|option| option["type"] != "null"))
        .unwrap_or(schema)
}

/// The parser's message in the words of this program: keys, not fields; TOML's types, not Rust's.
fn in_our_words(message: &str) -> String {
    message
        .replace("missing field", "missing key")
        .replace("expected a string", "expected text in quotes")
        .replace("invalid type: string", "invalid type: text")
        .replace("expected struct", "expected a table,")
        .replace("invalid type: map", "invalid type: a table")
}
