//! What a template method is: its name, section, kind and variables.

use crate::section::{SuiteSection, TemplateSection};
use crate::templates::TABLE;
use crate::words::words;

/// The ending every template method's name carries; users may leave it out.
const SUFFIX: &str = "_template";

/// One template method of the contract: a row of the table of 114.
///
/// Rows are `'static` and compared by name; hold a `&'static Template`.
#[derive(Debug)]
pub struct Template {
    /// The method's full name, such as `get_avg_function_template`.
    pub name: &'static str,
    /// The section it stands in.
    pub section: TemplateSection,
    /// The section of the suite whose checks judge it.
    pub judged_in: SuiteSection,
    /// What its text becomes.
    pub kind: TemplateKind,
    /// The Jinja variables a caller passes.
    pub variables: &'static [Variable],
    /// The `{name}` placeholders substituted after Jinja, if any.
    pub placeholders: &'static [&'static str],
    /// One line on what the template is for.
    pub description: &'static str,
    /// What to mind when writing it: a paragraph, with code in backticks.
    pub guidance: &'static str,
}

impl Template {
    /// All templates, in the order of the contract.
    pub fn all() -> impl Iterator<Item = &'static Template> {
        TABLE.iter().copied().flatten()
    }

    /// Finds a template by its name, with or without `_template`.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Template> {
        let short = name.strip_suffix(SUFFIX).unwrap_or(name);
        Self::all().find(|template| template.short_name() == short)
    }

    /// The template with this name, which stands in our own code.
    ///
    /// # Panics
    /// When the contract has no such template: a mistake in the code.
    #[must_use]
    pub fn known(name: &'static str) -> &'static Template {
        Self::find(name).unwrap_or_else(|| panic!("`{name}` is no template of the contract"))
    }

    /// The name without `_template`, as people write it in `templates.toml`.
    #[must_use]
    pub fn short_name(&self) -> &'static str {
        self.name.strip_suffix(SUFFIX).unwrap_or(self.name)
    }

    /// How its text is rendered.
    #[must_use]
    pub fn style(&self) -> TemplateStyle {
        match (
            self.kind,
            self.placeholders.is_empty(),
            self.variables.is_empty(),
        ) {
            (TemplateKind::Flag, _, _) => TemplateStyle::Flag,
            (_, true, _) => TemplateStyle::Parameterized,
            (_, false, true) => TemplateStyle::Placeholder,
            (_, false, false) => TemplateStyle::Hybrid,
        }
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Template {}

impl PartialOrd for Template {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Template {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name.cmp(other.name)
    }
}

impl std::hash::Hash for Template {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

words! {
    /// What a template's text becomes.
    pub enum TemplateKind {
        Query = "query", "A whole query that gives rows.";
        Expression = "expression", "A piece of SQL.";
        Flag = "flag", "`true` or `false`.";
        Statement = "statement", "A statement that changes something (functional checks only).";
    }
}

words! {
    /// How a template's text is rendered.
    pub enum TemplateStyle {
        Parameterized = "parameterized", "Jinja variables only.";
        Placeholder = "placeholder", "`{x}` placeholders only; the text still passes through Jinja.";
        Hybrid = "hybrid", "Jinja first, then placeholders.";
        Flag = "flag", "Renders to `true` or `false`.";
    }
}

/// A Jinja variable of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Variable {
    /// Its name in the template.
    pub name: &'static str,
    /// The type callers pass.
    pub kind: VariableType,
    /// Whether callers may leave it out (and a template may ignore it).
    pub optional: bool,
}

impl Variable {
    pub(crate) const fn required(name: &'static str, kind: VariableType) -> Self {
        Self {
            name,
            kind,
            optional: false,
        }
    }

    pub(crate) const fn optional(name: &'static str, kind: VariableType) -> Self {
        Self {
            name,
            kind,
            optional: true,
        }
    }
}

words! {
    /// The types of template variables, named as in Python.
    pub enum VariableType {
        Text = "str", "Text; often a piece of SQL.";
        Integer = "int", "A whole number.";
        Float = "float", "A number with a fraction.";
        Boolean = "bool", "True or false.";
        DateTime = "datetime", "A date with a time of day.";
        Date = "date", "A calendar date.";
        List = "list", "A list of values.";
        TextList = "list[str]", "A list of texts.";
        PairList = "list[tuple[str, str]]", "A list of pairs of texts.";
    }
}
