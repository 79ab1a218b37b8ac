//! Who may ask, and what it is to ask again.

use serde_json::{Value, json};

use super::{START_MS, Shop, text};
use crate::models::{Model, Request};

fn sale(amount: i64) -> Value {
    json!({"amount": amount, "currency": "jpy", "customer_id": "cus_carol", "confirm": true})
}

const FLOWS: &str = "/v2/payment_flows";

#[test]
fn a_request_that_comes_again_is_answered_as_before_and_moves_nothing() {
    let mut shop = Shop::new();
    let first = shop.post(FLOWS, Some("k-1"), &sale(1_200));
    shop.wait(24 * 60 * 60 * 1_000 - 1);
    assert_eq!(shop.post(FLOWS, Some("k-1"), &sale(1_200)), first);
    assert_eq!(shop.ledger().len(), 1);
    let (status, other) = shop.post(FLOWS, Some("k-1"), &sale(1_300));
    assert_eq!((status, text(&other["code"])), (409, "idempotency_conflict"));
    let (status, other) = shop.post("/v2/payment_refunds", Some("k-1"), &sale(1_200));
    assert_eq!((status, text(&other["code"])), (409, "idempotency_conflict"));
    shop.wait(1);
    assert_ne!(shop.post(FLOWS, Some("k-1"), &sale(1_200)), first, "a key is forgotten after a day");
}

#[test]
fn a_decline_is_remembered_and_what_could_not_be_read_is_not() {
    let mut shop = Shop::new();
    let declined = shop.post(FLOWS, Some("k-1"), &sale(9_001));
    assert_eq!(declined.0, 402);
    assert_eq!(shop.post(FLOWS, Some("k-1"), &sale(9_001)), declined);
    assert_eq!(shop.post(FLOWS, Some("k-2"), &sale(1)).0, 422);
    assert_eq!(shop.post(FLOWS, Some("k-2"), &sale(1_200)).0, 200);
    for key in ["k 1", "k/1", &"k".repeat(256)] {
        let (status, refused) = shop.post(FLOWS, Some(key), &sale(1_200));
        assert_eq!((status, text(&refused["code"])), (400, "invalid_idempotency_key"), "{key}");
    }
}

#[test]
fn only_secret_keys_are_let_in_and_each_mode_is_a_world_of_its_own() {
    let mut shop = Shop::new();
    let (_, made) = shop.post(FLOWS, None, &sale(1_200));
    let path = format!("/v2/payment_flows/{}", text(&made["id"]));
    let mut get = |authorization: &str| {
        let headers = [("authorization".to_owned(), authorization.to_owned())].into();
        let request = Request { method: "GET".to_owned(), path: path.clone(), headers, ..Request::default() };
        shop.model.handle(&request, START_MS).status
    };
    // `sk_test_2:` and `pk_test_1:`.
    let rows = [
        ("Bearer sk_test_2", 200),
        ("Basic c2tfdGVzdF8yOg==", 200),
        ("Bearer sk_live_2", 404),
        ("Basic cGtfdGVzdF8xOg==", 401),
        ("Bearer pk_test_1", 401),
        ("Bearer sk_test_", 401),
        ("Bearer ", 401),
        ("", 401),
        ("Digest x", 401),
    ];
    for (authorization, status) in rows {
        assert_eq!(get(authorization), status, "{authorization}");
    }
}
