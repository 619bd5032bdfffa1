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
        description: "Holds where a value is missing.",
        guidance: "`{x}` is an expression: `{x} IS NULL`. An equals sign never holds for NULL.",
    },
    Template {
        name: "is_not_null_template",
        section: TemplateSection::NullAndNanHandling,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "Holds where a value is there.",
        guidance: "`{x}` is an expression: `{x} IS NOT NULL`. Empty text is there, except in a \
                   dialect that stores it as NULL.",
    },
    Template {
        name: "nan_expr_template",
        section: TemplateSection::NullAndNanHandling,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &[],
        description: "Not-a-number, as a floating-point value.",
        guidance: "Usually a cast of the text `NaN` to a double. Dialects that cannot hold one \
                   leave this out, together with `get_isnan_expression`.",
    },
    Template {
        name: "get_isnan_expression_template",
        section: TemplateSection::NullAndNanHandling,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "Holds where a number is not-a-number.",
        guidance: "`{x}` is a number. By the usual rule NaN differs from itself, yet several \
                   dialects say it is equal to itself: use a function where there is one. NULL is \
                   not NaN, and neither is infinity.",
    },
];
