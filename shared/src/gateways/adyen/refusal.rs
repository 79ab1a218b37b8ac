//! What Adyen says no with: two tables, of refusals and of errors.
//!
//! A refusal is an answer like any other: 200, with a code and a reason. Payment v52 to v68 and notices have the reason
//! alone. An error has another status, a code, and a type that says whose fault it is.
//!
//! Sources: "Refusal reasons", "Error codes and messages" and "API idempotency" of Adyen's documentation.

use serde::Deserialize;

use crate::payment::{Answer, Decline, Outcome};
use crate::ports::HttpResponse;

/// Refusals: code, reason, and what that means for whoever might try again.
pub(super) const REFUSALS: &[(&str, &str, Decline)] = &[
    ("2", "Refused", Decline::Soft),
    ("3", "Referral", Decline::RequiresReview),
    ("4", "Acquirer Error", Decline::Soft),
    ("5", "Blocked Card", Decline::Permanent),
    ("6", "Expired Card", Decline::InvalidData),
    ("7", "Invalid Amount", Decline::InvalidData),
    ("8", "Invalid Card Number", Decline::InvalidData),
    ("9", "Issuer Unavailable", Decline::Soft),
    ("10", "Not supported", Decline::Permanent),
    ("11", "3D Not Authenticated", Decline::Soft),
    ("12", "Not enough balance", Decline::Soft),
    ("14", "Acquirer Fraud", Decline::RequiresReview),
    ("15", "Cancelled", Decline::Soft),
    ("16", "Shopper Cancelled", Decline::Soft),
    ("17", "Invalid Pin", Decline::InvalidData),
    ("18", "Pin tries exceeded", Decline::Permanent),
    ("19", "Pin validation not possible", Decline::Soft),
    ("20", "FRAUD", Decline::RequiresReview),
    ("21", "Not Submitted", Decline::Soft),
    ("22", "FRAUD-CANCELLED", Decline::RequiresReview),
    ("23", "Transaction Not Permitted", Decline::Permanent),
    ("24", "CVC Declined", Decline::InvalidData),
    ("25", "Restricted Card", Decline::Permanent),
    ("26", "Revocation Of Auth", Decline::Permanent),
    ("27", "Declined Non Generic", Decline::Soft),
    ("28", "Withdrawal amount exceeded", Decline::Soft),
    ("29", "Withdrawal count exceeded", Decline::Soft),
    ("31", "Issuer Suspected Fraud", Decline::RequiresReview),
    ("32", "AVS Declined", Decline::InvalidData),
    ("33", "Card requires online pin", Decline::Soft),
    ("34", "No checking account available on Card", Decline::Permanent),
    ("35", "No savings account available on Card", Decline::Permanent),
    ("36", "Mobile pin required", Decline::Soft),
    ("37", "Contactless fallback", Decline::Soft),
    ("38", "Authentication required", Decline::Soft),
    ("39", "RReq not received from DS", Decline::Soft),
    ("40", "Current AID is in Penalty Box", Decline::Soft),
    ("41", "CVM Required Restart Payment", Decline::Soft),
    ("42", "3DS Authentication Error", Decline::Soft),
    ("46", "Transaction blocked by Adyen to prevent excessive retry fees", Decline::Permanent),
];

/// What a refusal means, by its code where there is one, else by its reason.
pub(super) fn decline(code: Option<&str>, reason: Option<&str>) -> Decline {
    let by_code = |code| REFUSALS.iter().find(|(known, ..)| *known == code);
    let by_reason = |reason: &str| REFUSALS.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(reason.trim()));
    let row = code.and_then(by_code).or_else(|| reason.and_then(by_reason));
    row.map_or(Decline::Soft, |(.., decline)| *decline)
}

/// A request under this key was there before: it is carried out, or was.
const IN_PROGRESS: &str = "704";

/// The stored method is gone: contract not found, and payment detail not found.
const NO_SUCH_METHOD: [&str; 2] = ["800", "803"];

/// The account does not take this way to pay. Adyen answers 500 to it, and has done nothing.
const NOT_SUPPORTED: &str = "905";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody {
    error_code: String,
    message: Option<String>,
    error_type: Option<String>,
}

/// What an error means. Of a request that may have come before, it tells only that this time nothing was done.
pub(super) fn outcome(duplicate: bool, response: &HttpResponse) -> Outcome {
    match error(response) {
        Some((decline, answer)) if !duplicate => Outcome::Declined(decline, answer),
        Some(_) | None => Outcome::Unknown,
    }
}

/// An error that says for certain that nothing was done.
pub(super) fn error(response: &HttpResponse) -> Option<(Decline, Answer)> {
    let ErrorBody { error_code, message, error_type } = serde_json::from_slice(&response.body).ok()?;
    let is_sure = match response.status {
        400 | 401 | 403 | 422 => error_code != IN_PROGRESS,
        500 => error_code.split('_').next() == Some(NOT_SUPPORTED),
        _ => false,
    };
    let decline = match error_type.as_deref() {
        _ if NO_SUCH_METHOD.contains(&error_code.as_str()) => Decline::Permanent,
        Some("validation") => Decline::InvalidData,
        Some("internal") => return None,
        Some(_) | None => Decline::Soft,
    };
    let answer = Answer { code: Some(error_code), description: message, message: error_type, ..Answer::default() };
    is_sure.then_some((decline, answer))
}
