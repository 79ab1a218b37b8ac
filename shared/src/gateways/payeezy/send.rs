//! What Payeezy is asked.

use serde::{Deserialize, Serialize};

use super::admits::named;
use super::tokens::TokenData;
use super::{API_KEY, API_SECRET, TOKEN};
use crate::card::{Card, CardType, Cvv, Expiry, Secret};
use crate::gateways::signatures::{self, PayeezyRequest};
use crate::gateways::wire::{escaped, json};
use crate::gateways::{Account, Intent};
use crate::money::Currency;
use crate::payment::Kind;
use crate::payment::asked::{Address, Details, Instrument};
use crate::ports::{HttpRequest, Method};

/// What a payment is made by where it is made by a card's number; and what acts on one that was made by something else.
pub(super) const CREDIT_CARD: &str = "credit_card";

#[derive(Serialize)]
struct OperationBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_ref: Option<&'a str>,
    transaction_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_tag: Option<&'a str>,
    method: &'a str,
    /// Digits, in minor units.
    amount: String,
    currency_code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    partial_redemption: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_card: Option<CardBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<TokenBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_address: Option<AddressBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stored_credentials: Option<StoredCredentialsBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reversal_id: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct CardBody<'a> {
    #[serde(rename = "type")]
    card_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cardholder_name: Option<&'a str>,
    card_number: &'a str,
    /// Month and year, two digits each.
    exp_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cvv: Option<&'a str>,
}

#[derive(Serialize)]
struct TokenBody<'a> {
    token_type: &'static str,
    token_data: &'a TokenData,
}

#[derive(Serialize)]
struct AddressBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    street: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_province: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zip_postal_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
}

#[derive(Serialize)]
struct StoredCredentialsBody<'a> {
    sequence: &'static str,
    initiator: &'static str,
    is_scheduled: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cardbrand_original_transaction_id: Option<&'a str>,
}

/// What is kept of an operation beside its tag.
#[derive(Serialize, Deserialize)]
pub(super) struct ReferenceDetails {
    pub transaction_id: String,
    pub method: Option<String>,
}

pub(super) fn encode(intent: &Intent<'_>, account: &Account<'_>) -> HttpRequest {
    match intent.kind {
        Kind::Authorize | Kind::PostAuthorize | Kind::Sale => encode_opening(intent, account),
        Kind::Capture { .. } | Kind::Reverse { .. } | Kind::Refund { .. } => encode_action(intent, account),
    }
}

/// The name of what is asked for, as the answer repeats it.
pub(super) fn transaction_type(kind: &Kind) -> &'static str {
    match kind {
        Kind::Authorize | Kind::PostAuthorize => "authorize",
        Kind::Sale => "purchase",
        Kind::Capture { .. } => "capture",
        Kind::Reverse { .. } => "void",
        Kind::Refund { .. } => "refund",
    }
}

fn encode_opening(intent: &Intent<'_>, account: &Account<'_>) -> HttpRequest {
    let (card, address) = match intent.instrument {
        Some(Instrument::Card { card, address }) => (Some(card_body(card)), address_body(address)),
        Some(Instrument::Alternative { address, .. }) => (None, address_body(address)),
        Some(Instrument::Stored(_) | Instrument::Bank { .. }) | None => (None, None),
    };
    let token = token_of(intent);
    let body = OperationBody {
        method: if token.is_some() { "token" } else { CREDIT_CARD },
        // Or a prepaid card might be charged with less than was asked.
        partial_redemption: (*intent.kind == Kind::Sale).then_some("false"),
        credit_card: card,
        token: token.as_ref().map(|token_data| TokenBody { token_type: "FDToken", token_data }),
        billing_address: address,
        stored_credentials: stored_credentials(intent),
        reversal_id: Some(&intent.reference),
        ..bare(intent, transaction_type(intent.kind))
    };
    post(account, "transactions", &body)
}

fn encode_action(intent: &Intent<'_>, account: &Account<'_>) -> HttpRequest {
    // What cannot be named was not admitted; asked all the same, Payeezy says that there is no such transaction.
    let (tag, details) = match named(intent.target) {
        Ok((target, details)) => (target.reference, details),
        Err(_) => ("", ReferenceDetails { transaction_id: String::new(), method: None }),
    };
    let body = OperationBody {
        transaction_tag: Some(tag),
        method: acting_method(details.method.as_deref()),
        ..bare(intent, transaction_type(intent.kind))
    };
    post(account, &format!("transactions/{}", escaped(details.transaction_id.trim())), &body)
}

/// Undoes an opening by the name that it was sent with, as Payeezy's samples do it.
pub(super) fn encode_reversal(intent: &Intent<'_>, account: &Account<'_>) -> HttpRequest {
    let body = OperationBody { merchant_ref: None, reversal_id: Some(&intent.reference), ..bare(intent, "void") };
    post(account, "transactions", &body)
}

