//! Templates of the section `rca_and_advanced_functions`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "max_time_func_template",
        section: TemplateSection::RcaAndAdvancedFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("field", VariableType::Text)],
        placeholders: &[],
        description: "The latest of a column's moments.",
        guidance: "An aggregate over a timestamp column; NULLs do not count. `MAX` nearly \
                   everywhere.",
    },
    Template {
        name: "unpivot_template",
        section: TemplateSection::RcaAndAdvancedFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("from_table", VariableType::Text),
            Variable::required("column_list", VariableType::TextList),
            Variable::required("name_column", VariableType::Text),
            Variable::required("value_column", VariableType::Text),
        ],
        placeholders: &[],
        description: "Turns columns into rows of name and value.",
        guidance: "Gives a whole query with the columns `name_column` and `value_column`: one row \
                   for each name in `column_list` and each row of `from_table`, which is a query. \
                   The name is the column's own, as text. Columns must share a type: cast where \
                   the dialect insists. `UNION ALL` over one SELECT a column works everywhere; \
                   rows whose value is NULL must stay.",
    },
];
