//! Templates of the section `field_operations`.

use crate::template::{Template, TemplateKind, TemplateSection, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[Template {
    name: "get_field_or_alias_template",
    section: TemplateSection::FieldOperations,
    kind: TemplateKind::Expression,
    variables: &[
        Variable::required("field", VariableType::Text),
        Variable::optional("alias", VariableType::Text),
    ],
    placeholders: &[],
    description: "",
    guidance: "",
}];
