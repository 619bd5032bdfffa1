//! Templates of the section `functional`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "create_test_table_template",
        section: TemplateSection::Functional,
        judged_in: SuiteSection::Functional,
        kind: TemplateKind::Statement,
        variables: &[
            Variable::optional("database", VariableType::Text),
            Variable::required("schema", VariableType::Text),
            Variable::required("table", VariableType::Text),
        ],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "insert_rows_template",
        section: TemplateSection::Functional,
        judged_in: SuiteSection::Functional,
        kind: TemplateKind::Statement,
        variables: &[
            Variable::optional("database", VariableType::Text),
            Variable::required("schema", VariableType::Text),
            Variable::required("table", VariableType::Text),
            Variable::required("num_rows", VariableType::Integer),
        ],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "add_column_template",
        section: TemplateSection::Functional,
        judged_in: SuiteSection::Functional,
        kind: TemplateKind::Statement,
        variables: &[
            Variable::optional("database", VariableType::Text),
            Variable::required("schema", VariableType::Text),
            Variable::required("table", VariableType::Text),
            Variable::required("column_name", VariableType::Text),
            Variable::required("column_type", VariableType::Text),
        ],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "drop_column_template",
        section: TemplateSection::Functional,
        judged_in: SuiteSection::Functional,
        kind: TemplateKind::Statement,
        variables: &[
            Variable::optional("database", VariableType::Text),
            Variable::required("schema", VariableType::Text),
            Variable::required("table", VariableType::Text),
            Variable::required("column_name", VariableType::Text),
        ],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "drop_test_table_template",
        section: TemplateSection::Functional,
        judged_in: SuiteSection::Functional,
        kind: TemplateKind::Statement,
        variables: &[
            Variable::optional("database", VariableType::Text),
            Variable::required("schema", VariableType::Text),
            Variable::required("table", VariableType::Text),
        ],
        placeholders: &[],
        description: "",
        guidance: "",
    },
    Template {
        name: "create_lineage_query_template",
        section: TemplateSection::Functional,
        judged_in: SuiteSection::Functional,
        kind: TemplateKind::Statement,
        variables: &[
            Variable::optional("database", VariableType::Text),
            Variable::required("schema", VariableType::Text),
            Variable::required("table", VariableType::Text),
        ],
        placeholders: &[],
        description: "",
        guidance: "",
    },
];
