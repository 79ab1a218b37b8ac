//! What a caller hears when a request is not carried out: an HTTP status and the wire's error body.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use kessai_shared::ids::MethodId;
use kessai_shared::rejection::{Fault, Refusal, Rejection};

/// A refusal in the wire's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub status: u16,
    pub code: &'static str,
    /// Names the member or parameter and its limit. Never holds a value that could be secret.
    pub message: String,
    /// When asking again makes sense.
    pub retry_after: Option<Duration>,
    /// What lies behind it, for the log and not for the caller.
    pub cause: Option<String>,
    /// The same may be taken later: something is to be set up, or a gateway has yet to tell.
    pub is_for_now: bool,
}

/// What we suggest after a fault of the world.
const FAULT_RETRY: Duration = Duration::from_secs(2);

impl Problem {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None, cause: None, is_for_now: false }
    }

    /// A member whose value will not do.
    pub fn invalid(member: &str, what: impl fmt::Display) -> Self {
        Self::new(400, "INVALID_API_INPUT", format!("{member}: {what}"))
    }

    /// A member that must be there.
    pub fn missing(member: &str) -> Self {
        Self::new(400, "REQUIRED_FIELD_MISSING", format!("{member}: is required"))
    }

    /// No body that could be read.
    pub fn unreadable(what: impl fmt::Display) -> Self {
        Self::new(400, "JSON_PARSER_ERROR", what.to_string())
    }

    /// Not there, or not this merchant's.
    pub fn not_found() -> Self {
        Rejection::NotFound.into()
    }

    /// No API key, or none that is known.
    pub fn unauthorized() -> Self {
        Self::new(401, "INVALID_SESSION_ID", "Session expired or invalid")
    }

    /// We broke on the way. The gateway may have acted.
    pub fn broken() -> Self {
        let message = "Something broke; ask again with the same idempotency key";
        Self { retry_after: Some(FAULT_RETRY), ..Self::new(500, "UNKNOWN_EXCEPTION", message) }
    }

    /// The gateway did not say whether it keeps a payment method, so nothing was paid with it.
    pub fn not_kept() -> Self {
        let message = "The gateway did not say whether it keeps the payment method, and nothing was charged; try again \
                       with the same idempotency key";
        Self { retry_after: Some(FAULT_RETRY), ..Self::new(503, "GATEWAY_UNREACHABLE", message) }
    }

    /// The gateway has accepted a payment method that is to be paid with, and does not keep it yet.
    pub fn kept_later(method: &MethodId) -> Self {
        let message = format!(
            "The gateway has yet to tell whether it keeps the payment method, and nothing was charged; try again with \
             the same idempotency key when the payment method {method} is Active"
        );
        Self::new(422, "INVALID_STATUS", message)
    }

    /// The gateway certainly did nothing.
    pub fn not_sent() -> Self {
        let message =
            "The gateway was not reached or too busy, and did nothing; try again with the same idempotency key";
        Self { retry_after: Some(FAULT_RETRY), ..Self::new(503, "GATEWAY_UNREACHABLE", message) }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let (status, code) = rejection.code();
        let retry_after = if let Rejection::InProgress { retry_after } = rejection { Some(retry_after) } else { None };
        let is_for_now = rejection.is_for_now();
        Self { retry_after, is_for_now, ..Self::new(status, code, rejection.to_string()) }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let (status, code) = match fault {
            Fault::Store(_) | Fault::Busy | Fault::NoTime | Fault::NoAnswer => (503, "SERVICE_UNAVAILABLE"),
            Fault::Stored(_) | Fault::Sealed(_) | Fault::SetUp(_) => (500, "UNKNOWN_EXCEPTION"),
        };
        let message = format!("{fault}; ask again with the same idempotency key");
        Self { retry_after: Some(FAULT_RETRY), cause: Some(chain(&fault)), ..Self::new(status, code, message) }
    }
}

/// An error with what caused it, down to the bottom.
pub fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Rejection(rejection) => rejection.into(),
            Refusal::Fault(fault) => fault.into(),
        }
    }
}
