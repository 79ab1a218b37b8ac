//! Keeping a card: a payment method is made, and then a customer of our own name that owns it.
//!
//! Asked again, a payment method may be made a second time, which does no harm while nobody owns it; a customer cannot.
//! Where ours exists already it owns what was made first, and is charged by that default.

use serde::{Deserialize, Serialize};

use super::answer::refused;
use super::send::Metadata;
use super::{authorized_under, is_test};
use crate::card::{Card, Cvv, Secret};
use crate::gateways::wire::post_json;
use crate::gateways::{Account, Preparation, TokenIntent};
use crate::method::Details;
use crate::payment::asked::Address;
use crate::payment::{Answer, Instrument, Outcome};
use crate::ports::{HttpRequest, HttpResponse};
use crate::rejection::Rejection;
use crate::time::Timestamp;

pub(super) const PREPARATION: Preparation = Preparation { encode: prepare, decode: prepared };

/// Digits of a card number, by PAY.JP's OpenAPI.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 14..=16;

/// What PAY.JP answers where a customer of that id is there.
const ALREADY_EXISTS: &str = "already_exists_id";

#[derive(Serialize)]
struct MethodBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    card: CardBody<'a>,
    billing_details: BillingBody<'a>,
    metadata: Metadata<'a>,
}

#[derive(Serialize)]
struct CardBody<'a> {
    number: &'a str,
    exp_month: u8,
    exp_year: u16,
    cvc: &'a str,
}

#[derive(Serialize)]
struct BillingBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<AddressBody<'a>>,
}

#[derive(Default, PartialEq, Serialize)]
struct AddressBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zip: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line1: Option<&'a str>,
}

#[derive(Serialize)]
struct CustomerBody<'a> {
    id: &'a str,
    payment_method_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    metadata: Metadata<'a>,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

#[derive(Deserialize)]
struct Customer {
    id: String,
    default_payment_method_id: Option<String>,
    updated_at: Option<String>,
}

/// What PAY.JP keeps of a card.
struct Keeping<'a> {
    card: &'a Card,
    cvv: &'a Cvv,
    address: &'a Address,
}

impl<'a> Keeping<'a> {
    fn of(intent: &TokenIntent<'a>) -> Option<Self> {
        let Instrument::Card { card, address } = intent.instrument else { return None };
        Some(Self { card, cvv: card.cvv.as_ref()?, address })
    }
}

/// PAY.JP writes to whoever pays with 3-D Secure: one of the two is wanted.
fn reached_by(details: &Details) -> (Option<&str>, Option<&str>) {
    let sender = &details.sender;
    (details.email.as_deref().or(sender.email.as_deref()), sender.phone.as_deref())
}

pub(super) fn admits(intent: &TokenIntent<'_>, account: &Account<'_>) -> Result<(), Rejection> {
    let (email, phone) = reached_by(intent.details);
    let (member, limit) = match intent.instrument {
        Instrument::Bank { .. } => ("bankPaymentMethod", "PAY.JP keeps no bank accounts"),
        Instrument::Stored(_) | Instrument::Alternative { .. } => ("paymentMethod", "PAY.JP knows it already"),
        Instrument::Card { .. } if !is_test(account) => {
            ("cardPaymentMethod", "PAY.JP takes card numbers in test mode only: bring a token from the browser")
        }
        Instrument::Card { card, .. } if !CARD_DIGITS.contains(&card.number.reveal().len()) => {
            ("cardPaymentMethod.cardNumber", "must have 14 to 16 digits at PAY.JP")
        }
        Instrument::Card { card, .. } if card.cvv.is_none() => ("cardPaymentMethod.cvv", "is needed by PAY.JP"),
        Instrument::Card { .. } if email.or(phone).is_none() => ("email", "or phone is needed by PAY.JP"),
        Instrument::Card { .. } => return Ok(()),
    };
    Err(Rejection::NotAtGateway { member, limit })
}

fn prepare(intent: &TokenIntent<'_>, account: &Account<'_>) -> Option<HttpRequest> {
    let Keeping { card, cvv, address } = Keeping::of(intent)?;
    let (email, phone) = reached_by(intent.details);
    let address = AddressBody {
        country: address.country.as_deref(),
        zip: address.postal_code.as_deref(),
        state: address.state.as_deref(),
        city: address.city.as_deref(),
        line1: address.street.as_deref(),
    };
    let body = MethodBody {
        kind: "card",
        card: CardBody {
            number: card.number.reveal(),
            exp_month: card.expiry.month,
            exp_year: card.expiry.year,
            cvc: cvv.reveal(),
        },
        billing_details: BillingBody {
            name: card.holder.as_deref(),
            email,
            phone,
            address: Some(address).filter(|address| *address != AddressBody::default()),
        },
        metadata: Metadata { reference: &intent.reference },
    };
    // Another request than that for the customer, so another key.
    let headers = authorized_under(account, format!("{}-method", intent.key));
    Some(post_json(account, "v2/payment_methods", headers, &body))
}

#[expect(clippy::result_large_err, reason = "as every preparation says how the whole ends")]
fn prepared(_: &TokenIntent<'_>, response: &HttpResponse) -> Result<Secret, Outcome> {
    match response.status {
        200 => match serde_json::from_slice::<Made>(&response.body) {
            Ok(made) if !made.id.is_empty() => Ok(Secret::new(made.id)),
            Ok(_) | Err(_) => Err(Outcome::Unknown),
        },
        // Even if it came before: nobody owns what was made then.
        400 | 402 | 404 | 422 => Err(refused(&response.body)),
        401 | 429 => Err(Outcome::NotSent),
        _ => Err(Outcome::Unknown),
    }
}

pub(super) fn encode(intent: &TokenIntent<'_>, account: &Account<'_>) -> HttpRequest {
    let (email, _) = reached_by(intent.details);
    let body = CustomerBody {
        id: &intent.reference,
        payment_method_id: intent.prepared.as_ref().map_or("", Secret::reveal),
        email,
        metadata: Metadata { reference: &intent.reference },
    };
    post_json(account, "v2/customers", authorized_under(account, intent.key.clone()), &body)
}

pub(super) fn decode(intent: &TokenIntent<'_>, response: &HttpResponse) -> (Outcome, Option<Secret>) {
    match response.status {
        200 => match serde_json::from_slice::<Customer>(&response.body) {
            Ok(customer) if customer.id == intent.reference => kept(customer),
            Ok(_) | Err(_) => (Outcome::Unknown, None),
        },
        400 | 402 | 404 | 422 => match refused(&response.body) {
            // Its id is ours alone: it was made when this was asked before.
            Outcome::Declined(_, Answer { code: Some(code), .. }) if code == ALREADY_EXISTS && intent.duplicate => {
                let answer =
                    Answer { reference: Some(intent.reference.clone()), code: Some(code), ..Answer::default() };
                (Outcome::Approved(answer), Some(Secret::new(format!("{}/", intent.reference))))
            }
            refused => (refused, None),
        },
        401 | 429 => (Outcome::NotSent, None),
        _ => (Outcome::Unknown, None),
    }
}

fn kept(customer: Customer) -> (Outcome, Option<Secret>) {
    let Customer { id, default_payment_method_id, updated_at } = customer;
    let Some(method) = default_payment_method_id.filter(|method| !method.is_empty()) else {
        return (Outcome::Unknown, None);
    };
    let token = Secret::new(format!("{id}/{method}"));
    let date = updated_at.as_deref().and_then(Timestamp::parse);
    (Outcome::Approved(Answer { reference: Some(id), date, ..Answer::default() }), Some(token))
}
