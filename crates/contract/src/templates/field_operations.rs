//! Templates of the section `field_operations`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[Template {
    name: "get_field_or_alias_template",
    section: TemplateSection::FieldOperations,
    judged_in: SuiteSection::QlPrerequisites,
    kind: TemplateKind::Expression,
    variables: &[
        Variable::required("field", VariableType::Text),
        Variable::optional("alias", VariableType::Text),
    ],
    placeholders: &[],
    description: "Refers to a selected field where an alias may or may not be usable.",
    guidance: "Dialects that know aliases in GROUP BY and ORDER BY may give `alias` when it is \
                   passed; `field` is right everywhere.",
}];
