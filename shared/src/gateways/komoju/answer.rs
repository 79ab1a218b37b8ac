//! What KOMOJU's answers mean.
//!
//! | answer | means |
//! |---|---|
//! | 200 to 202 with the payment | what the payment says, if it is the one that was asked for |
//! | 200 to 204 without a word, to a refund by bank | accepted: KOMOJU documents no answer |
//! | 400, 402, 403, 404, 422 | declined, by the table of [`decline_of`]; of a repeated request unknown |
//! | 401 | not sent: the key was not taken; of a repeated request unknown |
//! | 409 | unknown: the first request of this key still runs |
//! | 5xx | unknown, though KOMOJU says that a payment is not processed on 504: the key makes another try safe |
//! | anything else | unknown |
//!
//! A refusal of a repeated request tells only that this time nothing was done. KOMOJU gives the answer of the first one
//! again where it has carried that out; it does not say that it keeps a refusal, and a key that it has forgotten early
//! leads to the refusal of what is done already.

use serde::Deserialize;

use super::payment::{PaymentBody, RefundRequestBody};
use super::send::goes_by_bank;
use crate::gateways::Intent;
use crate::payment::{Answer, Decline, Kind, Outcome};
use crate::ports::HttpResponse;
use crate::recurring::retry::{Category, Decision};

#[derive(Deserialize)]
pub(super) struct ErrorsBody {
    error: ErrorBody,
}

#[derive(Deserialize)]
struct ErrorBody {
    code: String,
    message: Option<String>,
    /// The member that is missing or wrong.
    param: Option<String>,
}

/// An answer to a refund by bank, where there is one.
#[derive(Deserialize)]
#[serde(untagged)]
enum RefundedByBank {
    Payment(Box<PaymentBody>),
    Request(RefundRequestBody),
}

pub(super) fn decode(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    match response.status {
        200..=202 | 204 => done(intent, &response.body),
        // A question has no before.
        400 | 402 | 404 | 422 if intent.duplicate && *intent.kind != Kind::PostAuthorize => Outcome::Unknown,
        _ => refused(response, intent.duplicate),
    }
}

/// A look-up finds what is there; that nothing is found says nothing.
pub(super) fn decode_look_up(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    let found = (response.status == 200).then(|| serde_json::from_slice::<PaymentBody>(&response.body).ok()).flatten();
    let Some(payment) = found.filter(|payment| is_of_it(payment, intent)) else { return Outcome::Unknown };
    match intent.kind {
        Kind::Refund { .. } => payment.refund(&intent.reference, intent.amount.minor),
        Kind::PostAuthorize => registered(&payment),
        Kind::Authorize | Kind::Sale | Kind::Capture { .. } | Kind::Reverse { .. } => payment.standing(intent.kind),
    }
}

fn done(intent: &Intent<'_>, body: &[u8]) -> Outcome {
    if matches!(intent.kind, Kind::Refund { .. }) && goes_by_bank(intent) {
        return requested(intent, body);
    }
    let Ok(payment) = serde_json::from_slice::<PaymentBody>(body) else { return Outcome::Unknown };
    if !is_of_it(&payment, intent) {
        return Outcome::Unknown;
    }
    match intent.kind {
        Kind::PostAuthorize => registered(&payment),
        Kind::Refund { .. } => payment.refund(&intent.reference, intent.amount.minor),
        Kind::Authorize | Kind::Sale | Kind::Capture { .. } | Kind::Reverse { .. } => payment.standing(intent.kind),
    }
}

/// A payment that a browser has made is registered while its amount is held, or may yet be.
fn registered(payment: &PaymentBody) -> Outcome {
    let is_no_hold = payment.waits() || matches!(payment.status.as_str(), "captured" | "refunded");
    if is_no_hold {
        let description = Some("this payment holds no amount that could be captured".to_owned());
        return Outcome::Declined(Decline::InvalidData, Answer { description, ..payment.answer() });
    }
    payment.standing(&Kind::PostAuthorize)
}

