//! Templates of the section `comparison_operators`.

use crate::template::{Template, TemplateKind, TemplateSection, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "get_is_eq_expression_template",
        section: TemplateSection::ComparisonOperators,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x", "y"],
        description: "",
        guidance: "",
    },
    Template {
        name: "get_is_gt_expression_template",
        section: TemplateSection::ComparisonOperators,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x", "y"],
        description: "",
        guidance: "",
    },
    Template {
        name: "get_is_gte_expression_template",
        section: TemplateSection::ComparisonOperators,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x", "y"],
        description: "",
        guidance: "",
    },
    Template {
        name: "get_is_lt_expression_template",
        section: TemplateSection::ComparisonOperators,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x", "y"],
        description: "",
        guidance: "",
    },
    Template {
        name: "get_is_lte_expression_template",
        section: TemplateSection::ComparisonOperators,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x", "y"],
        description: "",
        guidance: "",
    },
    Template {
        name: "get_is_inside_range_expression_template",
        section: TemplateSection::ComparisonOperators,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x", "lower_threshold", "upper_threshold"],
        description: "",
        guidance: "",
    },
    Template {
        name: "get_is_outside_range_expression_template",
        section: TemplateSection::ComparisonOperators,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x", "lower_threshold", "upper_threshold"],
        description: "",
        guidance: "",
    },
];
