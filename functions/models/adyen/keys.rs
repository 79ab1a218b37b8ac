//! Idempotency keys: the first answer to one is the answer to all that come under it.

use std::collections::BTreeMap;

use super::super::{Answer, Request};
use super::error::Refusal;

/// How long a key is known: 31 days.
const WINDOW_MS: i64 = 31 * 24 * 60 * 60 * 1_000;

/// Characters of a key.
const LONGEST: usize = 64;

#[derive(Default)]
pub(super) struct Keys(BTreeMap<String, Kept>);

struct Kept {
    path: String,
    body: Vec<u8>,
    answer: Answer,
    at_ms: i64,
}

impl Keys {
    /// What was answered before under this key; none where it is new, or there is none.
    pub fn known(&self, request: &Request, now_ms: i64) -> Option<Result<Answer, Refusal>> {
        let key = request.header("idempotency-key");
        if key.len() > LONGEST {
            return Some(Err(Refusal::unexpected("Idempotency-Key")));
        }
        let kept = self.0.get(key).filter(|kept| now_ms < kept.at_ms.saturating_add(WINDOW_MS))?;
        let is_same = kept.path == request.path && kept.body == request.body;
        Some(if is_same { Ok(kept.answer.clone()) } else { Err(Refusal::IN_PROGRESS) })
    }

    pub fn keep(&mut self, request: &Request, answer: &Answer, now_ms: i64) {
        let key = request.header("idempotency-key");
        if !key.is_empty() {
            let (path, body) = (request.path.clone(), request.body.clone());
            self.0.insert(key.to_owned(), Kept { path, body, answer: answer.clone(), at_ms: now_ms });
        }
    }
}
