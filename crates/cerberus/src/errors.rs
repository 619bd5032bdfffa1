//! What went wrong, first as a list of violations with both paths, then as Cerberus' error dict.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::python;
use super::rules::Operator;

/// One step of a path into a document or a schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Crumb {
    /// A key of a dict.
    Name(String),
    /// A place in a list, counted from zero.
    Index(usize),
    /// A whole path used as one key; Cerberus does this for a few faults in schemas.
    Path(Vec<Crumb>),
}

impl From<&str> for Crumb {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl fmt::Display for Crumb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Index(index) => write!(formatter, "{index}"),
            Self::Path(_) => formatter.write_str(&self.repr()),
        }
    }
}

impl Crumb {
    fn repr(&self) -> String {
        match self {
            Self::Name(name) => python::text_repr(name),
            Self::Index(index) => index.to_string(),
            Self::Path(crumbs) => {
                let inner: Vec<_> = crumbs.iter().map(Self::repr).collect();
                let comma = if crumbs.len() == 1 { "," } else { "" };
                format!("({}{comma})", inner.join(", "))
            }
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Index(_) => 0,
            Self::Name(_) => 1,
            Self::Path(_) => 2,
        }
    }
}

/// A message in Cerberus' words, and the same without values from the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Cerberus' own text. It may show a value of the document.
    pub text: String,
    /// The text with such a value left out; `None` when the text shows none.
    pub without_value: Option<String>,
}

impl Message {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            without_value: None,
        }
    }

    pub(crate) fn showing_value(label: &str, shown: &str) -> Self {
        Self {
            text: format!("{label} {shown}"),
            without_value: Some(format!("{label} (hidden)")),
        }
    }
}

/// A violation as the validator finds it.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) document_path: Vec<Crumb>,
    pub(crate) schema_path: Vec<Crumb>,
    pub(crate) kind: ViolationKind,
}

#[derive(Debug, Clone)]
pub(crate) enum ViolationKind {
    /// A rule that failed by itself.
    Leaf(Message),
    /// `excludes` violated, with the names it lists. Its text names the field by the last step of
    /// a path, which inside nested `*of` rules is a definition; so it waits for that path.
    Excluded(String),
    /// `readonly` violated; told apart because it silences the field's other rules.
    ReadOnly,
    /// A rule that holds the violations of a nested document.
    Group(Vec<Violation>),
    /// An `*of` rule with the violations of its definitions.
    Logic(Operator, Vec<Violation>),
}

/// The path Cerberus notes when a field is missing only because of `require_all`. It is a text
/// there where a path belongs, and its letters then act as the steps.
pub(crate) fn require_all_path() -> Vec<Crumb> {
    "__require_all__"
        .chars()
        .map(|letter| Crumb::Name(letter.to_string()))
        .collect()
}

impl Violation {
    pub(crate) fn children(&self) -> &[Self] {
        match &self.kind {
            ViolationKind::Group(children) | ViolationKind::Logic(_, children) => children,
            ViolationKind::Leaf(_) | ViolationKind::Excluded(_) | ViolationKind::ReadOnly => &[],
        }
    }

    /// Whether it, or one inside it, concerns the path or something below.
    pub(crate) fn concerns(&self, path: &[Crumb]) -> bool {
        self.document_path.starts_with(path)
            || self.children().iter().any(|child| child.concerns(path))
    }

    /// Takes steps out of the schema paths, counted from `base`; `steps` must fall.
    pub(crate) fn drop_schema_steps(violations: &mut [Self], base: usize, steps: &[usize]) {
        for violation in violations {
            for step in steps {
                if base + step < violation.schema_path.len() {
                    violation.schema_path.remove(base + step);
                }
            }
            if let ViolationKind::Group(children) | ViolationKind::Logic(_, children) =
                &mut violation.kind
            {
                Self::drop_schema_steps(children, base, steps);
            }
        }
    }

