//! Templates of the section `type_casting`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "get_casting_to_numeric_expression_template",
        section: TemplateSection::TypeCasting,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("expression", VariableType::Text)],
        placeholders: &[],
        description: "Casts to a number.",
        guidance: "Text such as `42.5` must keep its fraction: a cast to an integer type will not \
                   do. A floating-point or wide decimal type suits.",
    },
    Template {
        name: "cast_to_string_func_template",
        section: TemplateSection::TypeCasting,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("expression", VariableType::Text)],
        placeholders: &[],
        description: "Casts to text.",
        guidance: "The suite reads most other results through this, so it matters more than it \
                   looks. Use a type without a length limit, and without padding; numbers must \
                   come without blanks around them.",
    },
    Template {
        name: "get_casting_to_decimal_expression_template",
        section: TemplateSection::TypeCasting,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("expression", VariableType::Text)],
        placeholders: &[],
        description: "Casts to an exact decimal.",
        guidance: "The metric `sum` rests on it: state precision and scale, for a bare `DECIMAL` \
                   means no fraction in many dialects. `3.14159` must keep all its digits.",
    },
    Template {
        name: "default_cast_to_timestamp_func_template",
        section: TemplateSection::TypeCasting,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("expression", VariableType::Text)],
        placeholders: &[],
        description: "Casts to a timestamp when the type of the source is not known.",
        guidance: "The source is text, a date or a timestamp. Use the dialect's plain timestamp \
                   type; date and time of day must both survive.",
    },
    Template {
        name: "cast_string_to_timestamp_template",
        section: TemplateSection::TypeCasting,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("expression", VariableType::Text)],
        placeholders: &[],
        description: "Casts text to a timestamp.",
        guidance: "Reads `2024-06-15 10:30:00`; accept a `T` in the middle and fractions of a \
                   second too where the dialect does. The time of day must survive.",
    },
    Template {
        name: "cast_numeric_to_timestamp_template",
        section: TemplateSection::TypeCasting,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("expression", VariableType::Text)],
        placeholders: &[],
        description: "Turns seconds since 1970 into a timestamp.",
        guidance: "The number counts seconds, not milliseconds: 1718438400 is 2024-06-15 08:00:00 \
                   in UTC, whatever zone the session is in.",
    },
    Template {
        name: "cast_date_to_timestamp_template",
        section: TemplateSection::TypeCasting,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("expression", VariableType::Text)],
        placeholders: &[],
        description: "Turns a date into a timestamp at midnight.",
        guidance: "The calendar day must stay the same, whatever zone the session is in.",
    },
    Template {
        name: "cast_default_to_timestamp_template",
        section: TemplateSection::TypeCasting,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("expression", VariableType::Text)],
        placeholders: &[],
        description: "Casts whatever comes to the dialect's usual timestamp.",
        guidance: "The counterpart of `default_cast_to_timestamp_func`, and nearly always spelled \
                   alike.",
    },
    Template {
        name: "cast_timestamp_to_date_template",
        section: TemplateSection::TypeCasting,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("timestamp", VariableType::Text)],
        placeholders: &[],
        description: "Cuts a timestamp down to its date.",
        guidance: "The time of day must be gone, not merely hidden. Zoned timestamps give the date \
                   in the session's zone: fix that where it matters.",
    },
    Template {
        name: "cast_timestamp_to_timestamp_ntz_template",
        section: TemplateSection::TypeCasting,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("timestamp", VariableType::Text)],
        placeholders: &[],
        description: "Turns a timestamp into one without a zone.",
        guidance: "The wall-clock reading stays. Dialects with one timestamp type may pass the \
                   expression through.",
    },
    Template {
        name: "cast_timestamp_to_timestamp_tz_template",
        section: TemplateSection::TypeCasting,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("timestamp", VariableType::Text)],
        placeholders: &[],
        description: "Turns a timestamp into one with a zone.",
        guidance: "The moment stays; a timestamp without a zone is taken to be in the session's. \
                   Dialects with one timestamp type may pass the expression through.",
    },
    Template {
        name: "cast_to_timestamp_with_tz_template",
        section: TemplateSection::TypeCasting,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("expression", VariableType::Text)],
        placeholders: &[],
        description: "Casts an expression of any kind to a timestamp with a zone.",
        guidance: "Unlike `cast_timestamp_to_timestamp_tz` the source may be text. Dialects \
                   without zones cast to their plain timestamp.",
    },
    Template {
        name: "cast_to_timestamp_without_tz_template",
        section: TemplateSection::TypeCasting,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("expression", VariableType::Text)],
        placeholders: &[],
        description: "Casts an expression of any kind to a timestamp without a zone.",
        guidance: "Unlike `cast_timestamp_to_timestamp_ntz` the source may be text. The time of \
                   day must survive.",
    },
];
