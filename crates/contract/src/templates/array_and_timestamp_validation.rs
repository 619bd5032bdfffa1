//! Templates of the section `array_and_timestamp_validation`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "array_expr_template",
        section: TemplateSection::ArrayAndTimestampValidation,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("values", VariableType::List)],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "get_array_length_func_template",
        section: TemplateSection::ArrayAndTimestampValidation,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "",
        guidance: "",
    },
    Template {
        name: "get_is_timestamp_expression_template",
        section: TemplateSection::ArrayAndTimestampValidation,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "",
        guidance: "",
    },
    Template {
        name: "get_not_is_timestamp_expression_template",
        section: TemplateSection::ArrayAndTimestampValidation,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "",
        guidance: "",
    },
    Template {
        name: "get_epoch_seconds_expression_template",
        section: TemplateSection::ArrayAndTimestampValidation,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "",
        guidance: "",
    },
    Template {
        name: "get_epoch_seconds_parameter_template",
        section: TemplateSection::ArrayAndTimestampValidation,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "",
        guidance: "",
    },
];
