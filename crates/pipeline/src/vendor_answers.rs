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
        if self.has_room_for(bytes)
            && let Some(document) = exchange.answer()
        {
            self.keep(document.to_string().as_str(), || Some(document));
        }
    }

    /// Keeps texts that a program gave.
    pub(crate) fn keep_texts(&self, texts: &[String], is_cut: bool) {
        for text in texts {
            if self.has_room_for(text.len()) {
                self.keep(text, || serde_json::from_str(text).ok());
            }
        }
        self.kept().answers.is_cut |= is_cut;
    }

    fn has_room_for(&self, bytes: usize) -> bool {
        let mut kept = self.kept();
        let has_room = kept.bytes.saturating_add(bytes) <= MOST;
        kept.answers.is_cut |= !has_room;
        has_room
    }

    fn keep(&self, text: &str, document: impl FnOnce() -> Option<Json>) {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let mut kept = self.kept();
        if kept.before.insert(hasher.finish()) {
            kept.bytes += text.len();
            let document = document().filter(|json| json.is_object() || json.is_array());
            kept.answers.documents.extend(document);
        }
    }

    /// What was kept since this was asked last.
    pub(crate) fn take(&self) -> VendorAnswers {
        let mut kept = self.kept();
        let documents = std::mem::take(&mut kept.answers.documents);
        let is_cut = kept.answers.is_cut;
        VendorAnswers { documents, is_cut }
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
        keeper.keep_texts(&["[1]".to_owned(), " ".repeat(MOST)], false);
        let kept = keeper.take();
        assert_eq!((kept.documents.len(), kept.is_cut), (1, true));
    }
}
