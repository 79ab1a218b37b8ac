//! What acts on a payment: a capture, a cancellation, a refund. Adyen only says that it has received one.
//!
//! All of them name the payment that was opened, a refund too: Adyen does not tell its captures apart.

use serde::Deserialize;

use super::amount::Amount;
use super::refusal;
use crate::gateways::Intent;
use crate::payment::{Answer, Kind, Outcome};
use crate::ports::HttpResponse;

/// Adyen's name for the payment; empty where it is not known, and then nothing was sent.
pub(super) fn payment<'a>(intent: &Intent<'a>) -> &'a str {
    intent.opening.map_or("", |opening| opening.reference)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Received {
    psp_reference: String,
    payment_psp_reference: String,
    status: String,
    reference: Option<String>,
    amount: Option<Amount>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClassicReceived {
    psp_reference: String,
    response: String,
}

pub(super) fn checkout(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    if response.status != 201 {
        return refusal::outcome(intent.duplicate, response);
    }
    let Ok(body) = serde_json::from_slice::<Received>(&response.body) else { return Outcome::Unknown };
    let of_ours = body.reference.as_ref().is_none_or(|reference| *reference == intent.reference);
    let amount = Amount::of(intent.amount);
    let of_this_amount = match intent.kind {
        Kind::Reverse { .. } => true,
        Kind::Authorize | Kind::PostAuthorize | Kind::Sale | Kind::Capture { .. } | Kind::Refund { .. } => {
            amount.is_some() && body.amount == amount
        }
    };
    let of_this_payment = body.payment_psp_reference == payment(intent);
    match body.status == "received" && of_ours && of_this_amount && of_this_payment {
        true => received(body.psp_reference, body.status),
        false => Outcome::Unknown,
    }
}

pub(super) fn classic(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    if response.status != 200 {
        return refusal::outcome(intent.duplicate, response);
    }
    let Ok(body) = serde_json::from_slice::<ClassicReceived>(&response.body) else { return Outcome::Unknown };
    let expected = match intent.kind {
        Kind::Capture { .. } => "[capture-received]",
        Kind::Reverse { .. } => "[cancel-received]",
        Kind::Refund { .. } => "[refund-received]",
        Kind::Authorize | Kind::PostAuthorize | Kind::Sale => return Outcome::Unknown,
    };
    match body.response == expected {
        true => received(body.psp_reference, body.response),
        false => Outcome::Unknown,
    }
}

fn received(reference: String, code: String) -> Outcome {
    if reference.is_empty() {
        return Outcome::Unknown;
    }
    Outcome::Accepted(Answer { reference: Some(reference), code: Some(code), ..Answer::default() })
}
