//! Keeps a card: makes a payment method of it, and gives that a customer, without whom Stripe would take it once only.
//!
//! A customer that is named keeps it by a SetupIntent ([`setup`]), in which the payer authenticates where the bank wants
//! that. Stripe documents no card data in a SetupIntent, so the payment method comes first here too, and as one request goes
//! before the other, a customer that must be made first gets the card as it is: there nobody authenticates, and a card whose
//! bank wants that is declined when it is charged in its payer's absence, with `authentication_required`.

use serde::Deserialize;

use super::super::wire::{Form, escaped, post_form};
use super::super::{Account, Preparation, TokenExchange, TokenIntent};
use super::answer::{Metadata, is_turned_away, refusal, says_no};
use super::send::{Holder, with_card};
use super::{CUSTOMER, headers, is_id, is_whole, refuse, setup};
use crate::card::Secret;
use crate::payment::{Answer, Instrument, Outcome};
use crate::ports::{HttpRequest, HttpResponse};
use crate::rejection::Rejection;

pub(super) const EXCHANGE: TokenExchange = TokenExchange {
    admits,
    prepare: Some(Preparation { encode: encode_method, decode: decode_method }),
    encode,
    decode,
};

/// A customer, or a payment method that has one.
#[derive(Deserialize)]
struct Kept {
    id: String,
    object: String,
    customer: Option<String>,
    metadata: Option<Metadata>,
}

fn admits(intent: &TokenIntent<'_>, _: &Account<'_>) -> Result<(), Rejection> {
    match intent.instrument {
        Instrument::Card { .. } if customer_of(intent).is_none_or(is_id) => Ok(()),
        Instrument::Card { .. } => refuse("additionalData.customerId", "must be the id of a customer: cus_…"),
        Instrument::Bank { .. } | Instrument::Stored(_) | Instrument::Alternative { .. } => refuse(
            "bankPaymentMethod",
            "the gateway keeps cards; a mandate for an account is made in the payer's browser",
        ),
    }
}

fn customer_of<'a>(intent: &TokenIntent<'a>) -> Option<&'a str> {
    intent.details.sender.additional_data.get(CUSTOMER).map(String::as_str)
}

fn encode_method(intent: &TokenIntent<'_>, account: &Account<'_>) -> Option<HttpRequest> {
    let Instrument::Card { card, address } = intent.instrument else { return None };
    let sender = &intent.details.sender;
    let email = intent.details.email.as_deref().or(sender.email.as_deref());
    let form = with_card(Form::default(), "", &Holder { card, address, email, phone: sender.phone.as_deref() });
    let form = form.with("metadata[reference]", &intent.reference);
    // A key is one request's: the other one has it as it is.
    let headers = headers(account, Some(&format!("{}-method", intent.key)));
    Some(post_form(account, "v1/payment_methods", headers, form))
}

#[expect(clippy::result_large_err, reason = "one a request")]
fn decode_method(intent: &TokenIntent<'_>, response: &HttpResponse) -> Result<Secret, Outcome> {
    let made = kept(response).ok_or_else(|| other(intent, response))?;
    let is_ours = made.metadata.is_some_and(|metadata| metadata.reference.as_deref() == Some(&intent.reference));
    match made.object == "payment_method" && is_ours && is_id(&made.id) {
        true => Ok(Secret::new(made.id)),
        false => Err(Outcome::Unknown),
    }
}

fn encode(intent: &TokenIntent<'_>, account: &Account<'_>) -> HttpRequest {
    let method = intent.prepared.as_ref().map_or("", Secret::reveal);
    let headers = headers(account, Some(&intent.key));
    if let Some(customer) = customer_of(intent) {
        if is_whole(account) {
            return setup::encode(intent, customer, method, account);
        }
        let path = format!("v1/payment_methods/{}/attach", escaped(method));
        return post_form(account, &path, headers, Form::default().with("customer", customer));
    }
    let holder = if let Instrument::Card { card, .. } = intent.instrument { card.holder.as_deref() } else { None };
    let form = Form::default()
        .with("payment_method", method)
        .with_some("name", holder)
        .with_some("email", intent.details.email.as_deref())
        .with("metadata[reference]", &intent.reference);
    post_form(account, "v1/customers", headers, form)
}

fn decode(intent: &TokenIntent<'_>, response: &HttpResponse) -> (Outcome, Option<Secret>) {
    let Some(kept) = kept(response) else { return (other(intent, response), None) };
    let Some(method) = intent.prepared.as_ref().map(Secret::reveal) else { return (Outcome::Unknown, None) };
    let is_ours = |metadata: &Metadata| metadata.reference.as_deref() == Some(&intent.reference);
    let customer = match (customer_of(intent), kept.object.as_str()) {
        (None, "customer") if kept.metadata.as_ref().is_some_and(is_ours) && is_id(&kept.id) => kept.id,
        (Some(named), setup::OBJECT) => return setup::decode(intent, named, method, response),
        (Some(named), "payment_method") if kept.id == method && kept.customer.as_deref() == Some(named) => {
            named.to_owned()
        }
        (None | Some(_), _) => return (Outcome::Unknown, None),
    };
    // Neither id is repeated where it is not sealed.
    let answer = Answer { code: Some("succeeded".to_owned()), ..Answer::default() };
    (Outcome::Approved(answer), Some(Secret::new(format!("{customer}/{method}"))))
}

fn kept(response: &HttpResponse) -> Option<Kept> {
    (response.status == 200).then(|| serde_json::from_slice(&response.body).ok()).flatten()
}

/// A token moves no money: what is refused now is not to be had, whatever came of it before.
fn other(intent: &TokenIntent<'_>, response: &HttpResponse) -> Outcome {
    let secrets: Vec<&str> = intent.prepared.iter().map(Secret::reveal).collect();
    match response.status {
        400 | 402 | 404 if setup::is_of_another(intent, customer_of(intent), response) => Outcome::Unknown,
        400 | 402 | 404 => says_no(response).map_or(Outcome::Unknown, |error| refusal(error, &secrets)),
        _ if is_turned_away(response) => Outcome::NotSent,
        _ => Outcome::Unknown,
    }
}
