//! What KOMOJU is asked.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{API_VERSION, SECRET_KEY, payment};
use crate::card::{Card, Cvv, Secret};
use crate::gateways::wire::{Headers, basic, escaped, get, post_json};
use crate::gateways::{Account, Intent};
use crate::payment::{Instrument, Kind};
use crate::ports::HttpRequest;

/// The members of `additionalData` that say who pays and where, and KOMOJU's names for them.
const PAYER: [(&str, &str); 5] = [
    ("store", "store"),
    ("givenName", "given_name"),
    ("familyName", "family_name"),
    ("givenNameKana", "given_name_kana"),
    ("familyNameKana", "family_name_kana"),
];

#[derive(Serialize)]
struct OpeningBody<'a> {
    amount: i64,
    currency: &'a str,
    capture: bool,
    external_order_num: &'a str,
    metadata: Metadata<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_details: Option<PaymentDetails<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fraud_details: Option<FraudDetails<'a>>,
}

#[derive(Serialize)]
pub(super) struct Metadata<'a> {
    pub reference: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum PaymentDetails<'a> {
    Token(&'a str),
    Card(CardBody<'a>),
    Other(BTreeMap<&'static str, &'a str>),
}

#[derive(Serialize)]
pub(super) struct CardBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    number: &'a str,
    month: u8,
    year: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    initiator: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheme_reference: Option<&'a str>,
}

#[derive(Serialize)]
struct FraudDetails<'a> {
    customer_ip: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_email: Option<&'a str>,
}

#[derive(Serialize)]
struct CaptureBody {
    amount: i64,
}

#[derive(Serialize)]
struct RefundBody<'a> {
    amount: i64,
    description: &'a str,
}

#[derive(Serialize)]
struct RefundRequestBody<'a> {
    amount: i64,
    customer_name: &'a str,
    bank_name: &'a str,
    branch_number: &'a str,
    account_type: &'a str,
    /// A text, because account numbers begin with zeros.
    account_number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch_name: Option<&'a str>,
    include_payment_method_fee: bool,
    description: &'a str,
}

/// A body without members.
#[derive(Serialize)]
struct Nothing {}

pub(super) fn encode(intent: &Intent<'_>, account: &Account<'_>) -> HttpRequest {
    let id = payment_id(intent);
    let minor = intent.amount.minor;
    let headers = keyed(account, &intent.key);
    match intent.kind {
        Kind::Authorize | Kind::Sale => post_json(account, "payments", headers, &opening(intent)),
        Kind::PostAuthorize => show(account, id),
        Kind::Capture { .. } => {
            post_json(account, &format!("payments/{id}/capture"), headers, &CaptureBody { amount: minor })
        }
        Kind::Reverse { .. } => post_json(account, &format!("payments/{id}/cancel"), headers, &Nothing {}),
        Kind::Refund { .. } if goes_by_bank(intent) => {
            post_json(account, &format!("payments/{id}/refund_request"), headers, &refund_request(intent))
        }
        Kind::Refund { .. } => {
            let body = RefundBody { amount: minor, description: &intent.reference };
            post_json(account, &format!("payments/{id}/refund"), headers, &body)
        }
    }
}

pub(super) fn encode_look_up(intent: &Intent<'_>, account: &Account<'_>) -> HttpRequest {
    show(account, payment_id(intent))
}

fn show(account: &Account<'_>, id: String) -> HttpRequest {
    get(account, &format!("payments/{id}"), plain(account))
}

/// The payment that the operation is about, as a segment of a path.
fn payment_id(intent: &Intent<'_>) -> String {
    let known = intent.target.or(intent.known).map(|known| known.reference);
    escaped(known.or_else(|| said(intent, "reference")).unwrap_or_default())
}

/// What every request bears.
pub(super) fn plain(account: &Account<'_>) -> Headers {
    let version = Some(account.credential.text(API_VERSION)).filter(|version| !version.is_empty());
    let version = version.map(|version| ("x-komoju-api-version", version.to_owned()));
    [basic(account.credential.text(SECRET_KEY))].into_iter().chain(version).collect()
}

/// What every request bears that does something.
pub(super) fn keyed(account: &Account<'_>, key: &str) -> Headers {
    let mut headers = plain(account);
    headers.push(("x-komoju-idempotency", key.to_owned()));
    headers
}

/// A member of `additionalData`, where there is something in it.
pub(super) fn said<'a>(intent: &Intent<'a>, member: &str) -> Option<&'a str> {
    intent.details.additional_data.get(member).map(String::as_str).filter(|text| !text.is_empty())
}

