//! Fields of records by their names, and the expressions that reach them.

use serde_json::Value as Json;

use super::document::{Document, Members};
use super::endpoint::folded;

/// Words that Jinja reads as something else than a name.
const RESERVED: [&str; 14] = [
    "and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None",
    "loop",
];

/// A field of a record, and how an expression reaches it.
#[derive(Debug, Clone)]
pub(super) struct Access<'d> {
    /// The expression, without a word for when the field is missing.
    pub(super) path: String,
    /// Whether the field may be missing.
    pub(super) optional: bool,
    /// What its values look like.
    pub(super) schema: &'d Json,
}

impl Access<'_> {
    /// The expression for its value.
    pub(super) fn value(&self) -> String {
        if self.optional {
            format!("{} | default(none)", self.path)
        } else {
            self.path.clone()
        }
    }

    /// The same, as part of a larger expression.
    pub(super) fn part(&self) -> String {
        if self.optional {
            format!("({})", self.value())
        } else {
            self.path.clone()
        }
    }

    /// The expression for a time, whatever the vendor writes times as.
    pub(super) fn time(&self, document: &Document) -> String {
        match self.time_filter(document) {
            "" => self.value(),
            filter => format!("{}{filter}", self.part()),
        }
    }

    /// The same, as part of a larger expression.
    pub(super) fn time_part(&self, document: &Document) -> String {
        match self.time_filter(document) {
            "" => self.part(),
            filter => format!("({}{filter})", self.part()),
        }
    }

    fn time_filter(&self, document: &Document) -> &'static str {
        let told = self.schema["description"].as_str().unwrap_or_default();
        let millis = told.to_lowercase().contains("milli") || folded(&self.path).ends_with("ms");
        match (document.kind(self.schema), millis) {
            ("integer" | "number", false) => " | time",
            ("integer" | "number", true) => " | time('ms')",
            _ => "",
        }
    }
}

/// A member of something, as expressions write it.
pub(super) fn member(of: &str, name: &str) -> String {
    let plain = name
        .chars()
        .enumerate()
        .all(|(at, c)| c == '_' || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit()));
    if plain && !name.is_empty() && !RESERVED.contains(&name) {
        format!("{of}.{name}")
    } else {
        format!("{of}[{}]", quoted(name))
    }
}

/// A text as expressions write it.
pub(super) fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
    format!("'{escaped}'")
}

/// Objects that hold the fields of a record that are not the same for every kind of record.
const ENVELOPES: [&str; 3] = ["attributes", "properties", "metadata"];

/// The fields of a record, called `root` in expressions.
pub(super) struct Fields<'d> {
    document: &'d Document,
    root: String,
    members: Members<'d>,
    optional: bool,
    /// The fields of objects that are looked into where the record itself has none of the names.
    enveloped: Vec<Fields<'d>>,
}

impl<'d> Fields<'d> {
    /// The fields of a record, also those that stand within its attributes.
    pub(super) fn of_record(document: &'d Document, schema: &'d Json) -> Self {
        let mut fields = Self::new(document, "record", schema);
        fields.enveloped = ENVELOPES
            .iter()
            .filter_map(|name| fields.inside(&[name]))
            .collect();
        fields
    }

    pub(super) fn new(document: &'d Document, root: &str, schema: &'d Json) -> Self {
        Self {
            document,
            root: root.to_owned(),
            members: document.members(schema),
            optional: false,
            enveloped: Vec::new(),
        }
    }

    /// The first of these names that there is, whatever stands between its words.
    pub(super) fn find(&self, names: &[&str]) -> Option<Access<'d>> {
        self.first(names, |_| true)
    }

    /// The first of these names whose value is text, a number or a flag.
    pub(super) fn plain(&self, names: &[&str]) -> Option<Access<'d>> {
        self.first(names, |kind| !matches!(kind, "object" | "array"))
    }

    fn first(&self, names: &[&str], fits: fn(&str) -> bool) -> Option<Access<'d>> {
        let own = names
            .iter()
            .filter_map(|wanted| self.named(wanted))
            .find(|found| fits(self.document.kind(found.schema)));
        let enveloped = || self.enveloped.iter();
        own.or_else(|| enveloped().find_map(|fields| fields.first(names, fits)))
    }

    /// The fields of the first of these names that is an object.
    pub(super) fn inside(&self, names: &[&str]) -> Option<Self> {
        let found = self.first(names, |kind| kind == "object")?;
        let mut inner = Self::new(self.document, &found.path, found.schema);
        inner.optional = self.optional || found.optional;
        Some(inner)
    }

    /// The fields of every object that the record holds.
    pub(super) fn objects(&self) -> impl Iterator<Item = Self> {
        let names = self.members.all.iter().map(|(name, _)| *name);
        let inner: Vec<Self> = names.filter_map(|name| self.inside(&[name])).collect();
        inner.into_iter()
    }

    fn named(&self, wanted: &str) -> Option<Access<'d>> {
        let wanted = folded(wanted);
        let found = self
            .members
            .all
            .iter()
            .find(|(name, _)| folded(name) == wanted)?;
        Some(Access {
            path: member(&self.root, found.0),
            optional: self.optional || !self.members.required.contains(found.0),
            schema: self.document.settled(found.1),
        })
    }
}
