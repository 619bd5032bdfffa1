//! Templates of the section `string_functions`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "get_length_template",
        section: TemplateSection::StringFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "How many characters a text has.",
        guidance: "`{x}` is text. Characters and not bytes, so accented letters and emoji count \
                   once each; empty text gives 0. In some dialects `LENGTH` counts bytes, or \
                   leaves out trailing blanks.",
    },
    Template {
        name: "substring_func_template",
        section: TemplateSection::StringFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("field", VariableType::Text),
            Variable::required("start_pos", VariableType::Integer),
            Variable::required("length", VariableType::Integer),
        ],
        placeholders: &[],
        description: "A part of a text.",
        guidance: "`start_pos` counts from 1: from 2, three characters of `abcdef` are `bcd`. \
                   Asking beyond the end gives what there is.",
    },
    Template {
        name: "get_is_empty_string_expression_template",
        section: TemplateSection::StringFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "Holds where a text is there but has no characters.",
        guidance: "`{x}` is text. NULL is not empty, and neither are blanks, though some dialects \
                   ignore trailing blanks when they compare: ask for the length there.",
    },
    Template {
        name: "get_regexp_expression_template",
        section: TemplateSection::StringFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("regexp", VariableType::Text),
            Variable::required("case_insensitive", VariableType::Boolean),
        ],
        placeholders: &["x"],
        description: "Holds where a text matches a regular expression.",
        guidance: "`{x}` is text; `regexp` arrives raw, so this template quotes and escapes it. A \
                   match anywhere in the text counts unless the pattern is anchored. \
                   `case_insensitive` is always passed and must be honoured both ways. \
                   Placeholders are filled in after Jinja, so a brace inside the pattern must be \
                   doubled on the way. Whether callers have doubled braces and quotes already is \
                   open: what undoes it first is right either way, and what is right in one case \
                   passes with an advice. `{{ regexp | replace('{{', '{') | replace('}}', '}') | \
                   replace('{', '{{') | replace('}', '}}') }}`, and quotes likewise.",
    },
    Template {
        name: "get_regexp_count_expression_template",
        section: TemplateSection::StringFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("regexp", VariableType::Text),
            Variable::required("case_insensitive", VariableType::Boolean),
        ],
        placeholders: &["x"],
        description: "Counts the rows whose text matches a regular expression.",
        guidance: "An aggregate over rows, despite its name: not the number of matches inside one \
                   text. `{x}` is text; `regexp` arrives raw, so quote it, escape it and double \
                   its braces here, undoing what a caller has doubled, as in \
                   `get_regexp_expression`. `case_insensitive` must be \
                   honoured both ways. No row matched gives 0, and NULL counts for nothing.",
    },
];
