//! Templates of the section `metadata`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "get_databases_query_template",
        section: TemplateSection::Metadata,
        judged_in: SuiteSection::Metadata,
        kind: TemplateKind::Query,
        variables: &[],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "get_schemas_query_template",
        section: TemplateSection::Metadata,
        judged_in: SuiteSection::Metadata,
        kind: TemplateKind::Query,
        variables: &[Variable::required("database_name", VariableType::Text)],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "get_tables_query_template",
        section: TemplateSection::Metadata,
        judged_in: SuiteSection::Metadata,
        kind: TemplateKind::Query,
        variables: &[
            Variable::required("database_name", VariableType::Text),
            Variable::required("schemas", VariableType::Text),
            Variable::required("offset", VariableType::Integer),
            Variable::required("limit", VariableType::Integer),
            Variable::optional("table_names", VariableType::Text),
        ],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "get_columns_query_template",
        section: TemplateSection::Metadata,
        judged_in: SuiteSection::Metadata,
        kind: TemplateKind::Query,
        variables: &[
            Variable::required("database_name", VariableType::Text),
            Variable::required("tables", VariableType::Text),
            Variable::optional("schemas", VariableType::Text),
        ],
        placeholders: &[],
        description: "",
        guidance: "",
    },
];
