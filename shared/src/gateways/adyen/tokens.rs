//! Storing a card. Checkout does it at once (`POST /storedPaymentMethods`); the older dialect authorizes nothing under a
//! recurring contract, and says the token in its answer or, where the account is set so, only by a notice.
//!
//! Adyen keeps a method under its shopper. Ours is the stored method itself, so that a payment by it needs to know nothing
//! else; a caller may say another one in `additionalData.shopperReference`, and must then say it with each payment.

use serde::{Deserialize, Serialize};

use super::amount::Amount;
use super::answer::PaymentAnswer;
use super::checkout::MethodBody;
use super::classic::{AuthoriseBody, RECURRING, card};
use super::payer::{CARD_ON_FILE, RECURRING_MODEL, SHOPPER_REFERENCE, UNSCHEDULED};
use super::{TOKEN_CURRENCY, admits, headers, merchant_account, refusal};
use crate::card::Secret;
use crate::gateways::wire::post_json;
use crate::gateways::{Account, TokenExchange, TokenIntent};
use crate::payment::{Answer, Instrument, Outcome, PayerAction};
use crate::ports::{HttpRequest, HttpResponse};
use crate::time::Timestamp;

pub(super) const CHECKOUT: TokenExchange =
    TokenExchange { admits: admits::checkout_token, prepare: None, encode: encode_checkout, decode: decode_checkout };

pub(super) const CLASSIC: TokenExchange =
    TokenExchange { admits: admits::classic_token, prepare: None, encode: encode_classic, decode: decode_classic };

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StoreBody<'a> {
    merchant_account: &'a str,
    shopper_reference: &'a str,
    payment_method: MethodBody<'a>,
    recurring_processing_model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    shopper_email: Option<&'a str>,
    #[serde(rename = "shopperIP", skip_serializing_if = "Option::is_none")]
    shopper_ip: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    id: String,
    shopper_reference: Option<String>,
    last_four: Option<String>,
}

fn said<'a>(intent: &TokenIntent<'a>, member: &str) -> Option<&'a str> {
    intent.details.sender.additional_data.get(member).map(String::as_str).filter(|text| !text.is_empty())
}

fn shopper<'a>(intent: &'a TokenIntent<'_>) -> &'a str {
    said(intent, SHOPPER_REFERENCE).unwrap_or(&intent.reference)
}

fn model<'a>(intent: &TokenIntent<'a>) -> &'a str {
    let usual = if intent.details.saved_by_merchant { UNSCHEDULED } else { CARD_ON_FILE };
    said(intent, RECURRING_MODEL).unwrap_or(usual)
}

fn email<'a>(intent: &TokenIntent<'a>) -> Option<&'a str> {
    intent.details.email.as_deref().or(intent.details.sender.email.as_deref())
}

fn encode_checkout(intent: &TokenIntent<'_>, account: &Account<'_>) -> HttpRequest {
    let body = StoreBody {
        merchant_account: merchant_account(account),
        shopper_reference: shopper(intent),
        payment_method: MethodBody::of(Some(intent.instrument)),
        recurring_processing_model: model(intent),
        shopper_email: email(intent),
        shopper_ip: intent.details.sender.ip_address.as_deref(),
    };
    post_json(account, "storedPaymentMethods", headers(account, Some(&intent.key)), &body)
}

fn decode_checkout(intent: &TokenIntent<'_>, response: &HttpResponse) -> (Outcome, Option<Secret>) {
    if response.status != 201 {
        return (refused(response), None);
    }
    let Ok(body) = serde_json::from_slice::<Stored>(&response.body) else { return (Outcome::Unknown, None) };
    let is_of_shopper = body.shopper_reference.as_ref().is_none_or(|said| said == shopper(intent));
    let is_of_card = match (intent.instrument, &body.last_four) {
        (Instrument::Card { card, .. }, Some(last_four)) => card.number.reveal().ends_with(last_four),
        (_, _) => true,
    };
    match is_of_shopper && is_of_card && !body.id.is_empty() {
        true => (
            Outcome::Approved(Answer { code: Some("stored".to_owned()), ..Answer::default() }),
            Some(Secret::new(body.id)),
        ),
        false => (Outcome::Unknown, None),
    }
}

fn encode_classic(intent: &TokenIntent<'_>, account: &Account<'_>) -> HttpRequest {
    let body = AuthoriseBody {
        merchant_account: merchant_account(account),
        reference: &intent.reference,
        amount: Amount { currency: account.credential.text(TOKEN_CURRENCY.name).to_owned(), value: 0 },
        card: card(intent.instrument),
        shopper_interaction: "Ecommerce",
        recurring_processing_model: Some(model(intent)),
        shopper_reference: Some(shopper(intent).to_owned()),
        recurring: Some(RECURRING),
        selected_recurring_detail_reference: None,
        shopper_email: email(intent),
        shopper_ip: intent.details.sender.ip_address.as_deref(),
        billing_address: super::payer::billing_address(Some(intent.instrument)),
        capture_delay_hours: None,
        additional_data: None,
    };
    post_json(account, "authorise", headers(account, Some(&intent.key)), &body)
}

fn decode_classic(intent: &TokenIntent<'_>, response: &HttpResponse) -> (Outcome, Option<Secret>) {
    if response.status != 200 {
        return (refused(response), None);
    }
    let Ok(mut body) = serde_json::from_slice::<PaymentAnswer>(&response.body) else { return (Outcome::Unknown, None) };
    if !body.is_about(&intent.reference) {
        return (Outcome::Unknown, None);
    }
    let more = &mut body.additional_data;
    let token = more.stored_method.take().or(more.recurring_detail.take()).map(Secret::new);
    // No page is ever given in this dialect.
    let outcome = body.outcome(|url| PayerAction { url, expires_at: Timestamp::from_millis(0) });
    match (outcome, token.filter(|token| !token.reveal().is_empty())) {
        (Outcome::Approved(answer), Some(token)) => (Outcome::Approved(answer), Some(token)),
        // The contract is on its way, and the token with it.
        (Outcome::Approved(answer), None) => (Outcome::Accepted(answer), None),
        (Outcome::ActionRequired(..), _) => (Outcome::Unknown, None),
        (outcome, _) => (outcome, None),
    }
}

/// Even of what may have come before: a token moves no money, and what is refused now is not to be had.
fn refused(response: &HttpResponse) -> Outcome {
    refusal::outcome(false, response)
}
