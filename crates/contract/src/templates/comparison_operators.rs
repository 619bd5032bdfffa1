//! Templates of the section `comparison_operators`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "get_is_eq_expression_template",
        section: TemplateSection::ComparisonOperators,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x", "y"],
        description: "Holds where two expressions are equal.",
        guidance: "`{x}` and `{y}`. NULL equals nothing, not even NULL.",
    },
    Template {
        name: "get_is_gt_expression_template",
        section: TemplateSection::ComparisonOperators,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x", "y"],
        description: "Holds where the first expression is greater.",
        guidance: "`{x}` and `{y}`; equal values do not count.",
    },
    Template {
        name: "get_is_gte_expression_template",
        section: TemplateSection::ComparisonOperators,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x", "y"],
        description: "Holds where the first expression is greater or equal.",
        guidance: "`{x}` and `{y}`; equal values count.",
    },
    Template {
        name: "get_is_lt_expression_template",
        section: TemplateSection::ComparisonOperators,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x", "y"],
        description: "Holds where the first expression is less.",
        guidance: "`{x}` and `{y}`; equal values do not count.",
    },
    Template {
        name: "get_is_lte_expression_template",
        section: TemplateSection::ComparisonOperators,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x", "y"],
        description: "Holds where the first expression is less or equal.",
        guidance: "`{x}` and `{y}`; equal values count.",
    },
    Template {
        name: "get_is_inside_range_expression_template",
        section: TemplateSection::ComparisonOperators,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x", "lower_threshold", "upper_threshold"],
        description: "Holds where a value lies between two thresholds.",
        guidance: "`{x}`, `{lower_threshold}` and `{upper_threshold}`; both ends belong to the \
                   range. Bracket the whole: callers combine it with other conditions.",
    },
    Template {
        name: "get_is_outside_range_expression_template",
        section: TemplateSection::ComparisonOperators,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x", "lower_threshold", "upper_threshold"],
        description: "Holds where a value lies beyond either of two thresholds.",
        guidance: "`{x}`, `{lower_threshold}` and `{upper_threshold}`; the ends themselves are \
                   inside, so do not count. Bracket the whole, for there is an OR in it.",
    },
];
