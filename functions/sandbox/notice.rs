//! What the gateway tells unasked: what an operation has become, and what comes after that.
//!
//! The notices of an operation follow from its record alone, each with the moment from which it can be told. One body
//! carries any number of them, and bears the moment at which it is sent, because a signature that does not say when
//! could be sent again by whoever has heard it. Nothing is told of what a browser asked for.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use kessai_shared::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

use super::answer::{of_operation, written};
use super::model::DEFAULT_URL;
use super::record::{Operation, Outcome, Sequel};

/// The header that bears the signature of a body.
pub const SIGNATURE_HEADER: &str = "x-sandbox-signature";

/// How long after an answer its notice is sent.
pub const NOTICE_MS: i64 = 100;

/// The code and message of whatever did not stand after all.
const FAILED: (&str, &str) = ("96", "Did Not Settle");

/// The reason of every dispute.
const FRAUD: &str = "10.4";

/// What a notice tells of. No operation comes to the same twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Accepted,
    ActionRequired,
    Approved,
    Declined,
    Failed,
    DisputeOpened,
    ChargedBack,
    DisputeReversed,
}

impl Stage {
    fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Approved => Self::Approved,
            Outcome::Accepted { .. } => Self::Accepted,
            Outcome::Declined { .. } => Self::Declined,
            Outcome::ActionRequired { .. } => Self::ActionRequired,
        }
    }
}

/// One thing that the gateway tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// From when on.
    pub at_ms: i64,
    pub stage: Stage,
    /// As it stands in a body.
    pub told: Value,
}

impl Item {
    /// Whether the answer to the operation could not say it.
    #[cfg(feature = "local")]
    pub(super) fn is_told_later(&self, operation: &Operation) -> bool {
        match self.stage {
            Stage::Failed | Stage::DisputeOpened | Stage::ChargedBack | Stage::DisputeReversed => true,
            Stage::Accepted | Stage::ActionRequired | Stage::Approved | Stage::Declined => {
                operation.tells_first || operation.outcome.changes_at_ms().is_some()
            }
        }
    }
}

/// Everything that is told of an operation, of a gateway at this URL, in the order in which it happens.
#[must_use]
pub fn notices(operation: &Operation, url: &str) -> Vec<Item> {
    let Some(reference) = &operation.reference else { return Vec::new() };
    let first_ms =
        if operation.tells_first { operation.at_ms } else { operation.answers_at_ms.saturating_add(NOTICE_MS) };
    let mut items = Vec::new();
    // No news overtake the first.
    let mut tell = |at_ms: i64, stage, told| items.push(Item { at_ms: at_ms.max(first_ms), stage, told });
    let mut tell_of = |at_ms, outcome| tell(at_ms, Stage::of(outcome), of_outcome(operation, outcome, url));
    tell_of(first_ms, operation.outcome.undecided());
    let decided_at_ms = operation.outcome.changes_at_ms();
    if let Some(at_ms) = decided_at_ms {
        tell_of(at_ms, operation.outcome.at(at_ms));
    }
    let of_dispute = |stage: &str| {
        json!({
            "event": "dispute",
            "reference": reference,
            "id": operation.id,
            "dispute": dispute_id(&operation.id),
            "stage": stage,
            "amount": operation.amount,
            "code": FRAUD,
        })
    };
    match operation.sequel {
        None => {}
        Some(Sequel::Fails { at_ms }) => {
            let (code, message) = FAILED;
            let told = json!({
                "event": "failed",
                "reference": reference,
                "id": operation.id,
                "notice": format!("{}-failed", operation.id),
                "code": code,
                "message": message,
            });
            tell(at_ms, Stage::Failed, told);
        }
        Some(Sequel::Disputed { opened_at_ms, charged_back_at_ms, reversed_at_ms }) => {
            tell(opened_at_ms, Stage::DisputeOpened, of_dispute("opened"));
            tell(charged_back_at_ms, Stage::ChargedBack, of_dispute("charged_back"));
            if let Some(at_ms) = reversed_at_ms {
                tell(at_ms, Stage::DisputeReversed, of_dispute("reversed"));
            }
        }
    }
    items
}

fn of_outcome(operation: &Operation, outcome: Outcome, url: &str) -> Value {
    // Our own shapes of texts and numbers always serialise.
    let mut told = serde_json::to_value(of_operation(operation, outcome, url)).unwrap_or_default();
    told["event"] = json!("operation");
    told
}

/// Only what has a number of its own is disputed.
fn dispute_id(id: &str) -> String {
    format!("D{}", id.trim_start_matches(|letter: char| letter.is_ascii_alphabetic()))
}

/// What tells nothing, and only asks whether somebody listens.
#[must_use]
pub fn ping() -> Value {
    json!({"event": "ping"})
}

/// A body on its way to the merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub body: String,
    /// For [`SIGNATURE_HEADER`]; of a notice of the old wire, HMAC-SHA-256 in lower-case hexadecimal digits.
    pub signature: String,
}

impl Notice {
    /// The same with a body that breaks off half way.
    #[cfg(feature = "local")]
    #[must_use]
    pub(super) fn cut_short(mut self) -> Self {
        let half = self.body.floor_char_boundary(self.body.len() / 2);
        self.body.truncate(half);
        self
    }
}

/// Puts what is told into one body, signed with each of the secrets: two while one replaces the other.
#[must_use]
pub fn envelope<'told>(told: impl IntoIterator<Item = &'told Value>, secrets: &[&str], now_ms: i64) -> Notice {
    let told: Vec<&Value> = told.into_iter().collect();
    let body = written(&json!({"sent": Timestamp::from_millis(now_ms).to_string(), "notices": told}));
    let seconds = now_ms.div_euclid(1_000);
    let signed = format!("{seconds}.{body}");
    let of_secret = |secret: &&str| format!(",v1={}", hash(secret, &signed));
    let signature = format!("t={seconds}") + &secrets.iter().map(of_secret).collect::<String>();
    Notice { body, signature }
}

/// Tells what has become of an operation by `now_ms`, on the old wire: the body of its answer, and a signature of that.
#[must_use]
pub fn notice(operation: &Operation, secret: &str, now_ms: i64) -> Notice {
    let body = written(&of_operation(operation, operation.outcome.at(now_ms), DEFAULT_URL));
    let signature = hash(secret, &body);
    Notice { body, signature }
}

/// HMAC-SHA-256 in lower-case hexadecimal digits.
fn hash(secret: &str, text: &str) -> String {
    // HMAC takes a key of any length.
    let hash = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mut hash| {
        hash.update(text.as_bytes());
        HEXLOWER.encode(&hash.finalize().into_bytes())
    });
    hash.unwrap_or_default()
}
