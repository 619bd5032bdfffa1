//! How each metric is computed: over which columns, by what formula in terms of templates, in which unit.
//!
//! The contract gives metrics their names and the templates that they need. What they mean beyond that is ours: it keeps
//! to what the name promises. Missing values are never counted, unless the metric is about them.

use crate::metric::Metric;
use crate::words::words;

words! {
    /// The columns that a metric is computed over.
    pub enum ColumnKind {
        Number = "number", "Whole numbers, decimals and floating point numbers.";
        Text = "text", "Texts.";
        Boolean = "boolean", "Booleans.";
        Moment = "moment", "Timestamps, with a zone or without.";
        Array = "array", "Arrays.";
        Any = "any", "Columns of every type.";
    }
}

words! {
    /// What a metric's number counts.
    pub enum Unit {
        Rows = "rows", "A whole number of rows; 0 where there are none.";
        Share = "share", "A share from 0 to 1; nothing where there are no rows.";
        Characters = "characters", "Characters; nothing where there are no texts.";
        Column = "column", "What the column's own values are in; nothing where there are none.";
        Distinct = "distinct", "A number of different values; 0 where there are none.";
    }
}

/// A formula in terms of templates: Jinja in which every template is a function and `column` the column's name as the
/// database takes it. `now_seconds` is the moment of the run, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formula {
    /// An aggregate over rows.
    Aggregate(&'static str),
    /// Another metric, or an aggregate of its own, as a share of all rows.
    ShareOfRows(Part),
    /// Another metric as a share of the rows whose value is not missing.
    ShareOfValues(Part),
}

/// What a share is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Another metric.
    Metric(&'static str),
    /// An aggregate that is no metric.
    Aggregate(&'static str),
}

/// How a metric is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// The columns.
    pub over: ColumnKind,
    /// What its number counts.
    pub unit: Unit,
    /// The formula.
    pub formula: Formula,
}

impl Formula {
    /// The formula as people read it: that of what a share is of, and what it is a share of.
    #[must_use]
    pub fn written(&self) -> String {
        let part = |part: &Part| match part {
            Part::Metric(name) => (*name).to_owned(),
            Part::Aggregate(text) => plain(text),
        };
        match self {
            Self::Aggregate(text) => plain(text),
            Self::ShareOfRows(of) => format!("{} / COUNT(*)", part(of)),
            Self::ShareOfValues(of) => format!("{} / COUNT(column)", part(of)),
        }
    }
}

/// A formula without the signs of Jinja.
fn plain(text: &str) -> String {
    text.replace("{{ ", "").replace(" }}", "")
}

impl Definition {
    /// The aggregate that a metric is, or is the share of.
    #[must_use]
    pub fn aggregate(&self) -> &'static str {
        match self.formula {
            Formula::Aggregate(text)
            | Formula::ShareOfRows(Part::Aggregate(text))
            | Formula::ShareOfValues(Part::Aggregate(text)) => text,
            Formula::ShareOfRows(Part::Metric(name))
            | Formula::ShareOfValues(Part::Metric(name)) => definition(name)
                .expect("a share is of a metric that there is")
                .aggregate(),
        }
    }
}

impl Metric {
    /// How it is computed.
    ///
    /// # Panics
    /// Never: a test holds every metric to a definition.
    #[must_use]
    pub fn definition(&self) -> Definition {
        definition(self.name).expect("every metric has a definition")
    }

    /// The metric that counts what this one gives the share of, and the other way round.
    #[must_use]
    pub fn neighbour(&self) -> Option<&'static Self> {
        if let Formula::ShareOfRows(Part::Metric(name))
        | Formula::ShareOfValues(Part::Metric(name)) = self.definition().formula
        {
            return Self::find(name);
        }
        Self::all().iter().find(|other| {
            matches!(
                other.definition().formula,
                Formula::ShareOfRows(Part::Metric(name)) | Formula::ShareOfValues(Part::Metric(name))
                    if name == self.name
            )
        })
    }
}