/// What the payer is written to at.
pub(super) fn email<'a>(intent: &Intent<'a>) -> Option<&'a str> {
    let of_instrument = match intent.instrument {
        Some(Instrument::Alternative { email, .. }) => email.as_deref(),
        Some(Instrument::Stored(_) | Instrument::Card { .. } | Instrument::Bank { .. }) | None => None,
    };
    of_instrument.or(intent.details.email.as_deref())
}

/// Whether a refund is paid into a bank account: always where the payer has paid at a store or a bank, and wherever an
/// account is named.
pub(super) fn goes_by_bank(intent: &Intent<'_>) -> bool {
    let kind = intent.target.and_then(|target| payment::kind_of(target.details?));
    kind.is_some_and(|kind| payment::waits_for_the_payer(&kind)) || said(intent, "accountNumber").is_some()
}

fn opening<'a>(intent: &'a Intent<'_>) -> OpeningBody<'a> {
    let (payment_details, customer) = match intent.instrument {
        Some(Instrument::Card { card, .. }) => (Some(PaymentDetails::Card(charged(intent, card))), None),
        Some(Instrument::Alternative { token, .. }) => (Some(alternative(intent, token)), None),
        // KOMOJU takes payment details or a customer, and charges a customer as a recurring payment, so that there is
        // no place to say who began it, and no need.
        Some(Instrument::Stored(on_file)) => (None, on_file.token.as_ref().map(Secret::reveal)),
        Some(Instrument::Bank { .. }) | None => (None, None),
    };
    let ip_address = intent.details.ip_address.as_deref();
    OpeningBody {
        amount: intent.amount.minor,
        currency: intent.amount.currency.code(),
        capture: *intent.kind == Kind::Sale,
        external_order_num: &intent.reference,
        metadata: Metadata { reference: &intent.reference },
        payment_details,
        customer,
        return_url: said(intent, "returnUrl"),
        fraud_details: ip_address.map(|customer_ip| FraudDetails { customer_ip, customer_email: email(intent) }),
    }
}

fn charged<'a>(intent: &'a Intent<'_>, card: &'a Card) -> CardBody<'a> {
    let by_merchant = intent.details.submitted_by_merchant;
    CardBody {
        initiator: by_merchant.then_some("merchant"),
        usage: by_merchant.then_some("used"),
        scheme_reference: said(intent, "schemeReference").filter(|_| by_merchant),
        ..card_body(card, email(intent))
    }
}

pub(super) fn card_body<'a>(card: &'a Card, email: Option<&'a str>) -> CardBody<'a> {
    CardBody {
        kind: "credit_card",
        number: card.number.reveal(),
        month: card.expiry.month,
        year: card.expiry.year,
        verification_value: card.cvv.as_ref().map(Cvv::reveal),
        name: card.holder.as_deref(),
        email,
        initiator: None,
        usage: None,
        scheme_reference: None,
    }
}

fn alternative<'a>(intent: &'a Intent<'_>, token: &'a Secret) -> PaymentDetails<'a> {
    let Some(kind) = said(intent, "paymentMethodType") else { return PaymentDetails::Token(token.reveal()) };
    let name = match intent.instrument {
        // What is paid at a store or a bank has parts of names.
        Some(Instrument::Alternative { name, .. }) if !payment::waits_for_the_payer(kind) => name.as_deref(),
        _ => None,
    };
    let beside = [("email", email(intent)), ("phone", intent.details.phone.as_deref()), ("name", name)];
    let payer = PAYER.iter().map(|(member, theirs)| (*theirs, said(intent, member)));
    let given = beside.into_iter().chain(payer).filter_map(|(name, text)| Some((name, text?)));
    PaymentDetails::Other([("type", kind)].into_iter().chain(given).collect())
}

fn refund_request<'a>(intent: &'a Intent<'_>) -> RefundRequestBody<'a> {
    // What is missing was refused before anything was stored.
    let text = |member| said(intent, member).unwrap_or_default();
    RefundRequestBody {
        amount: intent.amount.minor,
        customer_name: text("customerName"),
        bank_name: text("bankName"),
        branch_number: text("branchNumber"),
        account_type: text("accountType"),
        account_number: text("accountNumber"),
        bank_code: said(intent, "bankCode"),
        branch_name: said(intent, "branchName"),
        include_payment_method_fee: said(intent, "includePaymentMethodFee") == Some("true"),
        description: &intent.reference,
    }
}
