//! Templates of the section `date_time_functions`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "convert_to_utc_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("field", VariableType::Text),
            Variable::optional("field_type", VariableType::Text),
            Variable::optional("timezone", VariableType::Text),
        ],
        placeholders: &[],
        description: "Converts a timestamp to UTC.",
        guidance: "With `timezone`, `field` is a wall-clock reading there, and the SQL must name \
                   the zone, so it differs from the SQL without. Without it, `field` is in UTC \
                   already or knows its zone. `field_type`, when given, is the column's type. \
                   Zones are names such as `Europe/Berlin`, so daylight saving is honoured.",
    },
    Template {
        name: "to_timezone_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("field", VariableType::Text),
            Variable::required("timezone", VariableType::Text),
        ],
        placeholders: &[],
        description: "Reads a wall-clock time in a time zone and gives the same moment in UTC.",
        guidance: "Despite the name the result is in UTC: noon in `America/New_York` in June is \
                   16:00. Both `field` and `timezone` must appear in the SQL.",
    },
    Template {
        name: "current_date_func_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &[],
        description: "Today's date.",
        guidance: "In UTC where the dialect gives a choice; a day either side is forgiven. A date, \
                   not a timestamp.",
    },
    Template {
        name: "current_timestamp_func_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &[],
        description: "The current moment.",
        guidance: "Within two minutes of the real one, read in UTC. In a dialect whose timestamps \
                   know no zone, the local time of a server elsewhere is hours off.",
    },
    Template {
        name: "add_days_func_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("date_expr", VariableType::Text),
            Variable::required("days", VariableType::Integer),
        ],
        placeholders: &[],
        description: "Moves a date by a number of days.",
        guidance: "`days` may be negative; write it so that `- -3` never turns into a comment. \
                   Months and years carry over.",
    },
    Template {
        name: "add_days_timestamp_func_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("date_expr", VariableType::Text),
            Variable::required("days", VariableType::Integer),
        ],
        placeholders: &[],
        description: "Moves a timestamp by a number of days.",
        guidance: "The time of day stays. `days` may be negative. Some dialects turn a timestamp \
                   into a date here: cast it back.",
    },
    Template {
        name: "add_hours_timestamp_func_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("date_expr", VariableType::Text),
            Variable::required("hours", VariableType::Integer),
        ],
        placeholders: &[],
        description: "Moves a timestamp by a number of hours.",
        guidance: "`hours` may be negative, and may cross midnight.",
    },
    Template {
        name: "time_truncate_func_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("field", VariableType::Text),
            Variable::required("truncation", VariableType::Text),
        ],
        placeholders: &[],
        description: "Cuts a timestamp down to a unit that the caller names.",
        guidance: "`truncation` is a word such as `DAY`, `HOUR`, `WEEK`, `MONTH` or `YEAR`; use \
                   it, or the template is refused. Where a dialect wants a format instead, map the \
                   words with an inline `if`. The result is a timestamp.",
    },
    Template {
        name: "truncate_to_day_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("field", VariableType::Text)],
        placeholders: &[],
        description: "Cuts a timestamp down to midnight of its day.",
        guidance: "The result is a timestamp that compares equal for all moments of a day.",
    },
    Template {
        name: "truncate_to_hour_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("field", VariableType::Text)],
        placeholders: &[],
        description: "Cuts a timestamp down to the full hour.",
        guidance: "Minutes and everything below become zero; the hour stays.",
    },
    Template {
        name: "truncate_to_week_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("field", VariableType::Text)],
        placeholders: &[],
        description: "Cuts a timestamp down to the first day of its week.",
        guidance: "Weeks may start on Monday or on Sunday, as the dialect has it; all seven days \
                   of a week must give the same midnight.",
    },
    Template {
        name: "truncate_to_month_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("field", VariableType::Text)],
        placeholders: &[],
        description: "Cuts a timestamp down to the first of its month.",
        guidance: "The time of day is gone as well.",
    },
    Template {
        name: "truncate_to_year_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("field", VariableType::Text)],
        placeholders: &[],
        description: "Cuts a timestamp down to the first of January.",
        guidance: "The month is gone as well as the day: a leftover month means the wrong unit.",
    },
    Template {
        name: "get_is_yesterday_expression_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "Holds for moments of yesterday.",
        guidance: "`{x}` is a timestamp. From midnight to midnight, in UTC: today and the day \
                   before yesterday must not count.",
    },
    Template {
        name: "get_in_past_days_expression_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("days", VariableType::Integer)],
        placeholders: &["x"],
        description: "Holds for moments of the last so many days.",
        guidance: "`{x}` is a timestamp, `days` the number. What lies in the future is better left \
                   out: bound both sides.",
    },
    Template {
        name: "get_in_past_hours_expression_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("hours", VariableType::Integer)],
        placeholders: &["x"],
        description: "Holds for moments of the last so many hours.",
        guidance: "`{x}` is a timestamp, `hours` the number. Keep hours and zones apart: a clock \
                   in local time against data in UTC is off by whole hours.",
    },
    Template {
        name: "get_in_past_calendar_week_expression_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::optional("weeks", VariableType::Integer)],
        placeholders: &["x"],
        description: "Holds for moments of the recent calendar weeks.",
        guidance: "`{x}` is a timestamp. `weeks`, when given, is how many weeks back to reach; a \
                   template may leave it unused. A recent moment must count, an old one must not.",
    },
    Template {
        name: "get_in_past_calendar_month_expression_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "Holds for moments of the recent calendar month.",
        guidance: "`{x}` is a timestamp. A recent moment must count, one of years ago must not: \
                   compare year and month, not the number of the month alone.",
    },
    Template {
        name: "get_date_diff_func_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("date_expr1", VariableType::Text),
            Variable::required("date_expr2", VariableType::Text),
            Variable::required("date_part", VariableType::Text),
        ],
        placeholders: &[],
        description: "The distance between two dates, in a given unit.",
        guidance: "Counts from `date_expr1` to `date_expr2`: positive when the second is later. \
                   The unit comes as `date_part` (`day`, `hour`, `minute` or `second`); older \
                   connectors read it as `unit`, and both names work. Where the dialect cannot \
                   take the unit as a word, choose with an inline `if`. The result is a whole \
                   number.",
    },
    Template {
        name: "get_days_of_week_expression_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "The number of a date's weekday.",
        guidance: "`{x}` is a date or timestamp. Which day comes first and whether counting starts \
                   at 0 or 1 is the dialect's own; the same weekday must always give the same \
                   number, and seven days seven numbers.",
    },
    Template {
        name: "convert_to_unix_timestamp_func_template",
        section: TemplateSection::DateTimeFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("date_expr", VariableType::Text)],
        placeholders: &[],
        description: "Turns a timestamp into seconds since 1970.",
        guidance: "Seconds in UTC, not milliseconds; applied to the current moment it must be \
                   within two minutes of the real one.",
    },
];
