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
        description: "Creates the table that functional checks work on.",
        guidance: "Quote the names as `get_table_identifier` does. Any columns will do, so long as \
                   `insert_rows` fills them; keep it plain, without rows. It is made where the \
                   connector says that tests may write, so the user needs the right to create \
                   tables there.",
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
        description: "Adds rows to the test table.",
        guidance: "`num_rows` rows, all in one statement if the dialect can; a Jinja loop over \
                   `range(num_rows)` works everywhere. The content does not matter, but make rows \
                   differ, so that their size shows.",
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
        description: "Adds a column to the test table.",
        guidance: "`column_name` is a bare name, `column_type` a type such as `TEXT`; translate it \
                   where the dialect calls it otherwise.",
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
        description: "Removes a column from the test table.",
        guidance: "`column_name` is a bare name. Where a column cannot be dropped leave the \
                   template out; the check is then not supported.",
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
        description: "Removes the test table.",
        guidance: "It must succeed when the table is not there: `DROP TABLE IF EXISTS`. It runs \
                   before and after the checks, and once more when they are interrupted.",
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
        description: "A statement over the test table that the query logs must show.",
        guidance: "A plain SELECT from the table will do; nothing may be taken away by it. The \
                   suite looks for its text in the logs afterwards, so avoid what the log rewrites, such as comments or literals.",
    },
];
