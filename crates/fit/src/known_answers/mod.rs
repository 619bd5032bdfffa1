//! What spellings must answer over rows beyond the suite's, template by template.

mod moments;
mod values;

use bowline_query::Literal;
use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::rows::{Expect, Question};

/// The questions there are for a template, windows of time as of a moment; none for one that dialects differ in.
pub(crate) fn questions(template: &str, now: Timestamp) -> Vec<Question> {
    values::questions(template)
        .or_else(|| moments::questions(template, now))
        .unwrap_or_default()
}

fn at(text: &str) -> DateTime {
    text.parse()
        .unwrap_or_else(|error| panic!("a moment of our own: {text}: {error}"))
}

fn of_texts(expression: &str, texts: &[(&str, Expect)]) -> Question {
    Question {
        rows: texts
            .iter()
            .map(|(text, _)| vec![Literal::Text((*text).to_owned())])
            .collect(),
        expression: expression.to_owned(),
        expected: texts.iter().map(|(_, expected)| expected.clone()).collect(),
    }
}

fn of_numbers(expression: &str, rows: &[(&str, &str, Expect)]) -> Question {
    let number = |text: &str| match text {
        "NULL" => Literal::Null,
        text => Literal::Number(text.to_owned()),
    };
    Question {
        rows: rows
            .iter()
            .map(|(v, w, _)| vec![number(v), number(w)])
            .collect(),
        expression: expression.to_owned(),
        expected: rows
            .iter()
            .map(|(_, _, expected)| expected.clone())
            .collect(),
    }
}

/// A condition as a number.
fn truth(condition: &str) -> String {
    format!("'CASE WHEN ' ~ {condition} ~ ' THEN 1 ELSE 0 END'")
}

#[cfg(test)]
mod tests {
    use bowline_contract::Template;

    use super::*;

    #[test]
    fn every_question_has_an_answer_for_every_row_or_one() {
        for template in Template::all() {
            for question in questions(template.short_name(), Timestamp::UNIX_EPOCH) {
                let answers = question.expected.len();
                assert!(
                    answers == question.rows.len() || answers == 1,
                    "{}",
                    template.name
                );
                let widths = question.rows.iter().map(Vec::len);
                assert_eq!(widths.clone().min(), widths.max(), "{}", template.name);
            }
        }
    }
}
