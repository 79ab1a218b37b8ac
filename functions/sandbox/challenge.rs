//! The page on which a payer acts, as a bank's page of 3-D Secure would, and what a payer can say there.

use serde_json::Value;

use super::answer::{Answer, of_operation};
use super::order::object;
use super::record::{Operation, Outcome};
use super::route::parameter;

/// What the payer says, and how.
pub struct Decided {
    pub approves: bool,
    /// Said by the page's own form, in a browser.
    is_form: bool,
}

/// What a body says: a form, or a JSON object.
///
/// # Errors
/// A message that names the member that is missing or wrong.
pub fn decision(body: &[u8]) -> Result<Decided, String> {
    let is_form = !body.trim_ascii_start().starts_with(b"{");
    let result = if is_form {
        parameter(&String::from_utf8_lossy(body), "result")?
    } else {
        object(body)?.get("result").and_then(Value::as_str).map(str::to_owned)
    };
    match result.as_deref() {
        Some("approve") => Ok(Decided { approves: true, is_form }),
        Some("decline") => Ok(Decided { approves: false, is_form }),
        Some(_) | None => Err("result must be approve or decline".to_owned()),
    }
}

/// The answer to what the payer has said: to a form a page, and else the operation as it is now.
#[must_use]
pub fn done(operation: &Operation, outcome: Outcome, decided: &Decided, url: &str) -> Answer {
    if decided.is_form { page(operation, outcome) } else { Answer::ok(&of_operation(operation, outcome, url)) }
}

/// Nothing in it comes from outside but the currency, which is three capital letters.
#[must_use]
pub fn page(operation: &Operation, outcome: Outcome) -> Answer {
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
