//! The metrics a platform computes per column, and the templates each is built from.

use crate::template::Template;

/// One metric: its name in the exported manifest, and the templates that must hold for it.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Metric {
    /// Its name, such as `numeric_mean`.
    pub name: &'static str,
    /// The short names of the templates it needs.
    ///
    /// Four names of the contract's metric map (see [`UNTESTED`]) are no templates of ours: the platform spells these
    /// itself and no suite can judge them, so they never hold a metric back.
    pub templates: &'static [&'static str],
    /// What it measures, in one line.
    pub description: &'static str,
}

/// The names in the metric map that are not among the 114 templates, and so are never tested; sorted.
pub const UNTESTED: &[&str] = &[
    "convert_field_to_uppercase",
    "get_boolean_match_expression",
    "get_distinctness_func",
    "in_values",
];

impl Metric {
    /// All metrics, by name.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        METRICS
    }

    /// The metric of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        METRICS
            .binary_search_by(|metric| metric.name.cmp(name))
            .ok()
            .map(|at| &METRICS[at])
    }

    /// The templates a suite can judge it by; never none.
    pub fn tested_templates(&self) -> impl Iterator<Item = &'static Template> + use<> {
        self.templates
            .iter()
            .filter_map(|name| Template::find(name))
    }
}

/// The metrics that need a template.
pub fn metrics_of(template: &Template) -> impl Iterator<Item = &'static Metric> + use<> {
    let name = template.short_name();
    METRICS
        .iter()
        .filter(move |metric| metric.templates.contains(&name))
}

const fn metric(
    name: &'static str,
    templates: &'static [&'static str],
    description: &'static str,
) -> Metric {
    Metric {
        name,
        templates,
        description,
    }
}

const PERCENTILE: &[&str] = &["get_approx_percentile_func"];
const LENGTH: &[&str] = &["get_length"];
const COUNT: &[&str] = &["get_conditional_count_expression"];
const BOOLEAN: &[&str] = &[
    "get_conditional_count_expression",
    "get_boolean_match_expression",
];
const EMPTY: &[&str] = &[
    "get_conditional_count_expression",
    "get_is_empty_string_expression",
];
const NAN: &[&str] = &["get_conditional_count_expression", "get_isnan_expression"];
const EPOCH: &[&str] = &[
    "get_conditional_count_expression",
    "get_epoch_seconds_expression",
];
const TIMESTAMP: &[&str] = &[
    "get_conditional_count_expression",
    "get_is_timestamp_expression",
];
const KEYWORD: &[&str] = &[
    "get_conditional_count_expression",
    "convert_field_to_uppercase",
    "in_values",
];
const PATTERN: &[&str] = &[
    "get_regexp_count_expression",
    "get_regexp_expression",
    "literal_regex",
];

