//! Of texts, numbers and conditions.

use bowline_query::Literal;

use super::{of_numbers, of_texts, truth};
use crate::rows::{Expect, Question};

const NUMBERS: [&str; 7] = ["3", "1.5", "NULL", "-4", "10", "0", "2.25"];

/// One answer over numbers.
fn over_numbers(expression: &str, numbers: &[&str], answer: Expect) -> Question {
    Question {
        rows: numbers
            .iter()
            .map(|number| {
                vec![match *number {
                    "NULL" => Literal::Null,
                    number => Literal::Number(number.to_owned()),
                }]
            })
            .collect(),
        expression: expression.to_owned(),
        expected: vec![answer],
    }
}

fn yes(text: &'static str) -> (&'static str, Expect) {
    (text, Expect::Number(1.0))
}

fn no(text: &'static str) -> (&'static str, Expect) {
    (text, Expect::Number(0.0))
}

/// None for a template that is about something else.
pub(super) fn questions(template: &str) -> Option<Vec<Question>> {
    let number = Expect::Number;
    let text = |text: &str| Expect::Text(text.to_owned());
    let questions = match template {
        "get_length" => vec![of_texts(
            "get_length(x='v')",
            &[
                ("a", number(1.0)),
                ("äöü", number(3.0)),
                ("東京都", number(3.0)),
                ("x y", number(3.0)),
                (
                    "a text that is longer than thirty letters, by some",
                    number(50.0),
                ),
            ],
        )],
        "substring_func" => vec![
            of_texts(
                "substring_func(field='v', start_pos=2, length=2)",
                &[
                    ("abcd", text("bc")),
                    ("äöü", text("öü")),
                    ("東京都", text("京都")),
                ],
            ),
            of_texts(
                "substring_func(field='v', start_pos=1, length=3)",
                &[
                    ("abcd", text("abc")),
                    ("it's", text("it'")),
                    ("東京都市", text("東京都")),
                ],
            ),
        ],
        "get_is_empty_string_expression" => vec![of_texts(
            &truth("get_is_empty_string_expression(x='v')"),
            &[no("a"), no("0")],
        )],
        "string_literal" | "escape_string" => [
            "it's",
            "a''b",
            "100% \\d {x} {{y}}",
            "\\",
            "\\'",
            "ä 東京",
            "a\"b`c",
            "-- ; /*",
        ]
        .into_iter()
        .map(|each| Question {
            rows: vec![vec![Literal::Text(each.to_owned())]],
            expression: "'v'".to_owned(),
            expected: vec![text(each)],
        })
        .collect(),
        "cast_to_string_func" => vec![of_numbers(
            "cast_to_string_func(expression='v')",
            &[
                ("1", "1", text("1")),
                ("-42", "1", text("-42")),
                ("1234567", "1", text("1234567")),
            ],
        )],
        "get_casting_to_numeric_expression" => vec![of_texts(
            "get_casting_to_numeric_expression(expression='v')",
            &[
                ("2.5", number(2.5)),
                ("-3", number(-3.0)),
                ("16777217", number(16_777_217.0)),
                ("0.000001", number(0.000_001)),
                ("123456789.125", number(123_456_789.125)),
            ],
        )],
        "get_casting_to_decimal_expression" => vec![of_texts(
            "get_casting_to_decimal_expression(expression='v')",
            &[
                ("2.5", number(2.5)),
                ("-3", number(-3.0)),
                ("1234567.8125", number(1_234_567.812_5)),
            ],
        )],
        "get_absolute_value_function" => vec![of_numbers(
            "get_absolute_value_function(expression='v - w')",
            &[
                ("1", "3", number(2.0)),
                ("2.5", "0", number(2.5)),
                ("-7", "1", number(8.0)),
                ("0", "0", number(0.0)),
                ("NULL", "1", Expect::Null),
            ],
        )],
        "get_safe_divide" => vec![of_numbers(
            "get_safe_divide(dividend='v', divisor='w')",
            &[
                ("1", "3", number(1.0 / 3.0)),
                ("7", "2", number(3.5)),
                ("-9", "4", number(-2.25)),
                ("123456", "7", number(123_456.0 / 7.0)),
                // Fractions of decimals are not cut to the digits that these have.
                ("0.1", "0.3", number(1.0 / 3.0)),
                ("0", "5", number(0.0)),
                ("NULL", "5", Expect::Null),
            ],
        )],
        "get_avg_function" => vec![
            over_numbers("get_avg_function(x='v')", &NUMBERS, number(12.75 / 6.0)),
            over_numbers("get_avg_function(x='v')", &["1", "2"], number(1.5)),
            over_numbers(
                "get_avg_function(x='v')",
                &["3", "3", "4"],
                number(10.0 / 3.0),
            ),
        ],
        "get_stddev_function" => vec![
            over_numbers(
                "get_stddev_function(x='v')",
                &["1", "2", "4", "9"],
                Expect::Either(3.559_026, 3.082_207),
            ),
            over_numbers(
                "get_stddev_function(x='v')",
                &["5", "NULL", "5", "8"],
                Expect::Either(3_f64.sqrt(), 2_f64.sqrt()),
            ),
        ],
        "get_distinct_count_func" => vec![
            over_numbers(
                "get_distinct_count_func(x='v')",
                &["1", "1", "2", "NULL", "3", "3"],
                number(3.0),
            ),
            over_numbers("get_distinct_count_func(x='v')", &["7", "7"], number(1.0)),
        ],
        "approx_distinct_func" => vec![
            over_numbers(
                "approx_distinct_func(field_name='v')",
                &["1", "1", "2", "NULL", "3", "3"],
                number(3.0),
            ),
            over_numbers(
                "approx_distinct_func(field_name='v')",
                &["7", "7"],
                number(1.0),
            ),
        ],
        "get_conditional_count_expression" => vec![
            over_numbers(
                "get_conditional_count_expression(expression='v > 1')",
                &NUMBERS,
                number(4.0),
            ),
            over_numbers(
                "get_conditional_count_expression(expression='v > 100')",
                &NUMBERS,
                number(0.0),
            ),
            over_numbers(
                "get_conditional_count_expression(expression='v = 0 OR v < 0')",
                &NUMBERS,
                number(2.0),
            ),
        ],
        "any_value" => vec![over_numbers(
            "any_value(col_name='v')",
            &["NULL", "6", "6"],
            number(6.0),
        )],
        "is_null" => vec![of_numbers(
            &truth("is_null(x='v')"),
            &[
                ("1", "1", number(0.0)),
                ("NULL", "1", number(1.0)),
                ("0", "1", number(0.0)),
            ],
        )],
        "is_not_null" => vec![of_numbers(
            &truth("is_not_null(x='v')"),
            &[
                ("1", "1", number(1.0)),
                ("NULL", "1", number(0.0)),
                ("0", "1", number(1.0)),
            ],
        )],
        "get_isnan_expression" => vec![of_numbers(
            &truth("get_isnan_expression(x='v')"),
            &[
                ("1", "1", number(0.0)),
                ("0", "1", number(0.0)),
                ("-2.5", "1", number(0.0)),
            ],
        )],
        "get_array_length_func" => [2_usize, 5, 11]
            .into_iter()
            .map(|length| Question {
                rows: vec![vec![Literal::Number("1".to_owned())]],
                expression: format!(
                    "get_array_length_func(x=array_expr(values=[{}]))",
                    vec!["'4'"; length].join(", ")
                ),
                expected: vec![number(length as f64)],
            })
            .collect(),
        "get_regexp_expression" => {
            let matching = |pattern: &str, ignoring: bool, texts: &[(&str, Expect)]| {
                of_texts(
                    &truth(&format!(
                        "get_regexp_expression(x='v', regexp='{pattern}', case_insensitive={ignoring})"
                    )),
                    texts,
                )
            };
            vec![
                matching(
                    "^[a-z]+$",
                    false,
                    &[yes("abc"), no("aBc"), no("ab1"), no("a b")],
                ),
                matching("^[a-z]+$", true, &[yes("abc"), yes("aBc"), no("ab1")]),
                matching("[0-9]{3}", false, &[yes("x123y"), no("12"), yes("1234")]),
                matching(
                    "b|C",
                    false,
                    &[yes("abc"), no("xyz"), yes("xCx"), no("xcx")],
                ),
                matching("^a.c", true, &[yes("ABC"), no("xabc"), yes("a-cd")]),
                // A backslash, as a pattern has it: two, and Jinja doubles them once more.
                matching(r"^a\\\\.$", false, &[yes(r"a\b"), no("ab"), no("a..")]),
            ]
        }
        "get_regexp_count_expression" => vec![Question {
            rows: ["abc", "aBc", "12", "x"]
                .iter()
                .map(|text| vec![Literal::Text((*text).to_owned())])
                .chain([vec![Literal::Null]])
                .collect(),
            expression:
                "get_regexp_count_expression(x='v', regexp='^[a-c]+$', case_insensitive=false)"
                    .to_owned(),
            expected: vec![number(1.0)],
        }],
        "get_is_timestamp_expression" => vec![of_texts(
            &truth("get_is_timestamp_expression(x='v')"),
            &[
                yes("2024-06-15 10:30:45"),
                yes("2024-02-29 00:00:00"),
                yes("1999-12-31"),
                no("hello"),
                no("2024-13-01"),
                no("2023-02-29 00:00:00"),
                no("x2024-06-15"),
                no("2024-06-15 25:00:00"),
                no("12-34"),
            ],
        )],
        "get_not_is_timestamp_expression" => vec![of_texts(
            &truth("get_not_is_timestamp_expression(x='v')"),
            &[
                no("2024-06-15 10:30:45"),
                no("2024-02-29 00:00:00"),
                no("1999-12-31"),
                yes("hello"),
                yes("2024-13-01"),
                yes("2023-02-29 00:00:00"),
                yes("x2024-06-15"),
                yes("2024-06-15 25:00:00"),
                yes("12-34"),
            ],
        )],
        "get_approx_percentile_func" => {
            let numbers: Vec<String> = (1..=41).map(|n| n.to_string()).collect();
            let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
            vec![
                over_numbers(
                    "'CASE WHEN ' ~ get_approx_percentile_func(expression='v', percentile=0.25) ~ ' BETWEEN 9 AND 13 THEN 1 ELSE 0 END'",
                    &numbers,
                    number(1.0),
                ),
                over_numbers(
                    "'CASE WHEN ' ~ get_approx_percentile_func(expression='v', percentile=0.9) ~ ' BETWEEN 35 AND 39 THEN 1 ELSE 0 END'",
                    &numbers,
                    number(1.0),
                ),
            ]
        }
        _ => return None,
    };
    Some(questions)
}
