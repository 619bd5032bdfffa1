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
        description: "A number without its sign.",
        guidance: "`expression` may be a sum or start with a minus: keep it within the function's \
                   brackets. NULL stays NULL.",
    },
    Template {
        name: "rand_func_template",
        section: TemplateSection::MathFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &[],
        description: "A random number.",
        guidance: "Used to sample rows, so it must differ from row to row and not only from query \
                   to query: a constant is wrong.",
    },
];
