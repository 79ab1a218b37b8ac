//! Payments from their beginning to their end.

use kessai_shared::ids::Record;
use kessai_shared::payment::{Decline, Kind, Outcome};
use serde_json::json;

use super::{Shop, added, capture, reference, refund, reverse, stored, text};
use crate::models::Act;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

#[test]
fn a_hold_is_captured_in_part_and_that_is_refunded_in_parts() {
    let mut shop = Shop::new();
    let held = shop.approved(&Kind::Authorize, 1_200, None);
    let taken = shop.approved(&capture(), 1_000, Some(&held));
    assert_eq!(taken.name, held.name, "a capture is known by its flow");
    shop.approved(&refund(), 400, Some(&taken));
    shop.approved(&refund(), 600, Some(&taken));
    let expected = [
        (Act::Authorize, reference(Record::Authorization, 1), 1_200),
        (Act::Capture, reference(Record::Authorization, 1), 1_000),
        (Act::Refund, reference(Record::Refund, 3), 400),
        (Act::Refund, reference(Record::Refund, 4), 600),
    ];
    assert_eq!(shop.ledger(), expected);
}

#[track_caller]
fn refused(outcome: Outcome, decline: Decline, code: &str) {
    match outcome {
        Outcome::Declined(told, answer) => assert_eq!((told, answer.code.as_deref()), (decline, Some(code))),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_status_does_not_allow_is_refused() {
    let mut shop = Shop::new();
    let held = shop.approved(&Kind::Authorize, 1_200, None);
    refused(shop.act(&refund(), 100, Some(&held)), Decline::InvalidData, "invalid_status");
    refused(shop.act(&capture(), 1_201, Some(&held)), Decline::InvalidData, "validation_error");
    let released = shop.approved(&reverse(), 1_200, Some(&held));
    assert_eq!(released.name, held.name);
    refused(shop.act(&capture(), 1_200, Some(&held)), Decline::InvalidData, "invalid_status");
    refused(shop.act(&reverse(), 1_200, Some(&held)), Decline::InvalidData, "invalid_status");

    let sold = shop.approved(&Kind::Sale, 1_200, None);
    refused(shop.act(&capture(), 1_200, Some(&sold)), Decline::InvalidData, "invalid_status");
    let unknown = super::Done { name: "pfw_nowhere".to_owned(), ..sold };
    refused(shop.act(&capture(), 1_200, Some(&unknown)), Decline::InvalidData, "not_found");
}

#[test]
fn a_hold_runs_out_after_a_week_or_a_month() {
    for (extended, days) in [(None, 7), (Some("if_available"), 30)] {
        let mut shop = Shop::new();
        let details = extended.map(|how| added("extendedAuthorization", how)).unwrap_or_default();
        let Outcome::Approved(answer) = shop.act_with(&Kind::Authorize, 1_200, None, &details) else {
            panic!("it is approved")
        };
        let held = shop.done(&answer, 1_200);
        shop.wait(days * DAY_MS - 1);
        assert!(matches!(shop.look_up(&Kind::Authorize, 1_200, None, &held), Outcome::Approved(_)));
        shop.wait(1);
        refused(shop.look_up(&Kind::Authorize, 1_200, None, &held), Decline::Soft, "expired");
        refused(shop.act(&capture(), 1_200, Some(&held)), Decline::InvalidData, "invalid_status");
    }
}

#[test]
fn cards_and_amounts_are_declined_and_nothing_moves() {
    for kind in [Kind::Authorize, Kind::Sale] {
        let mut shop = Shop::with_card("4000000000080319");
        refused(shop.act(&kind, 1_200, None), Decline::Soft, "card_declined");
        assert!(shop.ledger().is_empty());
        let mut shop = Shop::new();
        refused(shop.act(&kind, 9_001, None), Decline::Soft, "card_declined");
        refused(shop.act(&kind, 19_004, None), Decline::InvalidData, "expired_card");
        shop.instrument = stored("cus_nobody/pm_nobody");
        refused(shop.act(&kind, 1_200, None), Decline::InvalidData, "not_found");
        shop.instrument = stored("cus_carol/pm_nobody");
        refused(shop.act(&kind, 1_200, None), Decline::InvalidData, "not_found");
        shop.instrument = stored("cus_carol/");
        assert!(matches!(shop.act(&kind, 1_200, None), Outcome::Approved(_)), "the customer's default is charged");
        assert_eq!(shop.ledger().len(), 1);
    }
}

#[test]
fn a_method_must_be_of_a_type_that_is_allowed() {
    let mut shop = Shop::new();
    let details = added("paymentMethodType", "paypay");
    let told = shop.act_with(&Kind::Sale, 1_200, None, &details);
    refused(told, Decline::InvalidData, "payment_method_not_in_allowed_types");
}

#[test]
fn a_verdict_may_come_later() {
    for kind in [Kind::Authorize, Kind::Sale] {
        for (minor, expected) in [(9_018, "approved"), (9_019, "declined"), (9_021, "approved")] {
            let mut shop = Shop::new();
            let Outcome::Accepted(answer) = shop.act(&kind, minor, None) else { panic!("it is open") };
            let done = shop.done(&answer, minor);
            shop.wait(4_999);
            assert_eq!(shop.look_up(&kind, minor, None, &done).name(), "accepted");
            assert!(shop.ledger().is_empty());
            shop.wait(1);
            assert_eq!(shop.look_up(&kind, minor, None, &done).name(), expected, "{minor}");
            assert_eq!(shop.ledger().is_empty(), expected == "declined");
        }
    }
}

#[test]
fn a_payer_decides_once_and_in_time() {
    for (decision, expected) in [("/approve", "approved"), ("/decline", "declined")] {
        for (minor, details) in
            [(9_022, added("returnUrl", "https://shop.test")), (1_200, added("threeDSecure", "any"))]
        {
            let mut shop = Shop::new();
            let Outcome::ActionRequired(answer, action) = shop.act_with(&Kind::Sale, minor, None, &details) else {
                panic!("the payer is asked")
            };
            let done = shop.done(&answer, minor);
            assert_eq!(shop.look_up(&Kind::Sale, minor, None, &done).name(), "action required");
            assert_eq!(shop.visit(&action, "/other"), 404);
            assert_eq!((shop.visit(&action, decision), shop.visit(&action, "/approve")), (200, 409));
            assert_eq!(shop.look_up(&Kind::Sale, minor, None, &done).name(), expected);
            assert_eq!(shop.ledger().is_empty(), expected == "declined");
        }
    }
    let mut shop = Shop::new();
    let Outcome::ActionRequired(answer, action) = shop.act(&Kind::Authorize, 9_022, None) else {
        panic!("the payer is asked")
    };
    let done = shop.done(&answer, 9_022);
    shop.wait(15 * 60 * 1_000);
    assert_eq!(shop.visit(&action, "/approve"), 409);
    refused(shop.look_up(&Kind::Authorize, 9_022, None, &done), Decline::Soft, "three_d_secure_failed");
}

#[test]
fn a_flow_of_a_browser_is_registered_if_it_is_the_one() {
    let mut shop = Shop::new();
    let flow = json!({
        "amount": 1_200, "currency": "jpy", "capture_method": "manual", "customer_id": "cus_carol",
        "metadata": {"order": "A-1"},
    });
    let (_, made) = shop.post("/v2/payment_flows", None, &flow);
    let details = added("reference", text(&made["id"]));
    let told = shop.act_with(&Kind::PostAuthorize, 1_200, None, &details);
    refused(told, Decline::Soft, "not_authorized");
    let path = format!("/v2/payment_flows/{}/confirm", text(&made["id"]));
    assert_eq!(shop.post(&path, None, &json!({})).0, 200);
    assert_eq!(shop.post(&path, None, &json!({})).0, 400, "once");
    refused(shop.act_with(&Kind::PostAuthorize, 1_300, None, &details), Decline::InvalidData, "amount_mismatch");
    let Outcome::Approved(answer) = shop.act_with(&Kind::PostAuthorize, 1_200, None, &details) else {
        panic!("it is held")
    };
    let held = shop.done(&answer, 1_200);
    let taken = shop.approved(&capture(), 1_200, Some(&held));
    shop.approved(&refund(), 1_200, Some(&taken));
    let unknown = added("reference", "pfw_nowhere");
    refused(shop.act_with(&Kind::PostAuthorize, 1_200, None, &unknown), Decline::InvalidData, "not_found");
}

#[test]
fn what_is_of_the_wrong_type_or_missing_is_refused_by_name() {
    let mut shop = Shop::new();
    let rows = [
        ("/v2/payment_flows", json!({"currency": "jpy"}), "amount"),
        ("/v2/payment_flows", json!({"amount": 49, "currency": "jpy"}), "amount"),
        ("/v2/payment_flows", json!({"amount": "50", "currency": "jpy"}), "amount"),
        ("/v2/payment_flows", json!({"amount": 50}), "currency"),
        ("/v2/payment_flows", json!({"amount": 50, "currency": "usd"}), "currency"),
        ("/v2/payment_flows", json!({"amount": 50, "currency": "jpy", "confirm": "true"}), "confirm"),
        (
            "/v2/payment_flows",
            json!({"amount": 50, "currency": "jpy", "payment_method_id": "pm_1"}),
            "payment_method_id",
        ),
        (
            "/v2/payment_flows",
            json!({"amount": 50, "currency": "jpy", "return_url": "https://shop.test"}),
            "return_url",
        ),
        ("/v2/payment_flows", json!({"amount": 50, "currency": "jpy", "metadata": {"a": {}}}), "metadata"),
        ("/v2/payment_refunds", json!({"payment_flow": "pfw_1"}), "payment_flow_id"),
        ("/v2/refunds", json!({"payment_flow_id": "pfw_1"}), "payment_flow"),
        ("/v2/payment_methods", json!({"type": "card", "card": {"number": "1"}}), "card.number"),
        ("/v2/customers", json!({"id": "a b"}), "id"),
        ("/v2/customers", json!({"email": "nobody"}), "email"),
    ];
    for (path, body, field) in rows {
        let (status, value) = shop.post(path, None, &body);
        assert_eq!((status, text(&value["code"])), (422, "validation_error"), "{path} {body}");
        assert_eq!(value["errors"][0]["field"], json!(field), "{path} {body}");
    }
    assert_eq!(shop.post("/v2/subscriptions", None, &json!({})).0, 404, "version 2 has none");
}
