//! What KOMOJU tells unasked, and who is believed to be KOMOJU.

use std::path::Path;

use serde_json::{Value, json};

use super::{PAYMENT, name, payment, refunded, requested};
use crate::card::Secret;
use crate::gateways::komoju::KOMOJU;
use crate::gateways::signatures::komoju;
use crate::gateways::{Items, News, NotTaken, RawNotice, Told, Unreadable};
use crate::ids::Record;
use crate::payment::sequel::{Stage, What};
use crate::payment::tests::fixtures::START;
use crate::payment::{Outcome, Sequel};

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn read(body: &[u8], signature: Option<&str>) -> Result<Items, NotTaken> {
    let header = |name: &str| signature.filter(|_| name == "x-komoju-signature");
    let raw = RawNotice { body, header: &header, now: START };
    (KOMOJU.notice.expect("it tells").read)(&raw, &[secret("first"), secret("second")])
}

/// What each item of a signed event tells: of what, and in one word what.
fn told(event: &Value) -> Vec<(String, String)> {
    let body = event.to_string();
    let signature = komoju(body.as_bytes(), &secret("second")).expect("signed");
    let items = read(body.as_bytes(), Some(&signature)).expect("it is signed");
    let tell = |told: Told| {
        let notice = told.notice().expect("nothing is left open");
        let what = match &notice.news {
            News::Outcome(outcome) => {
                let reference = outcome.answer().and_then(|answer| answer.reference.as_deref());
                format!("{} {}", outcome.name(), reference.unwrap_or_default())
            }
            News::Sequel(sequel) => format!("{} {}", sequel.what.name(), sequel.id),
            News::Token(outcome, token) => {
                format!("token {} {}", outcome.name(), token.as_ref().map_or("", Secret::reveal))
            }
        };
        (notice.reference, what)
    };
    items.into_iter().map(|item| tell(item.expect("it can be read"))).collect()
}

fn event(kind: &str, data: &Value) -> Value {
    json!({"id": "e1", "type": kind, "resource": "event", "data": data, "created_at": "2026-09-21T13:33:31Z", "reason": null})
}

fn check(kind: &str, changes: &Value, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(of, what)| ((*of).to_owned(), (*what).to_owned())).collect();
    assert_eq!(told(&event(kind, &payment(changes))), expected, "{kind} {changes}");
}

#[test]
fn a_notice_is_taken_from_whoever_knows_a_secret() {
    let body = event("payment.captured", &payment(&json!({}))).to_string();
    let signed = |by: &str| komoju(body.as_bytes(), &secret(by));
    for by in ["first", "second"] {
        assert!(read(body.as_bytes(), signed(by).as_deref()).is_ok(), "{by}");
    }
    for signature in [signed("another"), Some(String::new()), None] {
        assert!(matches!(read(body.as_bytes(), signature.as_deref()), Err(NotTaken::Forged)), "{signature:?}");
    }
    let signature = signed("first");
    for place in 0..body.len() * 8 {
        let mut flipped = body.clone().into_bytes();
        flipped[place / 8] ^= 1 << (place % 8);
        assert!(matches!(read(&flipped, signature.as_deref()), Err(NotTaken::Forged)), "bit {place}");
    }
}

#[test]
fn a_payment_tells_of_the_sale_that_opened_it() {
    let sale = name(Record::Payment, 0);
    let approved = format!("approved {PAYMENT}");
    let konbini = json!({"type": "konbini", "instructions_url": "https://komoju.com/instructions/1"});
    check("payment.captured", &json!({}), &[(&sale, &approved)]);
    check("payment.updated", &json!({"status": "refunded"}), &[(&sale, &approved)]);
    let waiting =
        json!({"status": "authorized", "payment_details": konbini, "payment_deadline": "2026-09-24T14:59:59Z"});
    check("payment.authorized", &waiting, &[(&sale, &format!("action required {PAYMENT}"))]);
    check("payment.authorized", &json!({"status": "authorized"}), &[(&sale, &format!("accepted {PAYMENT}"))]);
    let declined = format!("declined {PAYMENT}");
    for (kind, status) in
        [("payment.cancelled", "cancelled"), ("payment.expired", "expired"), ("payment.failed", "failed")]
    {
        check(kind, &json!({"status": status}), &[(&sale, &declined)]);
    }
    let wallet = json!({"type": "paypay", "redirect_url": "https://komoju.com/redirect/1"});
    // One try of the payer, who has a page for another.
    let waits = format!("action required {PAYMENT}");
    check("payment.failed", &json!({"status": "failed", "payment_details": wallet}), &[(&sale, &waits)]);
    check("payment.expired", &json!({"status": "expired", "payment_details": wallet}), &[(&sale, &declined)]);
    check("payment.cancelled", &json!({"status": "cancelled", "payment_details": wallet}), &[(&sale, &declined)]);
    check("payment.failed", &json!({"status": "pending"}), &[(&sale, &format!("accepted {PAYMENT}"))]);
    check("payment.marked.as.fraud", &json!({"status": "of another kind"}), &[]);
}

