//! What is genuine and about nothing that is known is kept for a while, a little of it, and matched when what it is about
//! appears.

use std::time::Duration;

use kessai_functions::follow_up;
use kessai_functions::sandbox::{SIGNATURE_HEADER, envelope};
use kessai_shared::ids::{Ordinal, PaymentId, PaymentKey, Record};
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::stored::Item;
use kessai_shared::stored::event::TTL;
use serde_json::{Value, json};
use ureq::http::Request;

use super::{TAKEN, Told, dispute, failed, operation};
use crate::in_process::NOTICE_SECRET;

const MONTH_SECONDS: i64 = 30 * 24 * 60 * 60;

fn later(told: &Told, name: &str) -> (PaymentId, String) {
    let payment = PaymentId::opened_by(&told.0.merchant, &IdempotencyKey::parse(name).expect("a key"));
    (payment, Record::Payment.id(payment, Ordinal::FIRST).to_string())
}

fn kept(told: &Told) -> Vec<Item> {
    told.0.archive.items()
}

#[tokio::test]
async fn a_little_of_what_matches_nothing_is_kept_for_a_month_and_never_a_token() {
    let told = Told::new().await;
    let (_, id) = later(&told, "never");
    let began = told.0.now().as_millis() / 1000;
    let (answer, spent) = told.tell(&[failed(&id)]).await;
    Told::hears(&answer, TAKEN, "unknown");
    assert_eq!((spent.payments.writes, kept(&told).len()), (0, 1));
    let ttl = kept(&told)[0].number(TTL).expect("an end");
    let ended = told.0.now().as_millis() / 1000;
    assert!((began + MONTH_SECONDS..=ended + MONTH_SECONDS).contains(&ttl), "{ttl}");
    // The same again is the same.
    told.tell(&[failed(&id), failed(&id)]).await;
    assert_eq!(kept(&told).len(), 1);
    for number in 0..20 {
        let mut another = dispute(&id, "opened", 100);
        another["dispute"] = json!(format!("D{number}"));
        let (answer, _) = told.tell(&[another]).await;
        Told::hears(&answer, TAKEN, "one more");
    }
    assert_eq!(kept(&told).len(), 8, "no more than eight of one name");
    let (_, another) = later(&told, "another");
    told.tell(&[operation(&another, "approved")]).await;
    assert_eq!(kept(&told).len(), 9, "others have their own");
    let mut token = operation("03O00000000000000A", "approved");
    token["token"] = json!("tok_secret");
    let mut beside = operation("elsewhere", "approved");
    beside["token"] = json!("tok_secret");
    told.tell(&[token, beside, operation("", "approved"), operation(&"x".repeat(300), "approved")]).await;
    assert_eq!(kept(&told).len(), 10);
    assert!(!format!("{:?}", kept(&told)).contains("tok_secret"));
}

#[tokio::test]
async fn a_look_at_what_is_open_takes_what_was_kept_before_it_asks_the_gateway() {
    let told = Told::new().await;
    let (payment, id) = later(&told, "early");
    let of = |class: &str, status: &str| {
        (told.path(class), envelope(&[operation(&id, status)], &[NOTICE_SECRET], told.0.now().as_millis()))
    };
    // What another gateway tells of it is kept, too, and stays another's.
    for (path, notice) in [of("KEYED", "approved"), of("LOOK_UP", "declined")] {
        let (answer, _) = told.send(&path, notice.body.as_bytes(), &notice.signature).await;
        Told::hears(&answer, TAKEN, &path);
    }
    let script = json!({ "next": [{ "fault": "lost-answer" }] });
    let request = Request::post(format!("{}/faults", told.0.sandbox_url())).header("content-type", "application/json");
    ureq::agent().run(request.body(script.to_string()).expect("a request")).expect("the sandbox answers");
    let opening = json!({
        "amount": 50, "currencyIsoCode": "USD", "paymentGatewayId": told.0.gateways["LOOK_UP"].to_string(),
        "paymentMethod": { "cardPaymentMethod": { "cardNumber": "4242424242424242", "expiryMonth": 12, "expiryYear": 2030 } },
        "idempotencyKey": "early",
    });
    let (status, heard) = told.ask("POST", "sales", &opening).await;
    assert_eq!((status, heard["payment"]["id"].as_str()), (202, Some(id.as_str())), "{heard}");
    told.0.advance(Duration::from_secs(120)).await;
    let key = PaymentKey { merchant: told.0.merchant, payment };
    follow_up::look(&told.0.invocation(), key, told.0.deadline()).await.expect("a look");
    // The gateway would have said that it approved.
    assert_eq!(told.status(&id).await, "Failed");
}

#[tokio::test]
async fn what_was_told_of_a_browsers_authorization_is_matched_when_that_is_registered() {
    let told = Told::new().await;
    let authorized = json!({
        "amount": 7500, "currency": "EUR",
        "card": { "number": "4242424242424242", "expiryMonth": 12, "expiryYear": 2030 },
    });
    let url = format!("{}/keyed/client-authorizations", told.0.sandbox_url());
    let request = Request::post(url).header("content-type", "application/json").body(authorized.to_string());
    let mut answer = ureq::agent().run(request.expect("a request")).expect("the sandbox answers");
    let answer: Value = serde_json::from_str(&answer.body_mut().read_to_string().expect("a body")).expect("JSON");
    let reference = answer["id"].as_str().expect("an id");
    let payment = PaymentId::opened_by(&told.0.merchant, &IdempotencyKey::parse("registered").expect("a key"));
    let id = Record::Authorization.id(payment, Ordinal::FIRST).to_string();
    // Under the name that it has there, and under ours.
    let (answer, _) = told.tell(&[dispute(reference, "opened", 100), failed(&id)]).await;
    Told::hears(&answer, TAKEN, "before it is registered");
    let body = json!({
        "accountId": "001000000000001", "amount": 75, "currencyIsoCode": "EUR",
        "paymentGatewayId": told.0.gateways["KEYED"].to_string(), "additionalData": { "reference": reference },
        "paymentMethod": { "id": "03O000000000000" }, "idempotencyKey": "registered",
    });
    let (status, heard) = told.ask("POST", "postAuths", &body).await;
    assert_eq!(status, 201, "{heard}");
    let sequels = async || {
        let (_, read) = told.ask("GET", &format!("authorizations/{id}"), &Value::Null).await;
        assert_eq!(read["paymentAuthorization"]["failedAfterSuccess"], true, "{read}");
        let sequels = read["operations"][0]["sequels"].as_array().cloned().unwrap_or_default();
        sequels.iter().map(|sequel| sequel["type"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sequels().await, ["failed", "dispute.opened"]);
    // Asked again, it is looked for again, and nothing is new.
    let (status, _) = told.ask("POST", "postAuths", &body).await;
    assert_eq!((status, sequels().await.len()), (201, 2));
}

/// The header is the sandbox's, so that a change of its name is seen here.
#[test]
fn the_signature_is_where_the_adapter_looks_for_it() {
    assert_eq!(SIGNATURE_HEADER, "x-sandbox-signature");
}
