//! Templates of the section `query_logs`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[Template {
    name: "get_query_logs_query_template",
    section: TemplateSection::QueryLogs,
    judged_in: SuiteSection::Metadata,
    kind: TemplateKind::Query,
    variables: &[
        Variable::required("start_time", VariableType::DateTime),
        Variable::required("end_time", VariableType::DateTime),
        Variable::required("limit", VariableType::Integer),
        Variable::required("offset", VariableType::Integer),
    ],
    placeholders: &[],
    description: "",
    guidance: "",
}];
