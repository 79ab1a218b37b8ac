//! What PAY.JP is asked and how its answers are understood, to the letter.

mod answers;
mod limits;
mod notices;
mod requests;
mod schema;
mod tokens;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::PAYJP;
use crate::card::Secret;
use crate::gateways::{Account, Credential, Intent, Known};
use crate::ids::{Ordinal, PaymentId, Record};
use crate::merchant::Gateway;
use crate::money::{Currency, Money};
use crate::payment::asked::{Details, OnFile};
use crate::payment::tests::fixtures::{START, gateway, method_id};
use crate::payment::{Instrument, Kind, Outcome};
use crate::ports::{HttpRequest, HttpResponse};

const KEY: &str = "00112233445566778899aabbccddeeff";
const SECRET_KEY: &str = "sk_test_c62fade9d045b54cd76d7036";
const TOKEN: &str = "cus_1/pm_1";

/// Our name for an operation.
fn reference(record: Record) -> String {
    record.id(PaymentId::from_bits(7), Ordinal::FIRST).to_string()
}

fn yen(minor: i64) -> Money {
    Money::new(minor, Currency::parse("JPY").expect("a currency"))
}

/// An account, with what it is known by.
struct World {
    gateway: Gateway,
    credential: Credential,
}

impl World {
    fn of(members: &[(&str, &str)]) -> Self {
        let secret = |(name, text): &(&str, &str)| ((*name).to_owned(), Secret::new((*text).to_owned()));
        let credential = Credential::of(members.iter().map(secret).collect(), PAYJP.credential).expect("a credential");
        Self { gateway: gateway(&PAYJP), credential }
    }

    fn test() -> Self {
        Self::of(&[("secretKey", SECRET_KEY)])
    }

    fn plain_refunds() -> Self {
        Self::of(&[("secretKey", SECRET_KEY), ("refunds", "refunds")])
    }

    fn account(&self) -> Account<'_> {
        Account { gateway: &self.gateway, credential: &self.credential, now: START, nonce: 1 }
    }
}

fn stored(token: &str) -> Instrument {
    Instrument::Stored(OnFile { token: Some(Secret::new(token.to_owned())), ..OnFile::unopened(method_id()) })
}

fn added(pairs: &[(&str, &str)]) -> Details {
    let pair = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    Details { additional_data: pairs.iter().map(pair).collect::<BTreeMap<_, _>>(), ..Details::default() }
}

fn flow_known<'a>(amount: i64, details: Option<&'a str>) -> Known<'a> {
    let record = Record::Authorization.id(PaymentId::from_bits(7), Ordinal::FIRST);
    Known { record, reference: "pfw_1", details, amount: yen(amount), requested_at: START }
}

fn intent<'a>(kind: &'a Kind, instrument: Option<&'a Instrument>, details: &'a Details) -> Intent<'a> {
    Intent {
        kind,
        reference: reference(kind.record()),
        key: KEY.to_owned(),
        amount: yen(1_200),
        target: kind.target().map(|_| flow_known(1_200, None)),
        opening: None,
        known: None,
        instrument,
        details,
        duplicate: false,
    }
}

fn kinds() -> [Kind; 6] {
    let first = Ordinal::FIRST;
    [
        Kind::Authorize,
        Kind::Sale,
        Kind::PostAuthorize,
        Kind::Capture { authorization: first, is_final: false },
        Kind::Reverse { authorization: first },
        Kind::Refund { payment: first, reason: None },
    ]
}

fn body(request: &HttpRequest) -> Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

fn response(status: u16, body: &Value) -> HttpResponse {
    HttpResponse { status, body: body.to_string().into_bytes() }
}

fn problem(status: u16, code: &str) -> HttpResponse {
    let body = json!({
        "status": status, "code": code, "title": "A title", "detail": "What is wrong", "instance": "/v2/payment_flows",
        "type": "https://docs.pay.jp/v2/guide/developers/error-response",
    });
    response(status, &body)
}

