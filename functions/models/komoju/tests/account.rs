//! Who may ask, what is asked once, and what is refused.

use kessai_shared::gateways::komoju::KOMOJU;
use kessai_shared::gateways::{Intent, Offer};
use kessai_shared::payment::asked::Details;
use kessai_shared::payment::{Kind, Outcome};
use serde_json::{Value, json};

use super::{DAY_MS, URL, World, is, visa, with_account};
use crate::models::{Model, answered, arriving};

#[test]
fn the_same_request_of_a_key_acts_once_a_day() {
    let (mut world, none) = (World::new(), Details::default());
    let (card, other) = (visa(), visa());
    world.asked = 1;
    let first = Intent { instrument: Some(&card), ..world.intent(&Kind::Sale, 1_000, &none) };
    let again = Intent { duplicate: true, instrument: Some(&other), ..world.intent(&Kind::Sale, 1_000, &none) };
    let approved = world.ask(&first);
    is(&approved, "approved", "captured");
    world.pass(DAY_MS - 1);
    assert_eq!(world.ask(&again), approved);
    assert_eq!((world.effects().len(), world.told().len()), (1, 1));
    let another = Intent { instrument: Some(&card), ..world.intent(&Kind::Sale, 999, &none) };
    is(&world.ask(&another), "declined", "unprocessable_entity");
    world.pass(1);
    is(&world.ask(&again), "approved", "captured");
    assert_eq!(world.effects().len(), 2, "after a day a key means nothing");

    let declined = Intent { instrument: Some(&card), key: "d".to_owned(), ..world.intent(&Kind::Sale, 9_001, &none) };
    is(&world.ask(&declined), "declined", "card_declined");
    let again = world.ask(&Intent { duplicate: true, ..declined });
    assert_eq!(again, Outcome::Unknown, "it is not said that a refusal is found again");
}

#[test]
fn an_account_shows_its_ways_to_pay_to_whoever_has_its_key() {
    let mut world = World::new();
    let check = KOMOJU.check.expect("an account can be tried");
    let request = with_account(check.encode);
    let offers = (check.decode)(&answered(world.sent(&request))).expect("it works");
    let konbini =
        Offer { name: "konbini".to_owned(), label: "Convenience Store".to_owned(), currency: Some("JPY".to_owned()) };
    assert!(offers.contains(&konbini), "{offers:?}");
    for user in ["", "Bearer sk_123", "Basic", "Basic !", "Basic OnNrXzEyMw==", "Basic cGtfMTIzOg=="] {
        let mut arrived = arriving(&request, URL);
        arrived.headers.insert("authorization".to_owned(), user.to_owned());
        let answer = world.model.handle(&arrived, world.now_ms);
        let body: Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!((answer.status, body["error"]["code"].as_str()), (401, Some("unauthorized")), "{user}");
        assert!((check.decode)(&answered(answer)).is_err());
    }
}

#[test]
fn what_komoju_refuses_is_refused_by_its_codes() {
    let card = json!({"type": "credit_card", "number": "4111111111111111", "month": 8, "year": 2030});
    let least = || json!({"amount": 1_000, "currency": "JPY", "payment_details": card});
    let with = |name: &str, value: Value| {
        let mut body = least();
        body[name] = value;
        body
    };
    let paid_by = |changes: Value| {
        let mut details = card.clone();
        for (name, value) in changes.as_object().expect("an object") {
            details[name] = value.clone();
        }
        with("payment_details", details)
    };
    let rows = [
        (with("amount", json!(null)), "missing_parameter"),
        (with("amount", json!("1000")), "invalid_amount"),
        (with("amount", json!(-1)), "invalid_amount"),
        (with("currency", json!(null)), "missing_parameter"),
        (with("currency", json!("KES")), "invalid_currency"),
        (with("capture", json!("no")), "invalid_capture"),
        (with("payment_details", json!(null)), "missing_parameter"),
        (with("payment_details", json!(7)), "invalid_payment_details"),
        (with("payment_details", json!({"type": "barter"})), "invalid_type"),
        (with("payment_details", json!({"type": "konbini", "email": "a@b.c"})), "missing_parameter"),
        (with("payment_details", json!({"type": "konbini", "store": "a-mart", "email": "a@b.c"})), "invalid_store"),
        (with("payment_details", json!({"type": "pay_easy", "email": "a@b.c"})), "missing_parameter"),
        (with("customer", json!("cus1")), "unprocessable_entity"),
        (with("metadata", json!({"x".repeat(31): "y"})), "invalid_metadata"),
        (with("metadata", json!({"x": 7})), "invalid_metadata"),
        (with("colour", json!("red")), "invalid_colour"),
        (paid_by(json!({"number": "4111111111111112"})), "invalid_number"),
        (paid_by(json!({"month": 13})), "invalid_month"),
        (paid_by(json!({"initiator": "nobody"})), "invalid_initiator"),
        (paid_by(json!({"usage": "often"})), "invalid_usage"),
        (paid_by(json!({"pin": "1234"})), "invalid_pin"),
        (json!([]), "bad_request"),
    ];
    for (body, expected) in rows {
        let mut world = World::new();
        let (status, answer) = world.raw("POST", "/payments", &body);
        assert_eq!(answer["error"]["code"], expected, "{body}");
        assert!((400..=422).contains(&status) && world.effects().is_empty(), "{body}");
    }
    let mut held = least();
    held["capture"] = json!(false);
    held["payment_details"] = json!({"type": "konbini", "store": "lawson", "email": "a@b.c"});
    let mut world = World::new();
    assert_eq!(world.raw("POST", "/payments", &held).1["error"]["code"], "unprocessable_entity");
    held["payment_details"] = card.clone();
    let (_, made) = world.raw("POST", "/payments", &held);
    let id = made["id"].as_str().expect("an id").to_owned();
    let over = world.raw("POST", &format!("/payments/{id}/capture"), &json!({"amount": 1_001}));
    assert_eq!((over.0, over.1["error"]["code"].as_str()), (422, Some("invalid_amount")));
    let unpaid = world.raw("POST", &format!("/payments/{id}/refund"), &json!({"amount": 1}));
    assert_eq!((unpaid.0, unpaid.1["error"]["code"].as_str()), (422, Some("not_refundable")));
    for path in ["/payments/nobody", "/payments/nobody/capture", "/barcodes", "/payers/nobody/approve"] {
        let (status, answer) = world.raw("POST", path, &json!({}));
        assert_eq!((status, answer["error"]["code"].as_str()), (404, Some("not_found")), "{path}");
    }
}
