//! What Stripe tells unasked, and who is believed to be Stripe.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::super::STRIPE;
use super::{
    REFERENCE, SECRET_KEY, account, credential, response, shown, shown_refund, shown_setup, stripe, unreadable,
};
use crate::card::Secret;
use crate::gateways::signatures::stripe as signed;
use crate::gateways::{
    Answered, Inquiry, Items, News, NotTaken, NoticeAnswer, NoticeCodec, Question, RawNotice, Told, Unreadable,
};
use crate::ids::{Ordinal, PaymentId, Record};
use crate::money::{Currency, Money};
use crate::payment::sequel::{Sequel, Stage, What};
use crate::payment::tests::fixtures::{START, cents, key, merchant, place};
use crate::payment::{Answer, Decline, Outcome, PayerAction};
use crate::ports::{HttpResponse, Method};
use crate::time::Timestamp;

fn codec() -> NoticeCodec {
    STRIPE.notice.expect("it tells")
}

fn inquiry() -> Inquiry {
    codec().ask.expect("it can be asked")
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn read(body: &[u8], header: Option<&str>, now: Timestamp) -> Result<Items, NotTaken> {
    let header = |name: &str| header.filter(|_| name == "stripe-signature");
    (codec().read)(&RawNotice { body, header: &header, now }, &[secret("whsec_first"), secret("whsec_second")])
}

fn told(body: &[u8]) -> Result<Items, NotTaken> {
    let signature = signed(START.as_millis() / 1000, body, &secret("whsec_second")).expect("signed");
    read(body, Some(&signature), START)
}

fn event(name: &str, object: &Value, before: Option<&Value>) -> String {
    let mut data = json!({"object": object});
    if let Some(before) = before {
        data["previous_attributes"] = before.clone();
    }
    json!({"id": "evt_1", "object": "event", "type": name, "created": 1_790_000_000, "data": data}).to_string()
}

fn news(name: &str, object: &Value, before: Option<&Value>) -> Option<News> {
    let mut items = told(event(name, object, before).as_bytes()).expect("it is signed");
    assert!(items.len() <= 1);
    let notice = items.pop()?.expect("it can be read").notice().expect("it leaves nothing open");
    assert_eq!(notice.reference, REFERENCE);
    Some(notice.news)
}

fn outcome(name: &str, object: &Value) -> Option<Outcome> {
    news(name, object, None).map(|news| match news {
        News::Outcome(outcome) => outcome,
        News::Sequel(_) | News::Token(..) => panic!("{name} tells an outcome"),
    })
}

#[test]
fn the_vectors_of_the_library_are_believed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/signature-vectors.json");
    let vectors: Value = serde_json::from_str(&fs::read_to_string(path).expect("vectors")).expect("JSON");
    let vectors = vectors["stripe"].as_array().expect("a list");
    assert!(!vectors.is_empty());
    for vector in vectors {
        let [body, signature, key] = ["body", "header", "secret"].map(|name| vector[name].as_str().expect("a text"));
        let seconds = vector["timestamp"].as_i64().expect("seconds");
        let taken = |after: i64, body: &str| {
            let header = |name: &str| (name == "stripe-signature").then_some(signature);
            let raw = RawNotice {
                body: body.as_bytes(),
                header: &header,
                now: Timestamp::from_millis((seconds + after) * 1000),
            };
            (codec().read)(&raw, &[secret(key)]).map(|items| items.len())
        };
        assert_eq!([taken(0, body), taken(300, body), taken(-300, body)], [Ok(0); 3], "irrelevant, and well signed");
        assert_eq!([taken(301, body), taken(-301, body)], [Err(NotTaken::Stale); 2]);
        assert_eq!(taken(0, &format!("{body} ")), Err(NotTaken::Forged));
    }
}

#[test]
fn nothing_is_read_before_its_signature_is() {
    for body in ["", "<html>", "{", &event("payment_intent.succeeded", &shown("succeeded", &json!({})), None)] {
        let by_another = signed(START.as_millis() / 1000, body.as_bytes(), &secret("whsec_other")).expect("signed");
        for header in [None, Some(""), Some("t=1"), Some(by_another.as_str())] {
            assert!(matches!(read(body.as_bytes(), header, START), Err(NotTaken::Forged)), "{header:?}");
        }
    }
    assert_eq!(codec().taken, NoticeAnswer { status: 200, body: "taken" });
    assert_eq!((codec().irrelevant.status, codec().forged.status), (200, 400));
}