/// A flow of an authorization or a sale, as PAY.JP tells it.
fn flow(status: &str, capture_method: &str, reference: &str) -> Value {
    json!({
        "object": "payment_flow", "id": "pfw_1", "livemode": false, "amount": 1_200, "currency": "jpy",
        "amount_capturable": if status == "requires_capture" { 1_200 } else { 0 },
        "amount_received": if status == "succeeded" { 1_200 } else { 0 },
        "client_secret": "pfw_1_secret_canary", "customer_id": "cus_1", "description": null,
        "payment_method_id": "pm_1", "payment_method_options": {}, "payment_method_types": ["card"],
        "status": status, "next_action": null, "return_url": null, "redirect_options": {"include_client_secret": true},
        "capture_method": capture_method, "last_payment_error": null, "cancellation_reason": null,
        "canceled_at": null, "metadata": {"reference": reference},
        "created_at": "2026-09-21T14:00:00Z", "updated_at": "2026-09-21T14:00:01.5Z",
    })
}

fn refund(status: &str) -> Value {
    json!({
        "object": "payment_refund", "id": "re_1", "livemode": false, "payment_flow_id": "pfw_1", "amount": 1_200,
        "status": status, "reason": null, "metadata": {"reference": reference(Record::Refund)},
        "created_at": "2026-09-21T14:00:00Z", "updated_at": "2026-09-21T14:00:01.5Z",
    })
}

/// What PAY.JP answers where all goes well.
fn success(kind: &Kind) -> Value {
    match kind {
        Kind::Authorize | Kind::PostAuthorize => flow("requires_capture", "manual", &reference(kind.record())),
        Kind::Sale => flow("succeeded", "automatic", &reference(kind.record())),
        Kind::Capture { .. } => flow("succeeded", "manual", &reference(Record::Authorization)),
        Kind::Reverse { .. } => flow("canceled", "manual", &reference(Record::Authorization)),
        Kind::Refund { .. } => refund("succeeded"),
    }
}

/// The details of an operation: a post-authorization names its flow.
fn details_of(kind: &Kind) -> Details {
    if *kind == Kind::PostAuthorize { added(&[("reference", "pfw_1")]) } else { Details::default() }
}

fn sent(kind: &Kind, is_duplicate: bool, answer: &HttpResponse) -> Outcome {
    let details = details_of(kind);
    (PAYJP.send.decode)(&Intent { duplicate: is_duplicate, ..intent(kind, None, &details) }, answer)
}

fn looked_up(kind: &Kind, answer: &HttpResponse) -> Outcome {
    let details = details_of(kind);
    let name = if let Kind::Refund { .. } = kind { "re_1" } else { "pfw_1" };
    let known = Some(Known { reference: name, ..flow_known(1_200, None) });
    let (_, exchange) = PAYJP.look_up.expect("it can be asked");
    (exchange.decode)(&Intent { known, duplicate: true, ..intent(kind, None, &details) }, answer)
}

#[test]
fn what_it_is_known_by_is_a_secret_key_and_a_way_to_refund() {
    let fits = |name: &str, text: &str| {
        PAYJP.credential.iter().find(|member| member.name == name).is_some_and(|member| (member.fits)(text))
    };
    assert!(fits("secretKey", SECRET_KEY) && fits("secretKey", "sk_live_1"));
    for wrong in ["", "pk_test_1", "sk test", "sk_\n", "whook_1"] {
        assert!(!fits("secretKey", wrong), "{wrong}");
    }
    assert!(fits("refunds", "refunds") && fits("refunds", "payment_refunds") && !fits("refunds", "v1"));
}

#[test]
fn a_check_tells_what_the_account_offers_or_why_it_does_not_work() {
    let check = PAYJP.check.expect("it can be checked");
    let request = (check.encode)(&World::test().account());
    assert_eq!(request.url, "https://gateway.test/v2/payment_method_configurations");
    assert_eq!(request.headers, [("authorization", format!("Bearer {SECRET_KEY}"))]);
    let setting = |available: bool| json!({"available": available});
    let one = json!({"active": true, "card": setting(true), "paypay": setting(true), "apple_pay": setting(false)});
    let other = json!({"active": false, "card": setting(true), "paypay": setting(true), "apple_pay": setting(true)});
    let offers = (check.decode)(&response(200, &json!({"data": [one, other, one]}))).expect("it works");
    let names: Vec<_> = offers.iter().map(|offer| offer.name.as_str()).collect();
    assert_eq!(names, ["card", "paypay"]);
    let why = |status: u16, body: &Value| (check.decode)(&response(status, body)).expect_err("it does not work");
    assert_eq!(why(401, &json!({})), "PAY.JP does not know this key");
    assert_eq!(why(503, &json!({})), "PAY.JP answers 503");
    assert_eq!(why(200, &json!([])), "PAY.JP answers something else");
}
