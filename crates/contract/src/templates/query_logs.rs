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
    description: "Reads the statements that were run between two moments.",
    guidance: "Required columns, in lower case: `query_id` (text), `start_time` and `end_time` \
                   (timestamps) and `query_text`. Optional: `user`, `error_code` and `error_text` \
                   (text), `returned_rows` (a whole number). Tests pass the bounds as datetimes, \
                   the agent as text in the form `YYYY-MM-DD HH:MM:SS`, so write `'{{ start_time \
                   }}'` and cast that instead of calling a method on it. `user` is a reserved word \
                   in many dialects: quote it. Honour `limit` and `offset` over a fixed order. \
                   Where the database keeps no log, leave the template out: that is not supported, \
                   and not wrong.",
}];