#[test]
fn what_is_signed_and_cannot_be_read_is_malformed_or_an_item_that_nobody_can_read() {
    for body in unreadable(&json!({"object": "event", "type": "payment_intent.succeeded", "data": {"object": {}}})) {
        assert!(matches!(told(&body), Err(NotTaken::Malformed)));
    }
    assert!(matches!(told(b"{\"object\":\"v2.core.event\",\"type\":\"v1.billing\"}"), Err(NotTaken::Malformed)));
    let names = [
        "payment_intent.succeeded",
        "setup_intent.succeeded",
        "setup_intent.setup_failed",
        "refund.updated",
        "charge.refund.updated",
        "charge.dispute.created",
    ];
    for name in names {
        for object in [json!({}), json!([]), json!(null), json!({"id": 7}), json!({"id": "../pi_1"}), json!("text")] {
            let items = told(event(name, &object, None).as_bytes()).expect("it is signed");
            assert!(matches!(items.as_slice(), [Err(Unreadable)]), "{name} {object}");
        }
        let items = told(json!({"object": "event", "type": name}).to_string().as_bytes()).expect("it is signed");
        assert!(matches!(items.as_slice(), [Err(Unreadable)]), "{name}");
    }
}

/// Of whom, with what status and members, and of how much is told; none where it is no news.
#[test]
fn an_intent_tells_of_how_much_it_was_approved() {
    let payment = PaymentId::opened_by(&merchant(), &key("order 1"));
    let [hold, sale] = [Record::Authorization, Record::Payment].map(|record| record.id(payment, Ordinal::FIRST));
    let capture = Record::Payment.id(payment, place(1));
    let yen = Money::new(12_050, Currency::parse("JPY").expect("a currency"));
    let rows = [
        (hold, "requires_capture", json!({"amount_capturable": 12_050}), Ok(Some(cents(12_050)))),
        (hold, "requires_capture", json!({"amount_capturable": 5_000}), Ok(Some(cents(5_000)))),
        (hold, "requires_capture", json!({"amount_capturable": null}), Ok(Some(cents(12_050)))),
        (hold, "requires_capture", json!({"amount_capturable": 12_050, "currency": "jpy"}), Ok(Some(yen))),
        (hold, "requires_capture", json!({"currency": "xxx"}), Err(Unreadable)),
        // Somebody has taken a part of it since: all of it was held.
        (hold, "succeeded", json!({"amount_received": 5_000, "amount_capturable": 0}), Ok(Some(cents(12_050)))),
        (sale, "succeeded", json!({"amount_received": 12_050}), Ok(Some(cents(12_050)))),
        (sale, "succeeded", json!({"amount_received": null}), Ok(Some(cents(12_050)))),
        (sale, "requires_capture", json!({"amount_capturable": 12_050}), Ok(None)),
        (capture, "succeeded", json!({"amount_received": 5_000}), Ok(Some(cents(5_000)))),
        (capture, "requires_capture", json!({"amount_capturable": 12_050}), Ok(None)),
    ];
    for (record, status, members, expected) in rows {
        let mut object = shown(status, &members);
        object["metadata"] = json!({"reference": record.to_string()});
        let mut items = told(event("payment_intent.succeeded", &object, None).as_bytes()).expect("it is signed");
        let said = items.pop().map(|item| item.map(|told| told.notice().expect("it leaves nothing open")));
        let said = said.transpose().map(|notice| notice.and_then(|notice| notice.amount));
        assert_eq!(said, expected, "{record} {object}");
    }
}

