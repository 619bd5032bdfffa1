//! Templates of the section `custom_sql_monitor`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "transform_into_count_query_template",
        section: TemplateSection::CustomSqlMonitor,
        judged_in: SuiteSection::CustomMonitors,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("query", VariableType::Text)],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "add_row_limit_template",
        section: TemplateSection::CustomSqlMonitor,
        judged_in: SuiteSection::CustomMonitors,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("query", VariableType::Text),
            Variable::required("limit", VariableType::Integer),
        ],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "get_count_all_expression_template",
        section: TemplateSection::CustomSqlMonitor,
        judged_in: SuiteSection::CustomMonitors,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &[],
        description: "",
        guidance: "",
    },
];
