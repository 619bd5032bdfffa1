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
        description: "Turns a query into one that counts its rows.",
        guidance: "`query` is a whole SELECT of the user's; wrap it as a derived table and count. \
                   Mind dialects that demand an alias there. Do not touch the text of the query: \
                   it may end in a comment, so a line break before the closing bracket is safer.",
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
        description: "Turns a query into one that returns at most so many rows.",
        guidance: "`query` may have its own ORDER BY or LIMIT, so wrapping it is safer than \
                   appending a clause; what is appended after a trailing comment is lost. The \
                   limit applies to the whole result.",
    },
    Template {
        name: "get_count_all_expression_template",
        section: TemplateSection::CustomSqlMonitor,
        judged_in: SuiteSection::CustomMonitors,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &[],
        description: "Counts rows, NULL or not.",
        guidance: "An aggregate for the SELECT list, almost always `COUNT(*)`. Counting a column \
                   would leave NULLs out.",
    },
];
