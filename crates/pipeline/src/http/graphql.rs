//! What a GraphQL answer says went wrong: its status is 200 all the same.

use bowline_template::{Kind, Value};
use bowline_words::counted;

use crate::expression::{text_of, to_json};

/// What the `errors` of an answer mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Errors {
    /// There are none.
    None,
    /// There is data besides: the words about what is missing.
    Partial(String),
    /// There is no data: why.
    Whole(String),
}

/// The errors of an answer to a GraphQL query.
pub(crate) fn errors(body: &Value) -> Errors {
    let words = error_words(body);
    match (body.get("data").filter(|data| !data.is_nothing()), words) {
        (None, Some(words)) => Errors::Whole(words),
        (None, None) => Errors::Whole("the answer holds no `data`".to_owned()),
        (Some(_), Some(words)) => Errors::Partial(words),
        (Some(_), None) => Errors::None,
    }
}

/// What stands in the list `errors` of an answer, in one line; nothing when there is none, or nothing in it.
pub(crate) fn error_words(body: &Value) -> Option<String> {
    let errors = body.get("errors")?;
    if errors.kind() != Kind::Sequence {
        return None;
    }
    let first = errors.at(0)?;
    let message = first.get("message").unwrap_or(first);
    let message = text_of(&to_json(&message));
    let count = errors.items().map_or(1, |errors| errors.len());
    Some(match count {
        1 => message,
        more => format!("{message} (and {})", counted(more - 1, "other error")),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::expression::to_value;

    #[test]
    fn errors_without_data_are_failures_and_with_data_are_not() {
        let whole = |text: &str| Errors::Whole(text.to_owned());
        let lost = json!([{"message": "boom", "path": ["runs"]}, {"message": "bang"}]);
        for (body, expected) in [
            (json!({"data": {"runs": []}}), Errors::None),
            (json!({"data": {"runs": []}, "errors": []}), Errors::None),
            (json!({"data": {"runs": []}, "errors": null}), Errors::None),
            (
                json!({"data": null, "errors": lost}),
                whole("boom (and 1 other error)"),
            ),
            (json!({"errors": ["boom"]}), whole("boom")),
            (json!({"data": null}), whole("the answer holds no `data`")),
            (
                json!({"message": "moved"}),
                whole("the answer holds no `data`"),
            ),
            (
                json!({"data": {"runs": [1]}, "errors": [{"message": "boom"}]}),
                Errors::Partial("boom".to_owned()),
            ),
        ] {
            assert_eq!(errors(&to_value(body.clone())), expected, "{body}");
        }
    }
}