    /// Cerberus' `<` between errors. Equal paths count as less, which is why violations of one
    /// rule on one field come out turned around.
    fn precedes(&self, other: &Self) -> bool {
        if self.document_path == other.document_path {
            path_precedes(&self.schema_path, &other.schema_path)
        } else {
            path_precedes(&self.document_path, &other.document_path)
        }
    }

    /// Sorts as Python's `list.sort` does with that `<`: the leading run first, turned around
    /// when it falls, then the rest by binary insertion.
    pub(crate) fn sort(violations: &mut [Self]) {
        let count = violations.len();
        if count < 2 {
            return;
        }
        let falls = |at: usize, list: &[Self]| list[at].precedes(&list[at - 1]);
        let falling = falls(1, violations);
        let mut run = 2;
        while run < count && falls(run, violations) == falling {
            run += 1;
        }
        if falling {
            violations[..run].reverse();
        }
        for at in run..count {
            let (mut low, mut high) = (0, at);
            while low < high {
                let middle = low + (high - low) / 2;
                if violations[at].precedes(&violations[middle]) {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            violations[low..=at].rotate_right(1);
        }
    }
}

fn path_precedes(left: &[Crumb], right: &[Crumb]) -> bool {
    for (a, b) in left.iter().zip(right) {
        if a == b {
            continue;
        }
        return match (a, b) {
            (Crumb::Index(a), Crumb::Index(b)) => a < b,
            (Crumb::Name(a), Crumb::Name(b)) => a < b,
            (Crumb::Path(a), Crumb::Path(b)) => a.len() < b.len() || path_precedes(a, b),
            _ => a.rank() != b.rank(),
        };
    }
    left.len() <= right.len()
}

/// Cerberus' error dict: for every field its messages, then the errors inside it.
///
/// It serialises as that dict does (`{"field": ["message", {"inner": [...]}]}`), and its
/// [`Display`](fmt::Display) is Python's representation of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Errors {
    fields: Vec<(Crumb, FieldErrors)>,
}

/// The errors of one field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors {
    /// What is wrong with the field itself.
    pub messages: Vec<Message>,
    /// What is wrong inside it.
    pub inner: Errors,
}

impl Errors {
    pub(crate) fn new(violations: &[Violation]) -> Self {
        let mut errors = Self::default();
        for violation in violations {
            errors.add(
                violation,
                &violation.document_path,
                violation.document_path.last(),
            );
        }
        errors
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The fields with errors, in Cerberus' order.
    pub fn fields(&self) -> impl Iterator<Item = (&Crumb, &FieldErrors)> {
        self.fields.iter().map(|(crumb, errors)| (crumb, errors))
    }

    /// Every message with the path of its field.
    #[must_use]
    pub fn flat(&self) -> Vec<(Vec<&Crumb>, &Message)> {
        let mut out = Vec::new();
        self.flatten_into(&mut Vec::new(), &mut out);
        out
    }

    fn flatten_into<'a>(
        &'a self,
        path: &mut Vec<&'a Crumb>,
        out: &mut Vec<(Vec<&'a Crumb>, &'a Message)>,
    ) {
        for (crumb, errors) in &self.fields {
            path.push(crumb);
            out.extend(
                errors
                    .messages
                    .iter()
                    .map(|message| (path.clone(), message)),
            );
            errors.inner.flatten_into(path, out);
            path.pop();
        }
    }

    /// `field` is what the text of `excludes` calls the field.
    fn add(&mut self, violation: &Violation, path: &[Crumb], field: Option<&Crumb>) {
        let depth = violation.document_path.len();
        let below = |child: &Violation| child.document_path.get(depth..).unwrap_or(&[]).to_vec();
        match &violation.kind {
            ViolationKind::Leaf(message) => self.insert(path, message.clone()),
            ViolationKind::Excluded(names) => {
                let field = field.map_or_else(String::new, Crumb::to_string);
                let text = format!("{names} must not be present with '{field}'");
                self.insert(path, Message::plain(text));
            }
            ViolationKind::ReadOnly => self.insert(path, Message::plain("field is read-only")),
            ViolationKind::Group(children) => {
                for child in children {
                    let path = [path, &below(child)].concat();
                    self.add(child, &path, path.last());
                }
            }
            ViolationKind::Logic(operator, children) => {
                self.insert(path, Message::plain(operator.complaint()));
                for (definition, children) in by_definition(violation, children) {
                    let node = Crumb::Name(format!("{operator} definition {definition}"));
                    for child in children {
                        let inner = [path, std::slice::from_ref(&node), &below(child)].concat();
                        self.add(child, &inner, path.last());
                    }
                }
            }
        }
    }

