//! Templates of the section `null_and_nan_handling`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "is_null_template",
        section: TemplateSection::NullAndNanHandling,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "",
        guidance: "",
    },
    Template {
        name: "is_not_null_template",
        section: TemplateSection::NullAndNanHandling,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "",
        guidance: "",
    },
    Template {
        name: "nan_expr_template",
        section: TemplateSection::NullAndNanHandling,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "get_isnan_expression_template",
        section: TemplateSection::NullAndNanHandling,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "",
        guidance: "",
    },
];