const METRICS: &[Metric] = &[
    metric(
        "approx_distinct_count",
        &["get_distinct_count_func"],
        "How many different values a column holds, approximately.",
    ),
    metric(
        "approx_distinctness",
        &["get_distinct_count_func", "get_distinctness_func"],
        "Different values as a share of all non-missing values, approximately.",
    ),
    metric(
        "approx_quantiles",
        &["get_approx_quantiles_func"],
        "The values that cut a column into equally filled buckets, approximately.",
    ),
    metric(
        "approx_quantiles0",
        PERCENTILE,
        "The lower edge of the first of five equally filled buckets: the least value.",
    ),
    metric(
        "approx_quantiles1",
        PERCENTILE,
        "The upper edge of the first of five equally filled buckets.",
    ),
    metric(
        "approx_quantiles2",
        PERCENTILE,
        "The upper edge of the second of five equally filled buckets.",
    ),
    metric(
        "approx_quantiles3",
        PERCENTILE,
        "The upper edge of the third of five equally filled buckets.",
    ),
    metric(
        "approx_quantiles4",
        PERCENTILE,
        "The upper edge of the fourth of five equally filled buckets.",
    ),
    metric(
        "approx_quantiles5",
        PERCENTILE,
        "The upper edge of the last of five equally filled buckets: the greatest value.",
    ),
    metric(
        "array_null_rate",
        &["get_conditional_count_expression", "get_array_length_func"],
        "Share of rows whose array is missing or has no elements.",
    ),
    metric(
        "empty_string_count",
        EMPTY,
        "Rows whose text is there but empty.",
    ),
    metric(
        "empty_string_rate",
        EMPTY,
        "Share of rows whose text is there but empty.",
    ),
    metric("false_count", BOOLEAN, "Rows whose value is false."),
    metric("false_rate", BOOLEAN, "Share of rows whose value is false."),
    metric(
        "future_timestamp_count",
        EPOCH,
        "Rows whose moment has not come yet.",
    ),
    metric(
        "future_timestamp_rate",
        EPOCH,
        "Share of rows whose moment has not come yet.",
    ),
    metric("nan_count", NAN, "Rows that hold not-a-number."),
    metric("nan_rate", NAN, "Share of rows that hold not-a-number."),
    metric(
        "negative_count",
        COUNT,
        "Rows whose number lies under zero.",
    ),
    metric(
        "negative_rate",
        COUNT,
        "Share of rows whose number lies under zero.",
    ),
    metric(
        "numeric_mean",
        &["get_avg_function"],
        "The average of a column.",
    ),
    metric(
        "numeric_median",
        PERCENTILE,
        "The value in the middle of a column, approximately.",
    ),
    metric(
        "numeric_stddev",
        &["get_stddev_function"],
        "How far values spread around their average.",
    ),
    metric(
        "past_timestamp_count",
        EPOCH,
        "Rows whose moment has passed.",
    ),
    metric(
        "past_timestamp_rate",
        EPOCH,
        "Share of rows whose moment has passed.",
    ),
    metric(
        "percentile_20",
        PERCENTILE,
        "The value below which a fifth of the rows lie.",
    ),
    metric(
        "percentile_40",
        PERCENTILE,
        "The value below which two fifths of the rows lie.",
    ),
    metric(
        "percentile_60",
        PERCENTILE,
        "The value below which three fifths of the rows lie.",
    ),
    metric(
        "percentile_80",
        PERCENTILE,
        "The value below which four fifths of the rows lie.",
    ),
    metric(
        "sum",
        &["get_casting_to_decimal_expression"],
        "The total of a column.",
    ),
    metric(
        "text_all_spaces_count",
        PATTERN,
        "Rows whose text consists of blanks alone.",
    ),
    metric(
        "text_all_spaces_rate",
        PATTERN,
        "Share of rows whose text consists of blanks alone.",
    ),
    metric(
        "text_email_address_count",
        PATTERN,
        "Rows whose text is an e-mail address.",
    ),
    metric(
        "text_email_address_rate",
        PATTERN,
        "Share of rows whose text is an e-mail address.",
    ),
    metric(
        "text_int_count",
        PATTERN,
        "Rows whose text is a whole number.",
    ),
    metric(
        "text_int_rate",
        PATTERN,
        "Share of rows whose text is a whole number.",
    ),
    metric("text_max_length", LENGTH, "Characters in the longest text."),
    metric(
        "text_mean_length",
        LENGTH,
        "Characters in a text, on average.",
    ),
    metric(
        "text_min_length",
        LENGTH,
        "Characters in the shortest text.",
    ),
    metric(
        "text_not_email_address_count",
        PATTERN,
        "Rows whose text is not an e-mail address.",
    ),
    metric(
        "text_not_int_count",
        PATTERN,
        "Rows whose text is not a whole number.",
    ),
    metric(
        "text_not_number_count",
        PATTERN,
        "Rows whose text is not a number.",
    ),
    metric(
        "text_not_ssn_count",
        PATTERN,
        "Rows whose text is not a US social security number.",
    ),
    metric(
        "text_not_timestamp_count",
        &[
            "get_conditional_count_expression",
            "get_not_is_timestamp_expression",
        ],
        "Rows whose text does not read as a timestamp.",
    ),
    metric(
        "text_not_us_phone_count",
        PATTERN,
        "Rows whose text is not a US phone number.",
    ),
    metric(
        "text_not_us_state_code_count",
        PATTERN,
        "Rows whose text is not a two-letter code of a US state.",
    ),
    metric(
        "text_not_us_zip_code_count",
        PATTERN,
        "Rows whose text is not a US postal code.",
    ),
    metric(
        "text_not_uuid_count",
        PATTERN,
        "Rows whose text is not a UUID.",
    ),
    metric(
        "text_null_keyword_count",
        KEYWORD,
        "Rows whose text spells a missing value, such as `NULL` or `N/A`.",
    ),
    metric(
        "text_null_keyword_rate",
        KEYWORD,
        "Share of rows whose text spells a missing value.",
    ),
    metric("text_number_count", PATTERN, "Rows whose text is a number."),
    metric(
        "text_number_rate",
        PATTERN,
        "Share of rows whose text is a number.",
    ),
    metric(
        "text_ssn_count",
        PATTERN,
        "Rows whose text is a US social security number.",
    ),
    metric(
        "text_ssn_rate",
        PATTERN,
        "Share of rows whose text is a US social security number.",
    ),
    metric(
        "text_std_length",
        &["get_stddev_function", "get_length"],
        "How far the lengths of texts spread around their average.",
    ),
    metric(
        "text_timestamp_count",
        TIMESTAMP,
        "Rows whose text reads as a timestamp.",
    ),
    metric(
        "text_timestamp_rate",
        TIMESTAMP,
        "Share of rows whose text reads as a timestamp.",
    ),
    metric(
        "text_us_phone_count",
        PATTERN,
        "Rows whose text is a US phone number.",
    ),
    metric(
        "text_us_phone_rate",
        PATTERN,
        "Share of rows whose text is a US phone number.",
    ),
    metric(
        "text_us_state_code_count",
        PATTERN,
        "Rows whose text is a two-letter code of a US state.",
    ),
    metric(
        "text_us_state_code_rate",
        PATTERN,
        "Share of rows whose text is a two-letter code of a US state.",
    ),
    metric(
        "text_us_zip_code_count",
        PATTERN,
        "Rows whose text is a US postal code.",
    ),
    metric(
        "text_us_zip_code_rate",
        PATTERN,
        "Share of rows whose text is a US postal code.",
    ),
    metric("text_uuid_count", PATTERN, "Rows whose text is a UUID."),
    metric(
        "text_uuid_rate",
        PATTERN,
        "Share of rows whose text is a UUID.",
    ),
    metric("true_count", BOOLEAN, "Rows whose value is true."),
    metric("true_rate", BOOLEAN, "Share of rows whose value is true."),
    metric(
        "unix_zero_count",
        EPOCH,
        "Rows at the first second of 1970, usually a default that was never filled in.",
    ),
    metric(
        "unix_zero_rate",
        EPOCH,
        "Share of rows at the first second of 1970.",
    ),
    metric("zero_count", COUNT, "Rows whose number is zero."),
    metric("zero_rate", COUNT, "Share of rows whose number is zero."),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn metrics_are_71_sorted_and_described() {
        assert_eq!(METRICS.len(), 71);
        assert!(METRICS.windows(2).all(|pair| pair[0].name < pair[1].name));
        for metric in METRICS {
            assert!(!metric.description.is_empty(), "{}", metric.name);
            assert_eq!(Metric::find(metric.name), Some(metric));
        }
        assert_eq!(Metric::find("numeric_median_"), None);
    }

    #[test]
    fn every_name_is_a_template_or_listed_as_untested() {
        let unknown: BTreeSet<&str> = METRICS
            .iter()
            .flat_map(|metric| metric.templates.iter().copied())
            .filter(|name| Template::find(name).is_none())
            .collect();
        assert_eq!(unknown, UNTESTED.iter().copied().collect());
    }

    #[test]
    fn every_metric_has_a_template_the_suite_can_judge() {
        for metric in METRICS {
            assert!(
                metric.tested_templates().next().is_some(),
                "{}",
                metric.name
            );
        }
    }

    #[test]
    fn a_template_knows_its_metrics() {
        let stddev = Template::find("get_stddev_function").unwrap();
        let names: Vec<&str> = metrics_of(stddev).map(|metric| metric.name).collect();
        assert_eq!(names, ["numeric_stddev", "text_std_length"]);
        assert_eq!(metrics_of(Template::find("rand_func").unwrap()).count(), 0);
    }
}