    fn insert(&mut self, path: &[Crumb], message: Message) {
        let Some((crumb, rest)) = path.split_first() else {
            return;
        };
        let at = match self.fields.iter().position(|(known, _)| known == crumb) {
            Some(at) => at,
            None => {
                self.fields.push((crumb.clone(), FieldErrors::default()));
                self.fields.len() - 1
            }
        };
        let errors = &mut self.fields[at].1;
        if rest.is_empty() {
            errors.messages.push(message);
        } else {
            errors.inner.insert(rest, message);
        }
    }
}

/// Groups by the schema step after the operator, which is the definition's number.
fn by_definition<'a>(
    violation: &Violation,
    children: &'a [Violation],
) -> Vec<(String, Vec<&'a Violation>)> {
    let mut groups: Vec<(String, Vec<&Violation>)> = Vec::new();
    for child in children {
        let definition = child
            .schema_path
            .get(violation.schema_path.len())
            .map_or_else(String::new, Crumb::to_string);
        match groups.iter_mut().find(|(known, _)| *known == definition) {
            Some((_, group)) => group.push(child),
            None => groups.push((definition, vec![child])),
        }
    }
    groups
}

impl fmt::Display for Errors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("{")?;
        for (at, (crumb, errors)) in self.fields.iter().enumerate() {
            if at > 0 {
                formatter.write_str(", ")?;
            }
            write!(formatter, "{}: [", crumb.repr())?;
            for (at, message) in errors.messages.iter().enumerate() {
                if at > 0 {
                    formatter.write_str(", ")?;
                }
                formatter.write_str(&python::text_repr(&message.text))?;
            }
            if !errors.inner.is_empty() {
                if !errors.messages.is_empty() {
                    formatter.write_str(", ")?;
                }
                write!(formatter, "{}", errors.inner)?;
            }
            formatter.write_str("]")?;
        }
        formatter.write_str("}")
    }
}

impl Serialize for Errors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (crumb, errors) in &self.fields {
            map.serialize_entry(&crumb.to_string(), errors)?;
        }
        map.end()
    }
}

impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for message in &self.messages {
            list.serialize_element(&message.text)?;
        }
        if !self.inner.is_empty() {
            list.serialize_element(&self.inner)?;
        }
        list.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(field: &str, text: &str) -> Violation {
        Violation {
            document_path: vec![field.into()],
            schema_path: vec![field.into(), "dependencies".into()],
            kind: ViolationKind::Leaf(Message::plain(text)),
        }
    }

    #[test]
    fn errors_of_one_rule_come_out_turned_around() {
        let mut list = Vec::new();
        for violation in [leaf("b", "first"), leaf("b", "second"), leaf("b", "third")] {
            list.push(violation);
            Violation::sort(&mut list);
        }
        assert_eq!(
            Errors::new(&list).to_string(),
            "{'b': ['third', 'first', 'second']}"
        );
    }

    #[test]
    fn fields_come_out_sorted() {
        let mut list = vec![leaf("c", "x"), leaf("a", "x"), leaf("b", "x")];
        Violation::sort(&mut list);
        let errors = Errors::new(&list);
        assert_eq!(errors.to_string(), "{'a': ['x'], 'b': ['x'], 'c': ['x']}");
        let json = serde_json::to_string(&errors).expect("errors are plain data");
        assert_eq!(json, r#"{"a":["x"],"b":["x"],"c":["x"]}"#);
    }
}