#[test]
fn a_hold_is_told_of_until_it_ends() {
    let hold = name(Record::Authorization, 0);
    let held = |status: &str| json!({"status": status, "external_order_num": hold});
    let approved = format!("approved {PAYMENT}");
    check("payment.authorized", &held("authorized"), &[(&hold, &approved)]);
    check("payment.captured", &held("captured"), &[(&hold, &approved)]);
    for status in ["cancelled", "expired", "failed"] {
        check("payment.updated", &held(status), &[]);
    }
}

#[test]
fn a_payment_of_a_browser_is_told_of_by_its_id() {
    let theirs = |status: &str| json!({"status": status, "external_order_num": "ORDER-1"});
    check("payment.authorized", &theirs("authorized"), &[(PAYMENT, &format!("approved {PAYMENT}"))]);
    check("payment.cancelled", &theirs("cancelled"), &[]);
}

#[test]
fn refunds_are_told_of_by_our_names_and_others_are_not_ours() {
    let (sale, approved) = (name(Record::Payment, 0), format!("approved {PAYMENT}"));
    let (one, other) = (name(Record::Refund, 1), name(Record::Refund, 2));
    let refunds = json!({"refunds": [
        refunded("r1", 400, &json!(one), false),
        refunded("r2", 100, &json!("by hand"), false),
        refunded("r3", 100, &json!(null), false),
        refunded("r4", 400, &json!(other), false),
    ]});
    let expected = [(sale.as_str(), approved.as_str()), (&one, "approved r1"), (&other, "approved r4")];
    check("payment.refund.created", &refunds, &expected);
    check("payment.refunded", &refunds, &expected);

    // What was requested is told of once, though it is listed as a refund too.
    let by_bank = |status: &str| {
        json!({
            "refunds": [refunded("r1", 400, &json!(one), false)], "refund_requests": [requested("q1", status, &one)],
        })
    };
    let rows = [("pending", "accepted q1"), ("completed", "approved q1"), ("rejected", "declined q1")];
    for (status, what) in rows {
        check("payment.updated", &by_bank(status), &[(&sale, &approved), (&one, what)]);
        check("refund_request.updated", &by_bank(status), &[(&sale, &approved), (&one, what)]);
        let alone = event("refund_request.updated", &requested("q1", status, &one));
        assert_eq!(told(&alone), [(one.clone(), what.to_owned())]);
    }
    assert_eq!(told(&event("refund_request.updated", &requested("q1", "pending", "by hand"))), []);
    assert_eq!(told(&event("refund_request.updated", &requested("q1", "of another kind", &one))), []);
}

/// Of how much each item tells, in its own words.
fn amounts(changes: &Value) -> Vec<Result<Option<(i64, &'static str)>, Unreadable>> {
    let body = event("payment.updated", &payment(changes)).to_string();
    let signature = komoju(body.as_bytes(), &secret("second")).expect("signed");
    let items = read(body.as_bytes(), Some(&signature)).expect("it is signed").into_iter();
    let said = |told: Told| told.notice()?.amount.map(|amount| (amount.minor, amount.currency.code()));
    items.map(|item| item.map(said)).collect()
}

#[test]
fn a_payment_tells_of_how_much_it_is() {
    let (hold, sale) = (name(Record::Authorization, 0), name(Record::Payment, 0));
    let rows = [
        (json!({"external_order_num": hold, "status": "authorized"}), vec![Ok(Some((1_000, "JPY")))]),
        (json!({"external_order_num": hold, "status": "authorized", "amount": 300}), vec![Ok(Some((300, "JPY")))]),
        // What was taken of it may be less than was held.
        (json!({"external_order_num": hold, "status": "captured", "amount": 300}), vec![Ok(None)]),
        (json!({"external_order_num": sale, "status": "captured"}), vec![Ok(Some((1_000, "JPY")))]),
        (json!({"external_order_num": sale, "status": "captured", "amount": 300}), vec![Ok(Some((300, "JPY")))]),
        (json!({"external_order_num": sale, "status": "captured", "currency": "USD"}), vec![Ok(Some((1_000, "USD")))]),
        (json!({"external_order_num": sale, "status": "captured", "currency": "XXX"}), vec![Err(Unreadable)]),
    ];
    for (changes, expected) in rows {
        assert_eq!(amounts(&changes), expected, "{changes}");
    }
}

