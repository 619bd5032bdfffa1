//! Templates of the section `string_and_literal_handling`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "escape_string_template",
        section: TemplateSection::StringAndLiteralHandling,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("string", VariableType::Text)],
        placeholders: &[],
        description: "Makes text safe to stand between the dialect's quotes.",
        guidance: "Gives the inside of a literal, without the quotes: `string_literal` adds those \
                   afterwards. Double single quotes; where a backslash is special inside literals, \
                   double that first. Line breaks, percent signs, braces and emoji must come back \
                   unchanged.",
    },
    Template {
        name: "string_literal_template",
        section: TemplateSection::StringAndLiteralHandling,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("string", VariableType::Text)],
        placeholders: &[],
        description: "Puts quotes around text that is already escaped.",
        guidance: "Pairs with `escape_string`, which has run before: escaping here again would \
                   double every quote.",
    },
    Template {
        name: "literal_value_template",
        section: TemplateSection::StringAndLiteralHandling,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("value", VariableType::Text)],
        placeholders: &[],
        description: "Writes a value as it stands.",
        guidance: "`value` is text that is already SQL, such as `42`; nearly always it is passed \
                   on unchanged. Do not quote it.",
    },
    Template {
        name: "literal_datetime_template",
        section: TemplateSection::StringAndLiteralHandling,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required(
            "date_time_value",
            VariableType::DateTime,
        )],
        placeholders: &[],
        description: "Writes a moment as a timestamp literal.",
        guidance: "`date_time_value` is a datetime: format it with `strftime`. It may carry a zone \
                   and fractions of a second; `isoformat()` keeps both where the dialect reads \
                   them. Give a timestamp and not text, or comparisons go by spelling.",
    },
    Template {
        name: "literal_time_of_day_template",
        section: TemplateSection::StringAndLiteralHandling,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("value", VariableType::Text)],
        placeholders: &[],
        description: "Writes a time of day as a literal.",
        guidance: "`value` is text such as `14:30:00`. Where the dialect has no type for a time of \
                   day, text that sorts rightly will do.",
    },
    Template {
        name: "literal_regex_template",
        section: TemplateSection::StringAndLiteralHandling,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("regex", VariableType::Text)],
        placeholders: &[],
        description: "Writes a regular expression as a literal.",
        guidance: "`regex` is the bare pattern: `^[0-9]+$` becomes `'^[0-9]+$'`. Double single \
                   quotes, and backslashes too where the dialect would eat one.",
    },
    Template {
        name: "literal_table_from_value_list_template",
        section: TemplateSection::StringAndLiteralHandling,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::optional("field_type", VariableType::Text),
            Variable::required("value_list", VariableType::TextList),
            Variable::optional("result_table_name", VariableType::Text),
            Variable::required("result_field_name", VariableType::Text),
            Variable::optional("alias", VariableType::Text),
            Variable::optional("column_name", VariableType::Text),
        ],
        placeholders: &[],
        description: "Makes a one-column result out of a list of values.",
        guidance: "Gives a query with a row for each of `value_list`, which are ready SQL \
                   expressions, in a column called `result_field_name`. Both always come; \
                   `field_type`, `result_table_name`, `alias` and `column_name` only sometimes. \
                   Equal values must stay: with UNION, use `UNION ALL`.",
    },
    Template {
        name: "date_literal_template",
        section: TemplateSection::StringAndLiteralHandling,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("timestamp", VariableType::Date)],
        placeholders: &[],
        description: "Writes a calendar date as a literal.",
        guidance: "`timestamp` is a date, in spite of its name: format it with \
                   `strftime('%Y-%m-%d')`. Give a date rather than text.",
    },
    Template {
        name: "utc_literal_template",
        section: TemplateSection::StringAndLiteralHandling,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::optional("timestamp", VariableType::DateTime),
            Variable::optional("field_type", VariableType::Text),
        ],
        placeholders: &[],
        description: "Writes a moment in UTC, or the current one when none is given.",
        guidance: "Rendered without variables it must mean now, in UTC. With `timestamp`, a \
                   datetime, it means that moment: test whether it is given. `field_type` names \
                   the column's type that it will be compared with, and may be used to pick a type \
                   that fits.",
    },
];
