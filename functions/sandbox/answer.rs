//! What the gateway says: HTTP answers as plain values, and the bodies in them.

use std::ops::Not;

use kessai_shared::time::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::record::{Operation, Outcome, Reversal};
use super::route::Kind;
use super::token::token;

pub use crate::models::Answer;

impl Answer {
    #[must_use]
    pub(crate) fn ok(body: &impl Serialize) -> Self {
        Self::json(200, body)
    }

    #[must_use]
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, &json!({"code": code, "message": message}))
    }

    /// The request itself is wrong; the message names the member.
    #[must_use]
    pub(crate) fn invalid(message: &str) -> Self {
        Self::error(400, "invalid_request", message)
    }

    /// The gateway's own failure.
    #[must_use]
    pub(crate) fn internal_error() -> Self {
        Self::error(500, "internal_error", "the gateway failed")
    }

    /// A page for a person.
    #[must_use]
    pub(super) fn page(body: String) -> Self {
        Self { status: 200, body, headers: vec![("content-type", "text/html; charset=utf-8".to_owned())] }
    }

    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The same answer with a body that breaks off half way.
    #[must_use]
    pub(super) fn cut_short(mut self) -> Self {
        let half = self.body.floor_char_boundary(self.body.len() / 2);
        self.body.truncate(half);
        self
    }
}

/// The body that tells of an operation. Members stand in the order of their names.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationBody<'books> {
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    charged_back: Option<u64>,
    code: &'static str,
    date: String,
    #[serde(skip_serializing_if = "Not::not")]
    failed: bool,
    id: &'books str,
    message: &'static str,
    reference: Option<&'books str>,
    #[serde(skip_serializing_if = "Not::not")]
    saved_by_merchant: bool,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl OperationBody<'_> {
    /// Tells what came after the approval, too, as a look-up does.
    #[must_use]
    pub fn with_sequel(self, operation: &Operation, now_ms: i64) -> Self {
        Self { failed: operation.has_failed(now_ms), charged_back: operation.charged_back(now_ms), ..self }
    }
}

/// The body that tells of a timeout reversal. Members stand in the order of their names.
#[derive(Serialize)]
pub struct ReversalBody<'books> {
    code: &'static str,
    id: &'books str,
    message: &'static str,
    reference: &'books str,
    status: &'static str,
}

/// A body as it is sent.
#[must_use]
pub fn written(body: &impl Serialize) -> String {
    // Our own shapes of texts and numbers always serialise.
    serde_json::to_string(body).unwrap_or_default()
}

/// Tells of an operation, with the outcome that it has at the moment of telling, of a gateway at this URL.
#[must_use]
pub fn of_operation<'books>(operation: &'books Operation, outcome: Outcome, url: &str) -> OperationBody<'books> {
    let (code, message) = match outcome {
        Outcome::Approved => ("00", "Transaction Normal"),
        Outcome::Accepted { .. } => ("09", "Request In Progress"),
        Outcome::Declined { because } => because.code_and_message(),
        Outcome::ActionRequired { .. } => ("65", "Payer Action Required"),
    };
    let action = match outcome {
        Outcome::ActionRequired { expires_at_ms, .. } => Some(json!({
            "url": format!("{url}/{}/challenges/{}", operation.class.name(), operation.id),
            "expires": Timestamp::from_millis(expires_at_ms).to_string(),
        })),
        Outcome::Approved | Outcome::Accepted { .. } | Outcome::Declined { .. } => None,
    };
    let is_approved = outcome == Outcome::Approved;
    let bears_code = is_approved && bears_authorization_code(operation.kind);
    OperationBody {
        action,
        authorization_code: bears_code.then(|| authorization_code(&operation.id)),
        charged_back: None,
        code,
        date: Timestamp::from_millis(operation.at_ms).to_string(),
        failed: false,
        id: &operation.id,
        message,
        reference: operation.reference.as_deref(),
        saved_by_merchant: operation.saved_by_merchant,
        status: outcome.name(),
        token: if is_approved { token(operation) } else { None },
    }
}

/// Tells of a timeout reversal.
#[must_use]
pub fn of_reversal(reversal: &Reversal) -> ReversalBody<'_> {
    let (status, message) = if reversal.reversed {
        ("reversed", "Transaction Reversed")
    } else {
        ("nothing_to_reverse", "Nothing To Reverse")
    };
    ReversalBody { code: "00", id: &reversal.id, message, reference: &reversal.reference, status }
}

fn bears_authorization_code(kind: Kind) -> bool {
    match kind {
        Kind::Authorize | Kind::PostAuthorize => true,
        Kind::Capture | Kind::Reverse | Kind::Sale | Kind::Refund | Kind::Tokenize => false,
    }
}

/// Made from the id, so that whoever registers a browser's authorization is told the same code.
fn authorization_code(id: &str) -> String {
    let number: u64 = id.parse().unwrap_or_default();
    format!("SF{:06}", number % 1_000_000)
}