#[test]
fn a_refund_and_a_chargeback_tell_of_how_much_they_are() {
    let refund = name(Record::Refund, 2);
    let rows = [
        (json!({}), false, vec![Ok(Some((1_000, "JPY"))), Ok(Some((400, "JPY")))]),
        (json!({"currency": "USD"}), false, vec![Ok(Some((1_000, "JPY"))), Ok(Some((400, "USD")))]),
        (json!({"currency": "XXX"}), false, vec![Ok(Some((1_000, "JPY"))), Err(Unreadable)]),
        (json!({"currency": "USD"}), true, vec![Ok(Some((1_000, "JPY"))), Ok(Some((400, "USD")))]),
        (json!({"currency": "XXX"}), true, vec![Ok(Some((1_000, "JPY"))), Ok(None)]),
    ];
    for (members, is_chargeback, expected) in rows {
        let mut listed = refunded("r1", 400, &json!(refund), is_chargeback);
        for (name, value) in members.as_object().expect("an object") {
            listed[name] = value.clone();
        }
        let changes =
            json!({"external_order_num": name(Record::Payment, 0), "status": "captured", "refunds": [listed]});
        assert_eq!(amounts(&changes), expected, "{changes}");
    }
}

#[test]
fn the_published_webhook_is_a_chargeback() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/komoju/payment-refunded-webhook.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let signature = komoju(text.as_bytes(), &secret("first")).expect("signed");
    let items = read(text.as_bytes(), Some(&signature)).expect("it is signed");
    let notices: Vec<_> = items.into_iter().filter_map(|item| item.expect("it can be read").notice()).collect();
    // Its order number is a shop's, so that it is known by its id.
    assert!(notices.iter().all(|notice| notice.reference == "dummy"));
    let [standing, sequel] = &notices[..] else { panic!("two items: {notices:?}") };
    assert!(matches!(&standing.news, News::Outcome(Outcome::Approved(_))), "{standing:?}");
    let expected = Sequel {
        id: "dummy".to_owned(),
        what: What::Dispute(Stage::ChargedBack),
        minor: Some(1_200),
        code: Some("Bulk Chargeback 2023-08-28".to_owned()),
    };
    assert!(matches!(&sequel.news, News::Sequel(sequel) if *sequel == expected), "{sequel:?}");
}

#[test]
fn a_chargeback_is_told_of_what_opened_the_payment() {
    let refunds = json!([refunded("r9", 1_000, &json!("Chargeback"), true)]);
    for (record, opened) in [(Record::Payment, "captured"), (Record::Authorization, "captured")] {
        let of = name(record, 0);
        let changes = json!({"status": opened, "external_order_num": of, "refunds": refunds});
        let approved = format!("approved {PAYMENT}");
        check("payment.refund.created", &changes, &[(&of, &approved), (&of, "dispute.charged_back r9")]);
    }
}

#[test]
fn a_customer_is_the_token_of_the_method_that_it_names() {
    let of = |reference: Value| json!({"id": "cus1", "resource": "customer", "metadata": {"reference": reference}});
    let method = "03OKsJpvrFJpBxD";
    let made = event("customer.created", &of(json!(method)));
    assert_eq!(told(&made), [(method.to_owned(), "token approved cus1".to_owned())]);
    assert_eq!(told(&event("customer.created", &of(json!("somebody")))), []);
    assert_eq!(told(&event("customer.created", &of(json!(null)))), []);
    assert_eq!(told(&event("customer.deleted", &of(json!(method)))), []);
    let body = made.to_string();
    let signature = komoju(body.as_bytes(), &secret("first")).expect("signed");
    assert!(!format!("{:?}", read(body.as_bytes(), Some(&signature))).contains("cus1"));
}

#[test]
fn what_is_irrelevant_is_left_out_and_what_is_unreadable_is_said_to_be() {
    for kind in ["ping", "settlement.created", "subscription.captured", "customer.updated", "of another kind"] {
        assert_eq!(told(&event(kind, &json!({"id": "x"}))), [], "{kind}");
        assert_eq!(told(&json!({"type": kind})), [], "{kind}");
    }
    for kind in ["payment.captured", "refund_request.updated", "customer.created"] {
        for data in [json!(null), json!({}), json!([]), json!({"id": 7})] {
            let body = event(kind, &data).to_string();
            let signature = komoju(body.as_bytes(), &secret("first")).expect("signed");
            let items = read(body.as_bytes(), Some(&signature)).expect("it is signed");
            assert!(items.len() == 1 && items.iter().all(Result::is_err), "{kind} {data}");
        }
    }
}
