//! What a vendor answered while a pipeline was read, as it was parsed: for those who compare it with what came of it.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

use crate::http::{Exchange, OnExchange};

/// How many bytes of answers are kept for somebody who asks.
const MOST: usize = 16 * 1024 * 1024;

/// What a vendor answered since this was asked last.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VendorAnswers {
    /// The answers that are JSON, in the order in which they came; those that came before, byte by byte, are left out.
    pub documents: Vec<Json>,
    /// Whether there was more than is kept.
    pub is_cut: bool,
}

/// Keeps answers until somebody asks for them.
#[derive(Default)]
pub(crate) struct Keeper {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    answers: VendorAnswers,
    bytes: usize,
    before: HashSet<u64>,
}

impl Keeper {
    /// Keeps what shows every exchange to this.
    pub(crate) fn watching(self: &Arc<Self>, shown: Option<OnExchange>) -> OnExchange {
        let keeper = Arc::clone(self);
        Arc::new(move |exchange: &Exchange<'_>| {
            keeper.keep_exchange(exchange);
            if let Some(shown) = &shown {
                shown(exchange);
            }
        })
    }

    fn keep_exchange(&self, exchange: &Exchange<'_>) {
        let Ok((200..300, bytes)) = exchange.outcome() else {
            return;
        };
        // What is too much by itself is not taken apart.
        if bytes > MOST {
            self.kept().answers.is_cut = true;
        } else if let Some(document) = exchange.answer() {
            self.keep(&document.to_string(), || Some(document));
        }
    }

    /// Keeps texts that a program gave.
    pub(crate) fn keep_texts(&self, texts: &[String], is_cut: bool) {
        for text in texts {
            self.keep(text, || serde_json::from_str(text).ok());
        }
        self.kept().answers.is_cut |= is_cut;
    }

    /// Keeps an answer unless it came before or is none that can be compared.
    fn keep(&self, text: &str, document: impl FnOnce() -> Option<Json>) {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let mut kept = self.kept();
        if !kept.before.insert(hasher.finish()) {
            return;
        }
        if kept.bytes + text.len() > MOST {
            kept.answers.is_cut = true;
            return;
        }
        let document = document().filter(|json| json.is_object() || json.is_array());
        if let Some(document) = document {
            kept.bytes += text.len();
            kept.answers.documents.push(document);
        }
    }

    /// What was kept since this was asked last.
    pub(crate) fn take(&self) -> VendorAnswers {
        let mut kept = self.kept();
        kept.bytes = 0;
        std::mem::take(&mut kept.answers)
    }

    /// Forgets what came before: the same answers are kept once more.
    pub(crate) fn forget(&self) {
        *self.kept() = Kept::default();
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_kept_once_and_given_once() {
        let keeper = Keeper::default();
        let texts = [r#"{"a":1}"#, r#"{"a":1}"#, "[2]", "7", "{"].map(str::to_owned);
        keeper.keep_texts(&texts, false);
        let kept = keeper.take();
        assert_eq!(kept.documents, [json!({"a": 1}), json!([2])]);
        assert!(!kept.is_cut);
        keeper.keep_texts(&texts, false);
        assert_eq!(keeper.take(), VendorAnswers::default());
    }

    #[test]
    fn what_is_too_much_is_told() {
        let keeper = Keeper::default();
        let large = format!("[{}]", " ".repeat(MOST - 2));
        keeper.keep_texts(&["[1]".to_owned(), large.clone()], false);
        let kept = keeper.take();
        assert_eq!((kept.documents.len(), kept.is_cut), (1, true));
        let twice = format!("[{}]", " ".repeat(MOST / 2));
        keeper.keep_texts(&[twice.clone(), "no JSON".to_owned(), twice], false);
        let kept = keeper.take();
        assert!(!kept.is_cut, "what came before takes no room");
    }
}
