//! What KOMOJU's codec says and understands, to the letter.

mod answers;
mod garbled;
mod notices;
mod requests;
mod tokens;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::KOMOJU;
use crate::card::Secret;
use crate::gateways::{Account, Credential, Intent, Known};
use crate::ids::{Ordinal, PaymentId, Record};
use crate::merchant::Gateway;
use crate::money::{Currency, Money};
use crate::payment::asked::{Address, Details, RefundReason};
use crate::payment::tests::fixtures::{START, gateway, place};
use crate::payment::{Instrument, Kind, Outcome};
use crate::ports::HttpResponse;

const KEY: &str = "00112233445566778899aabbccddeeff";
const PAYMENT: &str = "7czbdbavjdbl3jjkrd7c65wi5";

/// The id of an operation's record, as it is our name for it.
fn name(record: Record, index: usize) -> String {
    record.id(PaymentId::from_bits(7), place(index)).to_string()
}

fn yen(minor: i64) -> Money {
    Money::new(minor, Currency::parse("JPY").expect("a currency"))
}

fn credential(members: &[(&str, &str)]) -> Credential {
    let secret = |(name, text): &(&str, &str)| ((*name).to_owned(), Secret::new((*text).to_owned()));
    Credential::of(members.iter().map(secret).collect(), KOMOJU.credential).expect("a credential")
}

fn with_account<T>(then: impl FnOnce(&Account<'_>) -> T) -> T {
    let (gateway, credential) = (shop(), credential(&[("secretKey", "sk_12345")]));
    then(&Account { gateway: &gateway, credential: &credential, now: START, nonce: 1 })
}

fn shop() -> Gateway {
    gateway(&KOMOJU)
}

const CAPTURE: Kind = Kind::Capture { authorization: Ordinal::FIRST, is_final: false };
const REVERSE: Kind = Kind::Reverse { authorization: Ordinal::FIRST };
const REFUND: Kind = Kind::Refund { payment: Ordinal::FIRST, reason: Some(RefundReason::Duplicate) };

/// Every kind of operation.
const KINDS: [Kind; 6] = [Kind::Authorize, Kind::PostAuthorize, Kind::Sale, CAPTURE, REVERSE, REFUND];

fn details(additional: &[(&str, &str)]) -> Details {
    let text = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let additional_data: BTreeMap<_, _> = additional.iter().map(text).collect();
    Details { additional_data, ..Details::default() }
}

/// What a refund by bank needs.
fn bank_details() -> Details {
    details(&[
        ("customerName", "ｻｲﾄｳ ﾏｻﾋﾛ"),
        ("bankName", "サンプル銀行"),
        ("branchNumber", "100"),
        ("accountType", "normal"),
        ("accountNumber", "0012345"),
    ])
}

fn alternative(email: Option<&str>) -> Instrument {
    Instrument::Alternative {
        token: Secret::new("tok_of_a_browser".to_owned()),
        token_details: None,
        name: Some("Taro Yamada".to_owned()),
        email: email.map(str::to_owned),
        address: Address::default(),
    }
}

/// A payment of 1,000 yen at KOMOJU.
fn payment_at_komoju<'a>(details: Option<&'a str>) -> Known<'a> {
    let record = Record::Authorization.id(PaymentId::from_bits(7), Ordinal::FIRST);
    Known { record, reference: PAYMENT, details, amount: yen(1_000), requested_at: START }
}

fn intent<'a>(kind: &'a Kind, details: &'a Details) -> Intent<'a> {
    let acts = kind.target().is_some();
    Intent {
        kind,
        reference: name(kind.record(), usize::from(acts)),
        key: KEY.to_owned(),
        amount: yen(1_000),
        target: acts.then(|| payment_at_komoju(Some(r#"{"type":"credit_card"}"#))),
        opening: acts.then(|| payment_at_komoju(None)),
        known: None,
        requested_at: START,
        instrument: None,
        details,
        duplicate: false,
    }
}

/// The payment as KOMOJU shows it, with these members changed.
fn payment(changes: &Value) -> Value {
    let mut payment = json!({
        "id": PAYMENT, "resource": "payment", "status": "captured", "amount": 1_000, "tax": 0, "customer": null,
        "payment_deadline": null, "payment_details": {
            "type": "credit_card", "email": null, "brand": "visa", "last_four_digits": "1111", "month": 12, "year": 2030,
        },
        "payment_method_fee": 0, "total": 1_000, "currency": "JPY", "description": null,
        "captured_at": "2026-09-21T13:33:20Z", "external_order_num": name(Record::Payment, 0),
        "metadata": {"reference": name(Record::Payment, 0)}, "created_at": "2026-09-21T13:33:10Z", "amount_refunded": 0,
        "locale": "ja", "session": null, "customer_family_name": null, "customer_given_name": null, "mcc": null,
        "statement_descriptor": null, "refunds": [], "refund_requests": [],
    });
    for (name, value) in changes.as_object().expect("an object") {
        payment[name] = value.clone();
    }
    payment
}

fn refunded(id: &str, amount: i64, description: &Value, chargeback: bool) -> Value {
    json!({
        "id": id, "resource": "refund", "amount": amount, "currency": "JPY", "payment": PAYMENT,
        "description": description, "created_at": "2026-09-21T13:33:30Z", "chargeback": chargeback,
    })
}

fn requested(id: &str, status: &str, description: &str) -> Value {
    json!({
        "id": id, "resource": "refund_request", "payment": PAYMENT, "customer_name": "ｻｲﾄｳ ﾏｻﾋﾛ",
        "bank_name": "サンプル銀行", "bank_code": null, "branch_name": null, "branch_number": "100",
        "account_number": "0012345", "description": description, "status": status,
        "created_at": "2026-09-21T13:33:30Z",
    })
}

fn response(status: u16, body: &str) -> HttpResponse {
    HttpResponse { status, body: body.as_bytes().to_vec() }
}

fn sent(intent: &Intent<'_>, status: u16, body: &Value) -> Outcome {
    (KOMOJU.send.decode)(intent, &response(status, &body.to_string()))
}

fn looked_up(intent: &Intent<'_>, status: u16, body: &Value) -> Outcome {
    let (_, exchange) = KOMOJU.look_up.expect("it can be asked");
    (exchange.decode)(intent, &response(status, &body.to_string()))
}