/// KOMOJU's libraries expect no answer here. Until the request has a name of its own it goes by the payment's, under which
/// it is looked up.
fn requested(intent: &Intent<'_>, body: &[u8]) -> Outcome {
    let accepted = || {
        let reference = intent.target.map(|target| target.reference.to_owned());
        Outcome::Accepted(Answer { reference, code: Some("pending".to_owned()), ..Answer::default() })
    };
    if body.trim_ascii().is_empty() {
        return accepted();
    }
    match serde_json::from_slice(body) {
        Ok(RefundedByBank::Payment(payment)) if is_of_it(&payment, intent) => {
            payment.refund(&intent.reference, intent.amount.minor)
        }
        Ok(RefundedByBank::Request(request)) if request.description.as_deref() == Some(&intent.reference) => {
            request.standing()
        }
        Ok(_) | Err(_) => Outcome::Unknown,
    }
}

/// Whether the payment is the one that was asked for, or acted on. KOMOJU does not say whether a capture in part changes
/// its amount: it may stand there either way.
fn is_of_it(payment: &PaymentBody, intent: &Intent<'_>) -> bool {
    let is_acted_on = || intent.target.is_some_and(|target| target.reference == payment.id);
    let is_known = || intent.known.is_none_or(|known| known.reference == payment.id);
    let is_whole = payment.amount == intent.amount.minor;
    let is_it = match intent.kind {
        Kind::Authorize | Kind::Sale => {
            is_whole && payment.external_order_num.as_deref() == Some(&intent.reference) && is_known()
        }
        Kind::PostAuthorize => {
            let named = intent.details.additional_data.get("reference");
            is_whole && named == Some(&payment.id)
        }
        Kind::Capture { .. } => {
            let held = intent.target.map(|target| target.amount.minor);
            is_acted_on() && (is_whole || Some(payment.amount) == held)
        }
        Kind::Reverse { .. } | Kind::Refund { .. } => is_acted_on(),
    };
    is_it && payment.currency == intent.amount.currency.code()
}

/// Of a token even where it may have been asked for before: it moves no money, and what is refused now is not to be had.
pub(super) fn refused(response: &HttpResponse, is_duplicate: bool) -> Outcome {
    let Ok(ErrorsBody { error }) = serde_json::from_slice(&response.body) else { return Outcome::Unknown };
    match response.status {
        400 | 402 | 404 | 422 => error.declined(),
        401 | 403 if is_duplicate => Outcome::Unknown,
        401 => Outcome::NotSent,
        403 => error.declined(),
        _ => Outcome::Unknown,
    }
}

impl ErrorBody {
    fn declined(self) -> Outcome {
        let decline = decline_of(&self.code);
        let answer =
            Answer { code: Some(self.code), description: self.message, message: self.param, ..Answer::default() };
        Outcome::Declined(decline, answer)
    }
}

/// KOMOJU's codes, and what each means for whoever asked. What is not known here may work if tried again.
pub(super) fn decline_of(code: &str) -> Decline {
    row(code).map_or(Decline::Soft, |(decline, _)| decline)
}

pub(super) fn judge(decline: Decline, answer: &Answer) -> (Category, Decision) {
    let row = answer.code.as_deref().and_then(row);
    (row.map_or(Category::Unknown, |(_, category)| category), Decision::of(decline))
}

fn row(code: &str) -> Option<(Decline, Category)> {
    Some(match code {
        "card_declined" | "request_failed" => (Decline::Soft, Category::PaymentProcessing),
        "insufficient_funds" => (Decline::Soft, Category::CardLimit),
        // Statuses of payments: nobody has paid, or it did not work.
        "cancelled" | "expired" | "failed" => (Decline::Soft, Category::PaymentProcessing),
        // The payment is in no state for it, and will not come to one.
        "not_cancellable" | "not_refundable" => (Decline::Permanent, Category::PaymentProcessing),
        "fraudulent" => (Decline::Permanent, Category::Security),
        // The account at KOMOJU may not do this.
        "forbidden" => (Decline::Permanent, Category::Unknown),
        "bad_request" | "not_found" | "missing_parameter" | "unprocessable_entity" => {
            (Decline::InvalidData, Category::PaymentInformation)
        }
        "bad_verification_value" | "card_expired" => (Decline::InvalidData, Category::PaymentInformation),
        _ if code.starts_with("invalid_") => (Decline::InvalidData, Category::PaymentInformation),
        _ => return None,
    })
}