#[test]
fn a_refund_tells_of_how_much_it_is() {
    let rows = [
        (json!({}), Ok(Some(cents(12_050)))),
        (json!({"amount": 50}), Ok(Some(cents(50)))),
        (json!({"currency": "xxx"}), Err(Unreadable)),
    ];
    for (members, expected) in rows {
        let object = shown_refund("succeeded", &members);
        let mut items = told(event("refund.created", &object, None).as_bytes()).expect("it is signed");
        let said = items.pop().expect("an item").map(|told| told.notice().expect("it leaves nothing open").amount);
        assert_eq!(said, expected, "{object}");
    }
}

#[test]
fn an_intent_tells_how_the_operation_stands_that_it_names() {
    let said =
        |code: &str| Answer { reference: Some("pi_1".to_owned()), code: Some(code.to_owned()), ..Answer::default() };
    let failed = json!({"last_payment_error": {"type": "card_error", "code": "card_declined", "decline_code": "stolen_card", "message": "no"}});
    let stolen = Answer { description: Some("no".to_owned()), ..said("stolen_card") };
    let url = "https://hooks.stripe.com/3d/1".to_owned();
    let redirect = json!({"next_action": {"type": "redirect_to_url", "redirect_to_url": {"url": url}}});
    let expires_at = Timestamp::from_millis(START.as_millis() + 24 * 60 * 60 * 1000);
    let unpaid = json!({"latest_charge": null, "cancellation_reason": "abandoned"});
    let rows = [
        ("succeeded", shown("succeeded", &json!({})), Some(Outcome::Approved(said("succeeded")))),
        (
            "amount_capturable_updated",
            shown("requires_capture", &json!({})),
            Some(Outcome::Approved(said("requires_capture"))),
        ),
        (
            "payment_failed",
            shown("requires_payment_method", &failed),
            Some(Outcome::Declined(Decline::Permanent, stolen)),
        ),
        ("processing", shown("processing", &json!({})), Some(Outcome::Accepted(said("processing")))),
        (
            "requires_action",
            shown("requires_action", &redirect),
            Some(Outcome::ActionRequired(said("requires_action"), PayerAction { url, expires_at })),
        ),
        ("canceled", shown("canceled", &unpaid), Some(Outcome::Declined(Decline::Soft, said("abandoned")))),
        // It was authorized: whoever asked for that knows, and a hold that runs out does so by our clock.
        ("canceled", shown("canceled", &json!({"latest_charge": "ch_1"})), None),
        ("canceled", shown("canceled", &json!({"latest_charge": null, "charges": {"data": [{}]}})), None),
        ("succeeded", shown("of another kind", &json!({})), None),
        ("succeeded", shown("succeeded", &json!({"metadata": {}})), None),
        ("succeeded", shown("succeeded", &json!({"metadata": null})), None),
    ];
    for (name, object, expected) in rows {
        assert_eq!(outcome(&format!("payment_intent.{name}"), &object), expected, "{name} {object}");
    }
    for name in [
        "payment_intent.created",
        "charge.succeeded",
        "charge.captured",
        "charge.refunded",
        "charge.dispute.updated",
        "setup_intent.created",
        "setup_intent.requires_action",
        "payment_method.attached",
        "customer.created",
        "of.another.kind",
    ] {
        assert_eq!(outcome(name, &shown("succeeded", &json!({}))), None, "{name}");
    }
}

