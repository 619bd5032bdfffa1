//! Templates of the section `array_and_timestamp_validation`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "array_expr_template",
        section: TemplateSection::ArrayAndTimestampValidation,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("values", VariableType::List)],
        placeholders: &[],
        description: "Writes an array out of expressions.",
        guidance: "`values` are ready SQL expressions, to be joined with commas. Where there are \
                   no arrays, a JSON array may stand in, so long as `get_array_length_func` \
                   understands it.",
    },
    Template {
        name: "get_array_length_func_template",
        section: TemplateSection::ArrayAndTimestampValidation,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "How many elements an array has.",
        guidance: "`{x}` is an array. An empty one has 0: a function that gives NULL for it needs \
                   help.",
    },
    Template {
        name: "get_is_timestamp_expression_template",
        section: TemplateSection::ArrayAndTimestampValidation,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "Holds where a text reads as a timestamp.",
        guidance: "`{x}` is text. It must not fail on text that is none: use a forgiving cast or a \
                   pattern. `2024-01-15 10:30:00` counts.",
    },
    Template {
        name: "get_not_is_timestamp_expression_template",
        section: TemplateSection::ArrayAndTimestampValidation,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "Holds where a text does not read as a timestamp.",
        guidance: "`{x}` is text. The opposite of `get_is_timestamp_expression` for every text; a \
                   missing value is neither.",
    },
    Template {
        name: "get_epoch_seconds_expression_template",
        section: TemplateSection::ArrayAndTimestampValidation,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "The seconds since 1970 of a timestamp column.",
        guidance: "`{x}` is a timestamp. Seconds in UTC, not milliseconds; before 1970 they are \
                   negative.",
    },
    Template {
        name: "get_epoch_seconds_parameter_template",
        section: TemplateSection::ArrayAndTimestampValidation,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "The seconds since 1970 of a timestamp that is given as a parameter.",
        guidance: "`{x}` is a literal or a parameter rather than a column. The result must be \
                   comparable with that of `get_epoch_seconds_expression`; most dialects spell \
                   both alike.",
    },
];
