//! Templates of the section `dialect_capability_flags`.

use crate::template::{Template, TemplateKind, TemplateSection, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "supports_literal_select_template",
        section: TemplateSection::DialectCapabilityFlags,
        kind: TemplateKind::Flag,
        variables: &[],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "supports_literal_group_by_template",
        section: TemplateSection::DialectCapabilityFlags,
        kind: TemplateKind::Flag,
        variables: &[],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "supports_group_by_on_subquery_template",
        section: TemplateSection::DialectCapabilityFlags,
        kind: TemplateKind::Flag,
        variables: &[],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "parses_timestamp_with_trailing_text_template",
        section: TemplateSection::DialectCapabilityFlags,
        kind: TemplateKind::Flag,
        variables: &[],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "supports_as_keyword_for_table_alias_template",
        section: TemplateSection::DialectCapabilityFlags,
        kind: TemplateKind::Flag,
        variables: &[],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "supports_limit_0_template",
        section: TemplateSection::DialectCapabilityFlags,
        kind: TemplateKind::Flag,
        variables: &[],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "requires_subquery_alias_template",
        section: TemplateSection::DialectCapabilityFlags,
        kind: TemplateKind::Flag,
        variables: &[],
        placeholders: &[],
        description: "",
        guidance: "",
    },
];
