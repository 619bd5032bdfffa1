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
        description: "Names the databases that the connection can look into.",
        guidance: "A query without variables; the first column of each row is a database name. The \
                   first row must be the database the connection works in: everything else is \
                   asked about that one. A database without catalogues gives one made-up name, and \
                   the other metadata templates then use the same.",
    },
    Template {
        name: "get_schemas_query_template",
        section: TemplateSection::Metadata,
        judged_in: SuiteSection::Metadata,
        kind: TemplateKind::Query,
        variables: &[Variable::required("database_name", VariableType::Text)],
        placeholders: &[],
        description: "Lists the schemas of one database.",
        guidance: "The first column of each row is a schema name. Use `database_name` in a \
                   condition, as text to compare with, not as an identifier: ignoring it is an \
                   error. Leave out the schemas of the system itself; whatever is listed here is \
                   collected later.",
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
        description: "Lists tables and views with their size, age and definition, a page at a time.",
        guidance: "Columns are found by name, in lower case: `database_name`, `schema_name`, \
                   `table_name` and `table_type` (`table` or `view`, spelled so) must be there; \
                   `row_count`, `byte_count`, `last_update_time` and `view_query` are optional. \
                   The first three of those carry a capability each, so give what the catalogue \
                   knows and leave the rest NULL. Counts are whole numbers; `view_query` belongs \
                   to views alone. `schemas` and `table_names` arrive as ready lists for `IN \
                   (...)`: names quoted as text, separated by commas. The agent always passes \
                   `table_names`, and it may be None: test its truth, not whether it is defined. \
                   Honour `limit` and `offset`, and order the rows, or pages overlap. \
                   A schema or a database that does not exist has no tables.",
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
        description: "Lists the columns of given tables with their types.",
        guidance: "Gives `full_table_id` (database, schema and table joined by dots, as in the \
                   tables query), `column_name` and `column_type`, all text, names in lower case. \
                   `tables` arrives as a ready list of quoted full ids for `IN (...)`. The agent \
                   passes `schemas` too; it helps where a catalogue is quicker by schema. Cast \
                   names and types of the catalogue's own types to text.",
    },
];
