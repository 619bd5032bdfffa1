//! Templates of the section `math_functions`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "get_absolute_value_function_template",
        section: TemplateSection::MathFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("expression", VariableType::Text)],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "rand_func_template",
        section: TemplateSection::MathFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &[],
        description: "",
        guidance: "",
    },
];
