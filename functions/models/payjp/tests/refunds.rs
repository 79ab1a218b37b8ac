//! Refunds: how much, how long, and when they are certain.

use kessai_shared::payment::{Kind, Outcome};
use serde_json::{Value, json};

use super::{Done, Shop, capture, refund, text};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn refunded_directly(shop: &mut Shop, sold: &Done, amount: &Value) -> (u16, Value) {
    shop.post("/v2/payment_refunds", None, &json!({"payment_flow_id": sold.name, "amount": amount}))
}

#[test]
fn no_more_is_given_back_than_was_taken() {
    let mut shop = Shop::new();
    let held = shop.approved(&Kind::Authorize, 1_200, None);
    let taken = shop.approved(&capture(), 1_000, Some(&held));
    let (status, refused) = refunded_directly(&mut shop, &taken, &json!(1_001));
    assert_eq!((status, text(&refused["code"])), (400, "refund_exceeds_payment"));
    let (status, made) = refunded_directly(&mut shop, &taken, &json!(null));
    assert_eq!((status, &made["amount"]), (200, &json!(1_000)), "all, where nothing is said");
    let (status, refused) = refunded_directly(&mut shop, &taken, &json!(1));
    assert_eq!((status, text(&refused["code"])), (400, "already_refunded"));
}

#[test]
fn the_form_of_the_guide_does_the_same() {
    let mut shop = Shop::bare(&[("secretKey", "sk_test_1"), ("refunds", "refunds")]);
    shop.post(
        "/v2/payment_methods",
        None,
        &json!({"type": "card",
        "card": {"number": super::CARD, "exp_month": 12, "exp_year": 2030, "cvc": "123"},
        "billing_details": {"phone": "+81300000000"}}),
    );
    shop.post("/v2/customers", None, &json!({"id": "cus_carol", "payment_method_id": "pm_aaaaaaaaaaab"}));
    let sold = shop.approved(&Kind::Sale, 1_200, None);
    let given = shop.approved(&refund(), 500, Some(&sold));
    assert!(matches!(shop.look_up(&refund(), 500, Some(&sold), &given), Outcome::Approved(_)));
}

#[test]
fn paypay_takes_the_payer_and_its_refunds_their_time() {
    let mut shop = Shop::with_paypay();
    let Outcome::ActionRequired(answer, action) = shop.act(&Kind::Sale, 1_200, None) else {
        panic!("the payer is asked")
    };
    let opened = shop.done(&answer, 1_200);
    assert_eq!(shop.visit(&action, "/approve"), 200);
    let Outcome::Approved(answer) = shop.look_up(&Kind::Sale, 1_200, None, &opened) else { panic!("it is paid") };
    let sold = Done { details: answer.reference_details, ..opened };
    let Outcome::Accepted(answer) = shop.act(&refund(), 400, Some(&sold)) else { panic!("it is pending") };
    let given = shop.done(&answer, 400);
    assert_eq!(shop.ledger().len(), 1);
    shop.wait(5_000);
    assert_eq!(shop.look_up(&refund(), 400, Some(&sold), &given).name(), "approved");
    assert_eq!(shop.ledger().len(), 2);
}

#[test]
fn a_refund_may_fail_after_all() {
    let mut shop = Shop::new();
    let sold = shop.approved(&Kind::Sale, 50_000, None);
    assert_eq!(shop.act(&refund(), 9_001, Some(&sold)).name(), "declined");
    let Outcome::Accepted(answer) = shop.act(&refund(), 9_019, Some(&sold)) else { panic!("it is pending") };
    let given = shop.done(&answer, 9_019);
    shop.wait(5_000);
    assert_eq!(shop.look_up(&refund(), 9_019, Some(&sold), &given).name(), "declined");
    assert_eq!(shop.ledger().len(), 1, "nothing was given back");
    shop.approved(&refund(), 50_000, Some(&sold));
}

#[test]
fn there_is_a_last_day_for_both() {
    let mut shop = Shop::new();
    let sold = shop.approved(&Kind::Sale, 1_200, None);
    shop.wait(180 * DAY_MS);
    assert_eq!(refunded_directly(&mut shop, &sold, &json!(1)).0, 200);
    shop.wait(1);
    assert_eq!(refunded_directly(&mut shop, &sold, &json!(1)).0, 422);

    let mut shop = Shop::with_paypay();
    let Outcome::ActionRequired(answer, action) = shop.act(&Kind::Sale, 1_200, None) else {
        panic!("the payer is asked")
    };
    let sold = shop.done(&answer, 1_200);
    shop.visit(&action, "/approve");
    // 2026-09-21 in Tokyo, so to the end of 2027-09-21 there: 15:00 in Greenwich.
    shop.now_ms = 1_821_538_800_000 - 1;
    assert_eq!(refunded_directly(&mut shop, &sold, &json!(1)).0, 200);
    shop.wait(1);
    assert_eq!(refunded_directly(&mut shop, &sold, &json!(1)).0, 422);
}