#[test]
fn a_setup_intent_tells_whether_the_card_is_kept() {
    let said =
        |code: &str| Answer { reference: Some("seti_1".to_owned()), code: Some(code.to_owned()), ..Answer::default() };
    let error = json!({"type": "card_error", "code": "setup_intent_authentication_failure"});
    let failed = json!({"payment_method": null, "last_setup_error": error});
    let abandoned = json!({"cancellation_reason": "abandoned"});
    let declined = |code: &str| Outcome::Declined(Decline::Soft, said(code));
    let rows = [
        ("succeeded", "succeeded", json!({}), Some((Outcome::Approved(said("succeeded")), Some("cus_7/pm_1")))),
        (
            "setup_failed",
            "requires_payment_method",
            failed,
            Some((declined("setup_intent_authentication_failure"), None)),
        ),
        ("canceled", "canceled", abandoned, Some((declined("abandoned"), None))),
        ("succeeded", "requires_action", json!({}), None),
        ("succeeded", "of another kind", json!({}), None),
        ("succeeded", "succeeded", json!({"object": "payment_intent"}), None),
        ("succeeded", "succeeded", json!({"metadata": {}}), None),
        ("succeeded", "succeeded", json!({"metadata": null}), None),
    ];
    for (name, status, members, expected) in rows {
        let heard =
            news(&format!("setup_intent.{name}"), &shown_setup(status, &members), None).map(|news| match news {
                News::Token(outcome, token) => (outcome, token.map(|token| token.reveal().to_owned())),
                News::Outcome(_) | News::Sequel(_) => panic!("{name} tells of a method"),
            });
        let expected = expected.map(|(outcome, token)| (outcome, token.map(str::to_owned)));
        assert_eq!(heard, expected, "{name} {status} {members}");
    }
    // Kept, and nobody can say what: a token needs both.
    for members in [json!({"customer": null}), json!({"payment_method": null}), json!({"payment_method": "a/b"})] {
        let body = event("setup_intent.succeeded", &shown_setup("succeeded", &members), None);
        let items = told(body.as_bytes()).expect("it is signed");
        assert!(matches!(items.as_slice(), [Err(Unreadable)]), "{members}");
    }
}

#[test]
fn a_refund_that_fails_has_that_as_its_verdict_or_did_not_stand() {
    let said = |code: &str| Answer {
        reference: Some("re_1".to_owned()),
        code: Some(code.to_owned()),
        date: Some(START),
        ..Answer::default()
    };
    let is_outcome = |name: &str, status: &str, before: Option<&Value>, expected: Outcome| {
        let told = news(name, &shown_refund(status, &json!({"failure_reason": null})), before);
        assert!(matches!(told, Some(News::Outcome(outcome)) if outcome == expected), "{name} {status}");
    };
    for name in ["refund.created", "refund.updated", "charge.refund.updated"] {
        is_outcome(name, "succeeded", None, Outcome::Approved(said("succeeded")));
        is_outcome(name, "pending", None, Outcome::Accepted(said("pending")));
        is_outcome(name, "requires_action", None, Outcome::Accepted(said("requires_action")));
        for before in ["pending", "requires_action"] {
            let before = json!({"status": before});
            is_outcome(name, "failed", Some(&before), Outcome::Declined(Decline::Soft, said("failed")));
            is_outcome(name, "canceled", Some(&before), Outcome::Declined(Decline::Soft, said("canceled")));
        }
    }
    is_outcome("refund.created", "failed", None, Outcome::Declined(Decline::Soft, said("failed")));
    let expected =
        Sequel { id: "re_1".to_owned(), what: What::Failed, minor: None, code: Some("lost_or_stolen_card".to_owned()) };
    let stood = json!({"status": "succeeded"});
    let failed = shown_refund("failed", &json!({"failure_reason": "lost_or_stolen_card"}));
    for (name, before) in [
        ("refund.updated", Some(&stood)),
        ("charge.refund.updated", Some(&stood)),
        ("refund.failed", None),
        ("refund.updated", Some(&json!({"balance_transaction": null}))),
    ] {
        assert!(matches!(news(name, &failed, before), Some(News::Sequel(sequel)) if sequel == expected), "{name}");
    }
    assert!(news("refund.updated", &shown_refund("succeeded", &json!({"metadata": null})), None).is_none());
    assert!(news("refund.updated", &shown_refund("of another kind", &json!({})), None).is_none());
}

fn question(name: &str) -> Question {
    let items = told(event(name, &json!({"id": "dp_1", "object": "dispute"}), None).as_bytes()).expect("it is signed");
    match items.into_iter().next() {
        Some(Ok(Told::Question(question))) => question,
        other => panic!("{name} leaves nothing open: {other:?}"),
    }
}

