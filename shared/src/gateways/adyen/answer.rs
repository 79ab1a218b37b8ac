//! What Adyen answers to what opens a payment, in both dialects.
//!
//! | `resultCode` | means |
//! |---|---|
//! | `Authorised` | approved |
//! | `Refused`, `Cancelled`, `Error` | declined, by the table of [refusals](super::refusal) |
//! | `Received`, `Pending`, `PresentToShopper` | accepted: a notice will tell |
//! | `RedirectShopper`, `ChallengeShopper`, `IdentifyShopper` | the payer must visit a page; declined where there is none |
//! | anything else | unknown |
//!
//! What needs a step that only our caller's browser code could take, and gets nothing to take it with, can never go on:
//! native 3-D Secure, and all of it in the older dialect. That is a decline.

use std::time::Duration;

use serde::Deserialize;

use super::amount::Amount;
use super::{modification, refusal};
use crate::gateways::Intent;
use crate::payment::{Answer, Decline, Kind, Outcome, PayerAction};
use crate::ports::HttpResponse;

/// How long a payer may take: what is offered to one who pays by card ends after twelve hours (`OFFER_CLOSED` of Adyen's
/// webhooks).
const OFFER: Duration = Duration::from_secs(12 * 60 * 60);

/// Of both dialects: which members there are, each document says for itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentAnswer {
    pub result_code: String,
    pub psp_reference: Option<String>,
    merchant_reference: Option<String>,
    refusal_reason: Option<String>,
    refusal_reason_code: Option<String>,
    auth_code: Option<String>,
    amount: Option<Amount>,
    action: Option<Action>,
    #[serde(default)]
    pub additional_data: More,
}

#[derive(Deserialize)]
struct Action {
    url: Option<String>,
    method: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct More {
    auth_code: Option<String>,
    avs_result: Option<String>,
    merchant_reference: Option<String>,
    refusal_reason_raw: Option<String>,
    merchant_advice_code: Option<String>,
    #[serde(rename = "tokenization.storedPaymentMethodId")]
    pub stored_method: Option<String>,
    /// As it was called before version 68.
    #[serde(rename = "recurring.recurringDetailReference")]
    pub recurring_detail: Option<String>,
}

pub(super) fn checkout(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    match intent.kind {
        Kind::Authorize | Kind::PostAuthorize | Kind::Sale => opened(intent, response),
        Kind::Capture { .. } | Kind::Reverse { .. } | Kind::Refund { .. } => modification::checkout(intent, response),
    }
}

pub(super) fn classic(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    match intent.kind {
        Kind::Authorize | Kind::PostAuthorize | Kind::Sale => opened(intent, response),
        Kind::Capture { .. } | Kind::Reverse { .. } | Kind::Refund { .. } => modification::classic(intent, response),
    }
}

fn opened(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    if response.status != 200 {
        return refusal::outcome(intent.duplicate, response);
    }
    let Ok(body) = serde_json::from_slice::<PaymentAnswer>(&response.body) else { return Outcome::Unknown };
    let is_of_this_amount = body.amount.is_none() || body.amount == Amount::of(intent.amount);
    match body.is_about(&intent.reference) && is_of_this_amount {
        true => body.outcome(|url| PayerAction { url, expires_at: intent.requested_at.plus(OFFER) }),
        false => Outcome::Unknown,
    }
}

impl PaymentAnswer {
    /// Whether it is about this reference, as far as it says of which one it is.
    pub fn is_about(&self, reference: &str) -> bool {
        let said = [&self.merchant_reference, &self.additional_data.merchant_reference];
        said.into_iter().flatten().all(|said| said == reference)
    }

    pub fn outcome(self, action: impl FnOnce(String) -> PayerAction) -> Outcome {
        let has_name = self.psp_reference.as_ref().is_some_and(|name| !name.is_empty());
        let Self {
            result_code, psp_reference, refusal_reason, refusal_reason_code, auth_code, additional_data, ..
        } = self;
        let decline = refusal::decline(refusal_reason_code.as_deref(), refusal_reason.as_deref());
        let page = self.action.filter(|action| action.method.as_ref().is_none_or(|method| method == "GET"));
        let answer = Answer {
            reference: psp_reference,
            code: Some(result_code.clone()),
            authorization_code: auth_code.or(additional_data.auth_code),
            avs_code: additional_data.avs_result.as_deref().and_then(first_word),
            ..Answer::default()
        };
        match result_code.as_str() {
            "Authorised" if has_name => Outcome::Approved(answer),
            "Refused" | "Cancelled" | "Error" => {
                let code = refusal_reason_code.or(answer.code);
                let More { refusal_reason_raw, merchant_advice_code, .. } = additional_data;
                let message = refusal::message(refusal_reason_raw, merchant_advice_code);
                Outcome::Declined(decline, Answer { code, description: refusal_reason, message, ..answer })
            }
            "Received" | "Pending" | "PresentToShopper" => Outcome::Accepted(answer),
            "RedirectShopper" | "ChallengeShopper" | "IdentifyShopper" => match page.and_then(|page| page.url) {
                Some(url) => Outcome::ActionRequired(answer, action(url)),
                None => {
                    let description = Some("there is no page that the payer could visit".to_owned());
                    Outcome::Declined(Decline::Soft, Answer { description, ..answer })
                }
            },
            _ => Outcome::Unknown,
        }
    }
}

/// Adyen's own code stands before its explanation.
fn first_word(text: &str) -> Option<String> {
    text.split_whitespace().next().map(str::to_owned)
}
