//! What Adyen says no with: two tables, of refusals and of errors.
//!
//! A refusal is an answer like any other: 200, with a code and a reason. Payment v52 to v68 and notices have the reason
//! alone. An error has another status, a code, and a type that says whose fault it is.
//!
//! Mastercard's issuers may say beside a refusal that nobody should try again. Nothing is gained by another try then, and a
//! fee is lost. That changes nothing of how it declines, which a notice must tell as the answer does: Adyen does not sign
//! the advice of a notice. It rests in the answer's message, for whoever might try again.
//!
//! Sources: "Refusal reasons", "Raw acquirer responses" (merchant advice codes), "Error codes and messages" and "API idempotency" of Adyen's documentation.

use serde::Deserialize;

use crate::payment::{Answer, Decline, Outcome};
use crate::ports::HttpResponse;
use crate::recurring::retry::{Category, Decision};

type Refusal = (&'static str, &'static str, Decline, Category);

/// Refusals: code, reason, how they decline, and what kind of failure that is.
pub(super) const REFUSALS: &[Refusal] = &[
    ("2", "Refused", Decline::Soft, Category::PaymentProcessing),
    ("3", "Referral", Decline::RequiresReview, Category::PaymentProcessing),
    ("4", "Acquirer Error", Decline::Soft, Category::GatewayConnection),
    ("5", "Blocked Card", Decline::Permanent, Category::PaymentProcessing),
    ("6", "Expired Card", Decline::InvalidData, Category::PaymentInformation),
    ("7", "Invalid Amount", Decline::InvalidData, Category::PaymentInformation),
    ("8", "Invalid Card Number", Decline::InvalidData, Category::PaymentInformation),
    ("9", "Issuer Unavailable", Decline::Soft, Category::GatewayConnection),
    ("10", "Not supported", Decline::Permanent, Category::PaymentProcessing),
    ("11", "3D Not Authenticated", Decline::Soft, Category::Security),
    ("12", "Not enough balance", Decline::Soft, Category::CardLimit),
    ("14", "Acquirer Fraud", Decline::RequiresReview, Category::Security),
    ("15", "Cancelled", Decline::Soft, Category::PaymentProcessing),
    ("16", "Shopper Cancelled", Decline::Soft, Category::PaymentProcessing),
    ("17", "Invalid Pin", Decline::InvalidData, Category::Security),
    ("18", "Pin tries exceeded", Decline::Permanent, Category::Security),
    ("19", "Pin validation not possible", Decline::Soft, Category::Security),
    ("20", "FRAUD", Decline::RequiresReview, Category::Security),
    ("21", "Not Submitted", Decline::Soft, Category::GatewayConnection),
    ("22", "FRAUD-CANCELLED", Decline::RequiresReview, Category::Security),
    ("23", "Transaction Not Permitted", Decline::Permanent, Category::PaymentProcessing),
    ("24", "CVC Declined", Decline::InvalidData, Category::PaymentInformation),
    ("25", "Restricted Card", Decline::Permanent, Category::PaymentProcessing),
    ("26", "Revocation Of Auth", Decline::Permanent, Category::PaymentProcessing),
    ("27", "Declined Non Generic", Decline::Soft, Category::PaymentProcessing),
    ("28", "Withdrawal amount exceeded", Decline::Soft, Category::CardLimit),
    ("29", "Withdrawal count exceeded", Decline::Soft, Category::CardLimit),
    ("31", "Issuer Suspected Fraud", Decline::RequiresReview, Category::Security),
    ("32", "AVS Declined", Decline::InvalidData, Category::PaymentInformation),
    ("33", "Card requires online pin", Decline::Soft, Category::Security),
    ("34", "No checking account available on Card", Decline::Permanent, Category::PaymentProcessing),
    ("35", "No savings account available on Card", Decline::Permanent, Category::PaymentProcessing),
    ("36", "Mobile pin required", Decline::Soft, Category::Security),
    ("37", "Contactless fallback", Decline::Soft, Category::PaymentProcessing),
    ("38", "Authentication required", Decline::Soft, Category::Security),
    ("39", "RReq not received from DS", Decline::Soft, Category::Security),
    ("40", "Current AID is in Penalty Box", Decline::Soft, Category::PaymentProcessing),
    ("41", "CVM Required Restart Payment", Decline::Soft, Category::Security),
    ("42", "3DS Authentication Error", Decline::Soft, Category::Security),
    (
        "46",
        "Transaction blocked by Adyen to prevent excessive retry fees",
        Decline::Permanent,
        Category::PaymentProcessing,
    ),
];

/// A refusal, by its code where there is one, else by its reason.
fn row(code: Option<&str>, reason: Option<&str>) -> Option<&'static Refusal> {
    let by_code = |code| REFUSALS.iter().find(|(known, ..)| *known == code);
    let by_reason = |reason: &str| REFUSALS.iter().find(|(_, known, ..)| known.eq_ignore_ascii_case(reason.trim()));
    code.and_then(by_code).or_else(|| reason.and_then(by_reason))
}

pub(super) fn decline(code: Option<&str>, reason: Option<&str>) -> Decline {
    row(code, reason).map_or(Decline::Soft, |(_, _, decline, _)| *decline)
}

/// What stands before Mastercard's advice where it rests, so that an issuer's own words are not taken for it.
const ADVICE: &str = "merchantAdviceCode ";

/// Advice first: of a text that is cut the end is lost.
pub(super) fn message(raw: Option<String>, advice: Option<String>) -> Option<String> {
    let advice = advice.filter(|advice| !advice.is_empty()).map(|advice| format!("{ADVICE}{advice}"));
    match (advice, raw) {
        (Some(advice), Some(raw)) => Some(format!("{advice}; {raw}")),
        (advice, raw) => advice.or(raw),
    }
}

/// Digits, then what they mean.
fn is_advised_against(message: &str) -> bool {
    let advice = message.strip_prefix(ADVICE).map(str::trim_start).unwrap_or_default();
    let code = advice.split(|character: char| !character.is_ascii_digit()).next();
    code.is_some_and(|code| NEVER_AGAIN.contains(&code))
}

/// An answer as it rests has a refusal's code, or as a notice has it its reason, or the code of an error and its type.
pub(super) fn judge(decline: Decline, answer: &Answer) -> (Category, Decision) {
    let code = answer.code.as_deref();
    let category = match row(code, answer.description.as_deref()) {
        Some((.., category)) => *category,
        None if code.is_some_and(|code| NO_SUCH_METHOD.contains(&code)) => Category::PaymentInformation,
        None if answer.message.as_deref() == Some(OF_DATA) => Category::PaymentInformation,
        None => Category::Unknown,
    };
    let is_hopeless = answer.message.as_deref().is_some_and(is_advised_against);
    (category, if is_hopeless { Decision::NonRetriable } else { Decision::of(decline) })
}

/// Merchant advice codes: do not try again, and payment cancellation.
const NEVER_AGAIN: [&str; 2] = ["03", "21"];

/// A request under this key was there before: it is carried out, or was.
const IN_PROGRESS: &str = "704";

/// The stored method is gone: contract not found, and payment detail not found.
const NO_SUCH_METHOD: [&str; 2] = ["800", "803"];

/// The type of an error that is about the data of the request.
const OF_DATA: &str = "validation";

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
        Some(OF_DATA) => Decline::InvalidData,
        Some("internal") => return None,
        Some(_) | None => Decline::Soft,
    };
    let answer = Answer { code: Some(error_code), description: message, message: error_type, ..Answer::default() };
    is_sure.then_some((decline, answer))
}
