//! What PAY.JP says no with: a problem of RFC 9457, with a code.

use serde_json::{Value, json};

use super::super::Answer;

/// A refusal.
#[derive(Debug)]
pub(super) struct Problem {
    status: u16,
    pub(super) code: &'static str,
    title: &'static str,
    detail: String,
    /// The member that is wrong, and why.
    field: Option<(String, &'static str)>,
}

impl Problem {
    pub(super) fn new(status: u16, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, title, detail: detail.into(), field: None }
    }

    pub(super) fn invalid(field: &str, message: &'static str) -> Self {
        let detail = "The request parameters didn't pass validation.";
        let field = Some((field.to_owned(), message));
        Self { field, ..Self::new(422, "validation_error", "Validation Error", detail) }
    }

    pub(super) fn not_found(resource: &str, id: &str) -> Self {
        Self::new(404, "not_found", "Not Found", format!("{resource}: {id} not found."))
    }

    pub(super) fn no_route(path: &str) -> Self {
        Self::not_found("route", path)
    }

    pub(super) fn status(resource: &str, expected: &str, status: &str) -> Self {
        let detail = format!(
            "This operation can only be executed when the {resource} status is {expected}. The current status is {status}."
        );
        Self::new(400, "invalid_status", "Invalid Status", detail)
    }

    /// What the issuer, or whoever authenticates the payer, says no to.
    pub(super) fn declined(code: &'static str) -> Self {
        let (title, detail) = match code {
            "expired_card" => ("Expired Card", "The card has expired."),
            "three_d_secure_failed" => ("Three D Secure Failed", "The payer was not authenticated."),
            _ => ("Card Declined", "The card was declined."),
        };
        Self::new(402, code, title, detail)
    }

    /// As a flow keeps its last error.
    pub(super) fn kept(&self) -> Value {
        json!({"code": self.code, "title": self.title, "detail": self.detail})
    }

    pub(super) fn answer(&self, path: &str) -> Answer {
        let mut body = json!({
            "status": self.status, "code": self.code, "title": self.title, "detail": self.detail, "instance": path,
            "type": format!("https://docs.pay.jp/v2/guide/developers/error-response#{}", self.status),
        });
        if let (Some((field, message)), Some(members)) = (&self.field, body.as_object_mut()) {
            members.insert("errors".to_owned(), json!([{"field": field, "message": message}]));
        }
        let headers = vec![("content-type", "application/problem+json".to_owned())];
        Answer { status: self.status, headers, body: body.to_string() }
    }
}
