//! What Stripe refuses, and how.

use serde_json::{Value, json};

use super::super::Answer;
use super::cards::No;

/// An error, and whether it is the answer to the same key from now on.
pub(super) struct Failure {
    pub status: u16,
    pub is_kept: bool,
    error: Value,
}

impl Failure {
    fn new(status: u16, is_kept: bool, error: Value) -> Self {
        Self { status, is_kept, error }
    }

    pub fn body(&self) -> Value {
        json!({"error": self.error})
    }

    pub fn answer(&self) -> Answer {
        Answer::json(self.status, &self.body())
    }

    pub fn of_the_key() -> Self {
        let error =
            json!({"type": "invalid_request_error", "message": "You did not provide an API key of the right form"});
        Self::new(401, false, error)
    }

    pub fn of_another_request() -> Self {
        let message =
            "Keys for idempotent requests can only be used with the parameters that they were first used with";
        Self::new(400, false, json!({"type": "idempotency_error", "message": message}))
    }

    pub fn unrecognized(method: &str, path: &str) -> Self {
        let error =
            json!({"type": "invalid_request_error", "message": format!("Unrecognized request URL ({method}: {path})")});
        Self::new(404, false, error)
    }

    pub fn unreadable() -> Self {
        Self::new(400, false, json!({"type": "invalid_request_error", "message": "Invalid form"}))
    }

    /// A parameter that is wrong in itself.
    pub fn invalid(param: &str, code: &str, message: &str) -> Self {
        Self::new(
            400,
            false,
            json!({"type": "invalid_request_error", "code": code, "param": param, "message": message}),
        )
    }

    pub fn absent(param: &str) -> Self {
        Self::invalid(param, "parameter_missing", &format!("Missing required param: {param}"))
    }

    pub fn missing(what: &str, id: &str) -> Self {
        let message = format!("No such {what}: '{id}'");
        Self::new(404, false, json!({"type": "invalid_request_error", "code": "resource_missing", "message": message}))
    }

    /// Something that cannot be done as things are.
    pub fn unexpected(code: &str, message: &str) -> Self {
        Self::new(400, true, json!({"type": "invalid_request_error", "code": code, "message": message}))
    }

    /// The bank's no, with what it is of.
    pub fn declined(no: No, of: Option<(&str, &Value)>) -> Self {
        let mut error = no.error();
        if let (Some((name, of)), Some(error)) = (of, error.as_object_mut()) {
            error.insert(name.to_owned(), of.clone());
        }
        Self::new(402, true, error)
    }
}
