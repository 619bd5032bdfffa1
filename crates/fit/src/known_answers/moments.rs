//! Of moments, and of windows of time.

use bowline_query::Literal;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Unit};

use super::{at, of_numbers, of_texts, truth};
use crate::rows::{Expect, Question};

const MOMENTS: [&str; 12] = [
    "2024-06-15 10:30:45",
    "2024-02-29 23:59:59",
    "2024-12-31 23:59:59",
    "2025-01-01 00:00:00",
    "2023-03-01 00:00:01",
    "1999-11-30 12:00:00",
    "2024-06-16 23:15:00",
    "2024-06-17 00:00:00",
    "2031-08-20 07:08:09",
    "2000-02-28 05:06:07",
    "1971-05-04 18:00:30",
    "2024-10-27 02:30:00",
];

/// Moments, and what must come of each; the last row is NULL and gives NULL.
fn of_moments(expression: &str, answer: impl Fn(DateTime) -> Expect) -> Question {
    let moments = MOMENTS.iter().map(|text| at(text));
    let rows = moments.clone().map(|at| vec![Literal::DateTime(at)]);
    Question {
        rows: rows.chain([vec![Literal::Null]]).collect(),
        expression: expression.to_owned(),
        expected: moments.map(answer).chain([Expect::Null]).collect(),
    }
}

fn start_of(unit: Unit) -> impl Fn(DateTime) -> DateTime {
    move |at| {
        let day = at.date();
        let start = match unit {
            Unit::Hour => {
                return at
                    .with()
                    .minute(0)
                    .second(0)
                    .subsec_nanosecond(0)
                    .build()
                    .unwrap_or(at);
            }
            Unit::Month => day.first_of_month(),
            Unit::Year => day.first_of_year(),
            _ => day,
        };
        start.to_datetime(Time::midnight())
    }
}

/// The Monday and the Sunday that a moment's week may begin with.
fn week_starts(at: DateTime) -> Expect {
    let back = |days: i8| {
        at.date()
            .saturating_sub(i64::from(days).days())
            .to_datetime(Time::midnight())
    };
    Expect::Moments(vec![
        back(at.date().weekday().to_monday_zero_offset()),
        back(at.date().weekday().to_sunday_zero_offset()),
    ])
}

fn seconds(at: DateTime) -> f64 {
    let since = at.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
    since.as_secs() as f64
}

/// Moments around now, far enough from where windows begin and end.
fn around_now(now: Timestamp, expression: &str, hours: &[(i64, bool)]) -> Question {
    let now = now.to_zoned(TimeZone::UTC).datetime();
    let at = |hours: i64| now.saturating_add(SignedDuration::from_hours(hours));
    Question {
        rows: hours
            .iter()
            .map(|(hours, _)| vec![Literal::DateTime(at(*hours))])
            .collect(),
        expression: truth(expression),
        expected: hours
            .iter()
            .map(|(_, is_in)| Expect::Number(f64::from(u8::from(*is_in))))
            .collect(),
    }
}

/// Noon of days around today.
fn around_today(now: Timestamp, expression: &str, days: &[(i64, bool)]) -> Question {
    let today = now.to_zoned(TimeZone::UTC).date();
    let noon = |days: i64| today.saturating_add(days.days()).at(12, 0, 0, 0);
    Question {
        rows: days
            .iter()
            .map(|(days, _)| vec![Literal::DateTime(noon(*days))])
            .collect(),
        expression: truth(expression),
        expected: days
            .iter()
            .map(|(_, is_in)| Expect::Number(f64::from(u8::from(*is_in))))
            .collect(),
    }
}

