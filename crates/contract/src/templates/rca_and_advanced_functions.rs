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
        description: "",
        guidance: "",
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
        description: "",
        guidance: "",
    },
];