/// A count of the rows for which a condition holds.
macro_rules! count {
    ($condition:literal) => {
        concat!(
            "{{ get_conditional_count_expression(expression=",
            $condition,
            ") }}"
        )
    };
}

/// A count of the rows whose text matches a pattern. Patterns have no braces: who doubles them is open in the contract.
macro_rules! matching {
    ($pattern:expr) => {
        concat!(
            "{{ get_regexp_count_expression(x=column, regexp='",
            $pattern,
            "', case_insensitive=false) }}"
        )
    };
}

/// A count of the rows that have a text which does not match a pattern.
macro_rules! not_matching {
    ($pattern:expr) => {
        concat!("COUNT({{ column }}) - ", matching!($pattern))
    };
}

macro_rules! percentile_of {
    () => {
        "{{ get_approx_percentile_func(expression=column, percentile="
    };
}
macro_rules! percentile {
    ($share:literal) => {
        concat!(percentile_of!(), $share, ") }}")
    };
}

macro_rules! spaces {
    () => {
        "^ +$"
    };
}
macro_rules! email {
    () => {
        "^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+[.][A-Za-z][A-Za-z]+$"
    };
}
macro_rules! int {
    () => {
        "^[-+]?[0-9]+$"
    };
}
macro_rules! number {
    () => {
        "^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$"
    };
}
macro_rules! ssn {
    () => {
        "^[0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][0-9][0-9]$"
    };
}
macro_rules! us_phone { () => {
    "^([+]?1[ .-]?)?([(][0-9][0-9][0-9][)]|[0-9][0-9][0-9])[ .-]?[0-9][0-9][0-9][ .-]?[0-9][0-9][0-9][0-9]$"
} }
macro_rules! us_state { () => {
    "^(A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])$"
} }
macro_rules! us_zip {
    () => {
        "^[0-9][0-9][0-9][0-9][0-9](-[0-9][0-9][0-9][0-9])?$"
    };
}
macro_rules! hex4 {
    () => {
        "[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F]"
    };
}
macro_rules! uuid {
    () => {
        concat!(
            "^",
            hex4!(),
            hex4!(),
            "-",
            hex4!(),
            "-",
            hex4!(),
            "-",
            hex4!(),
            "-",
            hex4!(),
            hex4!(),
            hex4!(),
            "$"
        )
    };
}

impl Definition {
    /// The share of the values that lie below it, where it is a percentile of the column.
    #[must_use]
    pub fn percentile(&self) -> Option<&'static str> {
        let share = self.aggregate().strip_prefix(percentile_of!())?;
        share.strip_suffix(") }}")
    }
}