/// None for a template that is about something else.
pub(super) fn questions(template: &str, now: Timestamp) -> Option<Vec<Question>> {
    let number = Expect::Number;
    let questions = match template {
        "add_days_func" | "add_days_timestamp_func" => [1_i64, -40, 400]
            .into_iter()
            .map(|days| {
                of_moments(
                    &format!("{template}(date_expr='v', days={days})"),
                    move |at| {
                        Expect::Moments(vec![
                            at.saturating_add(days.days()),
                            // Dates are what a caller may pass to the first, and what it may give.
                            if template == "add_days_func" {
                                start_of(Unit::Day)(at.saturating_add(days.days()))
                            } else {
                                at.saturating_add(days.days())
                            },
                        ])
                    },
                )
            })
            .collect(),
        "add_hours_timestamp_func" => [1_i64, -40, 1000]
            .into_iter()
            .map(|hours| {
                of_moments(
                    &format!("add_hours_timestamp_func(date_expr='v', hours={hours})"),
                    move |at| Expect::Moment(at.saturating_add(SignedDuration::from_hours(hours))),
                )
            })
            .collect(),
        "truncate_to_day" => vec![of_moments("truncate_to_day(field='v')", |at| {
            Expect::Moment(start_of(Unit::Day)(at))
        })],
        "truncate_to_hour" => vec![of_moments("truncate_to_hour(field='v')", |at| {
            Expect::Moment(start_of(Unit::Hour)(at))
        })],
        "truncate_to_month" => vec![of_moments("truncate_to_month(field='v')", |at| {
            Expect::Moment(start_of(Unit::Month)(at))
        })],
        "truncate_to_year" => vec![of_moments("truncate_to_year(field='v')", |at| {
            Expect::Moment(start_of(Unit::Year)(at))
        })],
        "truncate_to_week" => vec![of_moments("truncate_to_week(field='v')", week_starts)],
        "time_truncate_func" => vec![
            of_moments("time_truncate_func(field='v', truncation='day')", |at| {
                Expect::Moment(start_of(Unit::Day)(at))
            }),
            of_moments("time_truncate_func(field='v', truncation='hour')", |at| {
                Expect::Moment(start_of(Unit::Hour)(at))
            }),
            of_moments("time_truncate_func(field='v', truncation='month')", |at| {
                Expect::Moment(start_of(Unit::Month)(at))
            }),
            of_moments("time_truncate_func(field='v', truncation='year')", |at| {
                Expect::Moment(start_of(Unit::Year)(at))
            }),
            of_moments(
                "time_truncate_func(field='v', truncation='week')",
                week_starts,
            ),
        ],
        "cast_timestamp_to_date" => {
            vec![of_moments("cast_timestamp_to_date(timestamp='v')", |at| {
                Expect::Moment(start_of(Unit::Day)(at))
            })]
        }
        "cast_default_to_timestamp" => vec![of_moments(
            "cast_default_to_timestamp(expression='v')",
            Expect::Moment,
        )],
        "cast_timestamp_to_timestamp_ntz" => vec![of_moments(
            "cast_timestamp_to_timestamp_ntz(timestamp='v')",
            Expect::Moment,
        )],
        "cast_string_to_timestamp" | "cast_to_timestamp_without_tz" => vec![of_texts(
            &format!("{template}(expression='v')"),
            &[
                (
                    "2024-06-15 10:30:45",
                    Expect::Moment(at("2024-06-15 10:30:45")),
                ),
                (
                    "1969-07-20 20:17:40",
                    Expect::Moment(at("1969-07-20 20:17:40")),
                ),
                (
                    "2031-12-31 23:59:59",
                    Expect::Moment(at("2031-12-31 23:59:59")),
                ),
            ],
        )],
        "max_time_func" => vec![Question {
            rows: MOMENTS
                .iter()
                .map(|text| vec![Literal::DateTime(at(text))])
                .chain([vec![Literal::Null]])
                .collect(),
            expression: "max_time_func(field='v')".to_owned(),
            expected: vec![Expect::Moment(at("2031-08-20 07:08:09"))],
        }],
        "convert_to_unix_timestamp_func" => vec![of_moments(
            "convert_to_unix_timestamp_func(date_expr='v')",
            |at| number(seconds(at)),
        )],
        "get_epoch_seconds_expression" | "get_epoch_seconds_parameter" => {
            let expression = format!("{template}(x='v')");
            vec![
                of_moments(&expression, |at| number(seconds(at))),
                // What keeps the fraction of a second, and what leaves it out, goes down before 1970.
                Question {
                    rows: vec![vec![Literal::DateTime(at("1969-12-31 23:59:57.5"))]],
                    expression,
                    expected: vec![Expect::Either(-2.5, -3.0)],
                },
            ]
        }
        "cast_numeric_to_timestamp" => vec![of_numbers(
            "cast_numeric_to_timestamp(expression='v')",
            &[
                ("1718447445", "1", Expect::Moment(at("2024-06-15 10:30:45"))),
                ("0", "1", Expect::Moment(at("1970-01-01 00:00:00"))),
                ("86400", "1", Expect::Moment(at("1970-01-02 00:00:00"))),
                ("1946189289", "1", Expect::Moment(at("2031-09-03 08:08:09"))),
            ],
        )],
        "get_date_diff_func" => [
            ("day", "2024-02-28 10:00:00", "2024-03-01 10:00:00", 2.0),
            ("day", "2024-03-01 10:00:00", "2023-03-01 10:00:00", -366.0),
            ("hour", "2024-02-28 10:30:00", "2024-02-29 12:30:00", 26.0),
            ("hour", "1999-12-31 23:30:00", "2000-01-01 00:30:00", 1.0),
            ("minute", "2024-06-15 10:30:45", "2024-06-15 12:00:45", 90.0),
            (
                "second",
                "2024-06-15 10:30:45",
                "2024-06-16 10:30:46",
                86_401.0,
            ),
            ("month", "2024-01-15 10:00:00", "2024-03-15 10:00:00", 2.0),
            ("month", "2024-11-15 10:00:00", "2022-10-15 10:00:00", -25.0),
            ("year", "2021-05-05 10:00:00", "2024-05-05 10:00:00", 3.0),
            ("week", "2024-06-12 10:00:00", "2024-07-10 10:00:00", 4.0),
        ]
        .into_iter()
        .map(|(part, from, to, answer)| Question {
            rows: vec![vec![Literal::DateTime(at(from)), Literal::DateTime(at(to))]],
            expression: format!(
                "get_date_diff_func(date_expr1='v', date_expr2='w', date_part='{part}')"
            ),
            expected: vec![number(answer)],
        })
        .collect(),
        "get_in_past_days_expression" => vec![
            around_now(
                now,
                "get_in_past_days_expression(x='v', days=7)",
                &[(-1, true), (-160, true), (-176, false), (20, false)],
            ),
            around_now(
                now,
                "get_in_past_days_expression(x='v', days=400)",
                &[(-24 * 390, true), (-24 * 410, false), (-2, true)],
            ),
        ],
        "get_in_past_hours_expression" => vec![
            around_now(
                now,
                "get_in_past_hours_expression(x='v', hours=7)",
                &[(-1, true), (-6, true), (-8, false), (3, false)],
            ),
            around_now(
                now,
                "get_in_past_hours_expression(x='v', hours=100)",
                &[(-99, true), (-101, false), (-2, true)],
            ),
        ],
        "get_in_past_calendar_month_expression" => vec![around_now(
            now,
            "get_in_past_calendar_month_expression(x='v')",
            &[
                (-1, true),
                (-24 * 27, true),
                (-24 * 63, false),
                (24 * 2, false),
            ],
        )],
        "get_in_past_calendar_week_expression" => vec![around_now(
            now,
            "get_in_past_calendar_week_expression(x='v')",
            &[
                (-1, true),
                (-24 * 6, true),
                (-24 * 15, false),
                (24 * 2, false),
            ],
        )],
        "get_is_yesterday_expression" => vec![around_today(
            now,
            "get_is_yesterday_expression(x='v')",
            &[
                (-1, true),
                (-2, false),
                (0, false),
                (1, false),
                (-8, false),
                (-366, false),
            ],
        )],
        _ => return None,
    };
    Some(questions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_those_of_the_calendar() {
        let moment = at("2024-06-16 23:15:00");
        assert_eq!(start_of(Unit::Hour)(moment), at("2024-06-16 23:00:00"));
        assert_eq!(start_of(Unit::Year)(moment), at("2024-01-01 00:00:00"));
        let weeks = Expect::Moments(vec![at("2024-06-10 00:00:00"), at("2024-06-16 00:00:00")]);
        assert_eq!(week_starts(moment), weeks);
    }
}
