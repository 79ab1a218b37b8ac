//! The page on which a payer acts, as a bank's page of 3-D Secure would, and what a payer can say there.

use serde_json::Value;

use super::answer::{Answer, of_operation};
use super::model::Request;
use super::order::object;
use super::record::{Act, Decision, Operation, Outcome};
use super::route::parameter;

/// The payer looks, or decides: once, and in time. What was reversed is closed.
#[must_use]
pub fn act(
    operation: &Operation,
    is_reversed: bool,
    request: &Request,
    url: &str,
    now_ms: i64,
) -> (Answer, Option<Act>) {
    if request.method == "GET" {
        return (page(operation, operation.outcome.at(now_ms)), None);
    }
    let said = match said(&request.body) {
        Ok(said) => said,
        Err(message) => return (Answer::invalid(&message), None),
    };
    let done = |outcome: Outcome| match said.by {
        By::Form => page(operation, outcome),
        By::Json => Answer::ok(&of_operation(operation, outcome, url)),
    };
    match operation.outcome {
        Outcome::ActionRequired { expires_at_ms, decision: None } if now_ms < expires_at_ms && !is_reversed => {
            let decision = Decision { approved: said.approves, at_ms: now_ms };
            let outcome = Outcome::ActionRequired { expires_at_ms, decision: Some(decision) };
            let act = Act { class: operation.class, id: operation.id.clone(), decision };
            (done(outcome.at(now_ms)), Some(act))
        }
        Outcome::ActionRequired { decision: Some(decision), .. } if decision.approved == said.approves => {
            (done(operation.outcome.at(now_ms)), None)
        }
        Outcome::Approved | Outcome::Accepted { .. } | Outcome::Declined { .. } | Outcome::ActionRequired { .. } => {
            let message = "the payer has decided otherwise, or can no longer decide";
            (Answer::error(409, "closed", message), None)
        }
    }
}

struct Said {
    approves: bool,
    by: By,
}

/// Who says it, and is answered in the same way.
enum By {
    /// The page, in a browser.
    Form,
    Json,
}

/// What a body says; the error names the member that is missing or wrong.
fn said(body: &[u8]) -> Result<Said, String> {
    let (by, result) = if body.trim_ascii_start().starts_with(b"{") {
        (By::Json, object(body)?.get("result").and_then(Value::as_str).map(str::to_owned))
    } else {
        (By::Form, parameter(&String::from_utf8_lossy(body), "result")?)
    };
    match result.as_deref() {
        Some("approve") => Ok(Said { approves: true, by }),
        Some("decline") => Ok(Said { approves: false, by }),
        Some(_) | None => Err("result must be approve or decline".to_owned()),
    }
}

/// Nothing in it comes from outside but the currency, which is three capital letters.
fn page(operation: &Operation, outcome: Outcome) -> Answer {
    let Operation { id, amount, currency, .. } = operation;
    let asked = if currency.is_empty() {
        "Keep this payment method?".to_owned()
    } else {
        format!("Pay {amount} minor units of {currency}?")
    };
    let rest = match outcome {
        Outcome::ActionRequired { .. } => concat!(
            r#"<form method="post"><button name="result" value="approve">Approve</button> "#,
            r#"<button name="result" value="decline">Decline</button></form>"#,
        )
        .to_owned(),
        Outcome::Approved | Outcome::Accepted { .. } | Outcome::Declined { .. } => {
            format!("<p>This is {}.</p>", outcome.name())
        }
    };
    Answer::page(format!(
        concat!(
            r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>Sandbox challenge {}</title>"#,
            "<h1>{}</h1><p>Operation {} at the sandbox gateway.</p>{}</html>\n",
        ),
        id, asked, id, rest
    ))
}