/// The definition of the metric of that name.
fn definition(name: &str) -> Option<Definition> {
    use ColumnKind::{Any, Array, Boolean, Moment, Number, Text};
    use Unit::{Characters, Column, Distinct, Rows, Share};

    let aggregate = |over, unit, formula| Definition {
        over,
        unit,
        formula: Formula::Aggregate(formula),
    };
    let share = |of: &'static str| {
        let counted = definition(of)?;
        Some(Definition {
            over: counted.over,
            unit: Share,
            formula: Formula::ShareOfRows(Part::Metric(of)),
        })
    };
    Some(match name {
        "approx_distinct_count" => {
            aggregate(Any, Distinct, "{{ get_distinct_count_func(x=column) }}")
        }
        "approx_distinctness" => Definition {
            over: Any,
            unit: Share,
            formula: Formula::ShareOfValues(Part::Metric("approx_distinct_count")),
        },
        "approx_quantiles" => aggregate(
            Number,
            Column,
            "{{ get_approx_quantiles_func(expression=column) }}",
        ),
        "approx_quantiles0" => aggregate(Number, Column, percentile!("0.0")),
        "approx_quantiles1" | "percentile_20" => aggregate(Number, Column, percentile!("0.2")),
        "approx_quantiles2" | "percentile_40" => aggregate(Number, Column, percentile!("0.4")),
        "approx_quantiles3" | "percentile_60" => aggregate(Number, Column, percentile!("0.6")),
        "approx_quantiles4" | "percentile_80" => aggregate(Number, Column, percentile!("0.8")),
        "approx_quantiles5" => aggregate(Number, Column, percentile!("1.0")),
        "array_null_rate" => Definition {
            over: Array,
            unit: Share,
            formula: Formula::ShareOfRows(Part::Aggregate(count!(
                "column ~ ' IS NULL OR ' ~ get_array_length_func(x=column) ~ ' = 0'"
            ))),
        },
        "empty_string_count" => aggregate(
            Text,
            Rows,
            count!("get_is_empty_string_expression(x=column)"),
        ),
        "false_count" => aggregate(Boolean, Rows, count!("column ~ ' = ' ~ literal(false)")),
        "true_count" => aggregate(Boolean, Rows, count!("column ~ ' = ' ~ literal(true)")),
        "future_timestamp_count" => aggregate(
            Moment,
            Rows,
            count!("get_epoch_seconds_expression(x=column) ~ ' > ' ~ now_seconds"),
        ),
        "past_timestamp_count" => aggregate(
            Moment,
            Rows,
            count!("get_epoch_seconds_expression(x=column) ~ ' < ' ~ now_seconds"),
        ),
        "unix_zero_count" => aggregate(
            Moment,
            Rows,
            count!("get_epoch_seconds_expression(x=column) ~ ' = 0'"),
        ),
        "nan_count" => aggregate(Number, Rows, count!("get_isnan_expression(x=column)")),
        "negative_count" => aggregate(Number, Rows, count!("column ~ ' < 0'")),
        "zero_count" => aggregate(Number, Rows, count!("column ~ ' = 0'")),
        "numeric_mean" => aggregate(Number, Column, "{{ get_avg_function(x=column) }}"),
        "numeric_median" => aggregate(Number, Column, percentile!("0.5")),
        "numeric_stddev" => aggregate(Number, Column, "{{ get_stddev_function(x=column) }}"),
        "sum" => aggregate(
            Number,
            Column,
            "SUM({{ get_casting_to_decimal_expression(expression=column) }})",
        ),
        "text_max_length" => aggregate(Text, Characters, "MAX({{ get_length(x=column) }})"),
        "text_min_length" => aggregate(Text, Characters, "MIN({{ get_length(x=column) }})"),
        "text_mean_length" => aggregate(
            Text,
            Characters,
            "{{ get_avg_function(x=get_length(x=column)) }}",
        ),
        "text_std_length" => aggregate(
            Text,
            Characters,
            "{{ get_stddev_function(x=get_length(x=column)) }}",
        ),
        "text_null_keyword_count" => aggregate(
            Text,
            Rows,
            count!(
                "'UPPER(' ~ column ~ ') IN (' ~ literal('NULL') ~ ', ' ~ literal('NONE') ~ ', ' ~ literal('NIL') ~ ', ' \
                 ~ literal('NA') ~ ', ' ~ literal('N/A') ~ ', ' ~ literal('NAN') ~ ')'"
            ),
        ),
        "text_timestamp_count" => {
            aggregate(Text, Rows, count!("get_is_timestamp_expression(x=column)"))
        }
        "text_not_timestamp_count" => aggregate(
            Text,
            Rows,
            count!("column ~ ' IS NOT NULL AND ' ~ get_not_is_timestamp_expression(x=column)"),
        ),
        "text_all_spaces_count" => aggregate(Text, Rows, matching!(spaces!())),
        "text_email_address_count" => aggregate(Text, Rows, matching!(email!())),
        "text_int_count" => aggregate(Text, Rows, matching!(int!())),
        "text_number_count" => aggregate(Text, Rows, matching!(number!())),
        "text_ssn_count" => aggregate(Text, Rows, matching!(ssn!())),
        "text_us_phone_count" => aggregate(Text, Rows, matching!(us_phone!())),
        "text_us_state_code_count" => aggregate(Text, Rows, matching!(us_state!())),
        "text_us_zip_code_count" => aggregate(Text, Rows, matching!(us_zip!())),
        "text_uuid_count" => aggregate(Text, Rows, matching!(uuid!())),
        "text_not_email_address_count" => aggregate(Text, Rows, not_matching!(email!())),
        "text_not_int_count" => aggregate(Text, Rows, not_matching!(int!())),
        "text_not_number_count" => aggregate(Text, Rows, not_matching!(number!())),
        "text_not_ssn_count" => aggregate(Text, Rows, not_matching!(ssn!())),
        "text_not_us_phone_count" => aggregate(Text, Rows, not_matching!(us_phone!())),
        "text_not_us_state_code_count" => aggregate(Text, Rows, not_matching!(us_state!())),
        "text_not_us_zip_code_count" => aggregate(Text, Rows, not_matching!(us_zip!())),
        "text_not_uuid_count" => aggregate(Text, Rows, not_matching!(uuid!())),
        "empty_string_rate" => share("empty_string_count")?,
        "false_rate" => share("false_count")?,
        "future_timestamp_rate" => share("future_timestamp_count")?,
        "nan_rate" => share("nan_count")?,
        "negative_rate" => share("negative_count")?,
        "past_timestamp_rate" => share("past_timestamp_count")?,
        "text_all_spaces_rate" => share("text_all_spaces_count")?,
        "text_email_address_rate" => share("text_email_address_count")?,
        "text_int_rate" => share("text_int_count")?,
        "text_null_keyword_rate" => share("text_null_keyword_count")?,
        "text_number_rate" => share("text_number_count")?,
        "text_ssn_rate" => share("text_ssn_count")?,
        "text_timestamp_rate" => share("text_timestamp_count")?,
        "text_us_phone_rate" => share("text_us_phone_count")?,
        "text_us_state_code_rate" => share("text_us_state_code_count")?,
        "text_us_zip_code_rate" => share("text_us_zip_code_count")?,
        "text_uuid_rate" => share("text_uuid_count")?,
        "true_rate" => share("true_count")?,
        "unix_zero_rate" => share("unix_zero_count")?,
        "zero_rate" => share("zero_count")?,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Template;

    #[test]
    fn every_metric_is_defined_and_uses_templates_that_it_names() {
        for metric in Metric::all() {
            let formula = metric.definition().aggregate();
            for template in Template::all() {
                let name = template.short_name();
                if formula.contains(&format!("{name}(")) {
                    let helper = [
                        "get_avg_function",
                        "get_stddev_function",
                        "get_regexp_count_expression",
                    ];
                    let is_known = metric.templates.contains(&name) || helper.contains(&name);
                    assert!(is_known, "{}: {name}", metric.name);
                }
            }
            assert!(formula.contains("column"), "{}", metric.name);
            let mut needed = metric.tested_templates();
            let is_used =
                needed.any(|needed| formula.contains(&format!("{}(", needed.short_name())));
            assert!(is_used, "{} is computed without what it needs", metric.name);
        }
    }

    #[test]
    fn percentiles_tell_their_share() {
        let share = |name| Metric::find(name).unwrap().definition().percentile();
        assert_eq!(share("percentile_20"), Some("0.2"));
        assert_eq!(share("numeric_median"), Some("0.5"));
        assert_eq!(share("approx_quantiles"), None);
        assert_eq!(share("numeric_mean"), None);
    }

    #[test]
    fn shares_and_counts_are_neighbours() {
        for metric in Metric::all() {
            if let Some(other) = metric.neighbour() {
                assert_eq!(other.neighbour(), Some(metric), "{}", metric.name);
            }
            let is_share = metric.definition().unit == Unit::Share;
            assert_eq!(
                is_share,
                metric.name.ends_with("_rate") || metric.name == "approx_distinctness",
                "{}",
                metric.name
            );
        }
    }

    #[test]
    fn patterns_hold_whether_or_not_braces_are_doubled() {
        for metric in Metric::all() {
            let formula = metric.definition().aggregate();
            if let Some((_, rest)) = formula.split_once("regexp='") {
                let pattern = &rest[..rest.find('\'').unwrap()];
                assert!(!pattern.contains(['{', '}', '\\']), "{}", metric.name);
            }
        }
    }
}