fn dispute(status: &str, members: &Value) -> Value {
    let mut body = json!({
        "id": "dp_1", "object": "dispute", "amount": 12_050, "currency": "usd", "status": status, "reason": "fraudulent",
        "charge": "ch_1", "payment_intent": shown("succeeded", &json!({})),
    });
    for (name, value) in members.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

#[test]
fn a_dispute_is_asked_for_to_find_the_operation_that_took_the_money() {
    let (gateway, credential) = (stripe(), credential(&[]));
    let rows = [
        ("created", "needs_response", Some(Stage::Opened)),
        ("created", "warning_needs_response", Some(Stage::Opened)),
        // It may have gone on before we asked.
        ("created", "lost", Some(Stage::Opened)),
        ("funds_withdrawn", "needs_response", Some(Stage::ChargedBack)),
        ("funds_reinstated", "won", Some(Stage::Reversed)),
        ("closed", "won", Some(Stage::Reversed)),
        ("closed", "lost", Some(Stage::Lost)),
        ("closed", "warning_closed", None),
        ("closed", "prevented", None),
    ];
    for (name, status, stage) in rows {
        let question = question(&format!("charge.dispute.{name}"));
        let asked = (inquiry().encode)(&question, &account(&gateway, &credential));
        assert_eq!(
            (asked.method, asked.url.as_str()),
            (Method::Get, "https://gateway.test/v1/disputes/dp_1?expand%5B%5D=payment_intent")
        );
        assert_eq!(asked.headers, [("authorization", format!("Bearer {SECRET_KEY}"))]);
        match ((inquiry().decode)(&question, &response(200, &dispute(status, &json!({})))), stage) {
            (Answered::Told(notice), Some(stage)) => {
                let expected = Sequel {
                    id: "dp_1".to_owned(),
                    what: What::Dispute(stage),
                    minor: Some(12_050),
                    code: Some("fraudulent".to_owned()),
                };
                assert_eq!(notice.reference, REFERENCE);
                assert!(matches!(notice.news, News::Sequel(sequel) if sequel == expected), "{name} {status}");
            }
            (Answered::Nothing, None) => {}
            (other, _) => panic!("{name} {status}: {other:?}"),
        }
    }
}

#[test]
fn a_dispute_of_what_bears_no_name_of_ours_is_told_under_its_own() {
    let question = question("charge.dispute.created");
    let rows = [
        (json!({"payment_intent": shown("succeeded", &json!({"metadata": {}}))}), "pi_1", Some(12_050)),
        (json!({"payment_intent": "pi_1"}), "pi_1", Some(12_050)),
        (json!({"currency": "eur"}), REFERENCE, None),
        (
            json!({"currency": "isk", "amount": 500, "payment_intent": shown("succeeded", &json!({"currency": "isk"}))}),
            REFERENCE,
            Some(5),
        ),
        (json!({"currency": "xxx"}), REFERENCE, None),
    ];
    // In another currency than it was paid in, nobody can say how much of it that is.
    let paid_in = |members: &Value| if members["currency"] == "isk" { "ISK" } else { "USD" };
    for (members, reference, minor) in rows {
        let answered = (inquiry().decode)(&question, &response(200, &dispute("needs_response", &members)));
        let Answered::Told(notice) = answered else { panic!("{members}: {answered:?}") };
        assert_eq!(notice.reference, reference);
        let News::Sequel(sequel) = notice.news else { panic!("{members}") };
        let currency = Currency::parse(paid_in(&members)).expect("a currency");
        assert_eq!(sequel.counted_in(currency, notice.amount).minor, minor, "{members}");
    }
    let whole = dispute("needs_response", &json!({}));
    assert!(matches!((inquiry().decode)(&question, &response(404, &whole)), Answered::Nothing));
    let of_nothing = dispute("needs_response", &json!({"payment_intent": null}));
    assert!(matches!((inquiry().decode)(&question, &response(200, &of_nothing)), Answered::Nothing));
    for status in [0, 201, 400, 401, 403, 409, 429, 500, 503] {
        assert!(matches!((inquiry().decode)(&question, &response(status, &whole)), Answered::NoAnswer), "{status}");
    }
    for wrong in [json!({"id": "dp_2"}), json!({"object": "charge"})] {
        let wrong = dispute("needs_response", &wrong);
        assert!(matches!((inquiry().decode)(&question, &response(200, &wrong)), Answered::NoAnswer));
    }
    for body in unreadable(&whole) {
        let answered = (inquiry().decode)(&question, &HttpResponse { status: 200, body });
        assert!(matches!(answered, Answered::NoAnswer));
    }
}
