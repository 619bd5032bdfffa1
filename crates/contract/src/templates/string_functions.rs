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
        description: "",
        guidance: "",
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
        description: "",
        guidance: "",
    },
    Template {
        name: "get_is_empty_string_expression_template",
        section: TemplateSection::StringFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "",
        guidance: "",
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
        description: "",
        guidance: "",
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
        description: "",
        guidance: "",
    },
];