fn bare<'a>(intent: &'a Intent<'_>, transaction_type: &'static str) -> OperationBody<'a> {
    OperationBody {
        merchant_ref: Some(&intent.reference),
        transaction_type,
        transaction_tag: None,
        method: CREDIT_CARD,
        amount: intent.amount.minor.to_string(),
        currency_code: Currency::code(intent.amount.currency),
        partial_redemption: None,
        credit_card: None,
        token: None,
        billing_address: None,
        stored_credentials: None,
        reversal_id: None,
    }
}

/// What acts on a payment by a token or with 3-D Secure names a card: so `ActiveMerchant` does, and Payeezy took it.
fn acting_method(made_by: Option<&str>) -> &str {
    match made_by {
        Some(method) if !["token", "3ds"].iter().any(|other| method.eq_ignore_ascii_case(other)) => method,
        Some(_) | None => CREDIT_CARD,
    }
}

/// The token that is paid with.
pub(super) fn token_of(intent: &Intent<'_>) -> Option<TokenData> {
    match intent.instrument? {
        Instrument::Stored(on_file) => TokenData::read(on_file.token.as_ref()?),
        Instrument::Alternative { token, .. } => TokenData::read(token),
        Instrument::Card { .. } | Instrument::Bank { .. } => None,
    }
}

pub(super) fn card_body(card: &Card) -> CardBody<'_> {
    CardBody {
        card_type: type_name(card).unwrap_or_default(),
        cardholder_name: card.holder.as_deref(),
        card_number: card.number.reveal(),
        exp_date: exp_date(card.expiry),
        cvv: card.cvv.as_ref().map(Cvv::reveal),
    }
}

pub(super) fn exp_date(expiry: Expiry) -> String {
    format!("{:02}{:02}", expiry.month, expiry.year % 100)
}

/// Payeezy's name for the card's scheme: by the caller's word for it, or else by the number.
pub(super) fn type_name(card: &Card) -> Option<&'static str> {
    match card.card_type.or_else(|| card.number.scheme())? {
        CardType::AmericanExpress => Some("American Express"),
        CardType::DinersClub => Some("Diners Club"),
        CardType::Discover => Some("Discover"),
        CardType::Jcb => Some("JCB"),
        CardType::MasterCard => Some("Mastercard"),
        CardType::Visa => Some("Visa"),
        CardType::Maestro | CardType::UnionPay => None,
    }
}

fn address_body(address: &Address) -> Option<AddressBody<'_>> {
    let Address { street, city, state, country, postal_code, company_name: _ } = address;
    let is_empty = [street, city, state, country, postal_code].into_iter().all(Option::is_none);
    (!is_empty).then_some(AddressBody {
        street: street.as_deref(),
        city: city.as_deref(),
        state_province: state.as_deref(),
        zip_postal_code: postal_code.as_deref(),
        country: country.as_deref(),
    })
}

/// That the payer is absent, and agreed to this before.
fn stored_credentials<'a>(intent: &Intent<'a>) -> Option<StoredCredentialsBody<'a>> {
    let details: &'a Details = intent.details;
    let is_stored = matches!(intent.instrument, Some(Instrument::Stored(_)));
    let said = |name: &str| details.additional_data.get(name).map(String::as_str);
    (is_stored && details.submitted_by_merchant).then(|| StoredCredentialsBody {
        sequence: "SUBSEQUENT",
        initiator: "MERCHANT",
        is_scheduled: if said("isScheduled") == Some("true") { "true" } else { "false" },
        cardbrand_original_transaction_id: said("cardbrandOriginalTransactionId"),
    })
}

/// Signed over the bytes that are sent.
pub(super) fn post(account: &Account<'_>, path: &str, body: &impl Serialize) -> HttpRequest {
    let (body, credential) = (json(body), account.credential);
    let (api_key, token) = (credential.text(API_KEY), credential.text(TOKEN));
    let (nonce, timestamp_ms) = (account.nonce.to_string(), account.now.as_millis().to_string());
    let signed = PayeezyRequest { api_key, nonce: &nonce, timestamp_ms: &timestamp_ms, token, payload: &body };
    let authorization = signatures::payeezy(&signed, &Secret::new(credential.text(API_SECRET).to_owned()));
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("apikey", api_key.to_owned()),
        ("token", token.to_owned()),
        ("nonce", nonce),
        ("timestamp", timestamp_ms),
        ("authorization", authorization),
    ];
    HttpRequest { method: Method::Post, url: format!("{}/{path}", account.gateway.base_url), headers, body }
}
