//! What PAY.JP tells unasked: believed for its token, and asked for all the same.

use serde_json::{Value, json};

use super::{PAYJP, SECRET_KEY, World, flow, problem, reference, refund, response};
use crate::card::Secret;
use crate::gateways::{Answered, Inquiry, News, NotTaken, NoticeCodec, Question, RawNotice, Told, Unreadable};
use crate::ids::Record;
use crate::payment::sequel::{Sequel, Stage, What};
use crate::payment::tests::fixtures::START;
use crate::payment::{Decline, Outcome};
use crate::ports::{HttpResponse, Method};

const TOKEN: &str = "whook_4c3a6f1e9b";

fn codec() -> NoticeCodec {
    PAYJP.notice.expect("it tells")
}

fn inquiry() -> Inquiry {
    codec().ask.expect("it is asked again")
}

fn read(body: &str, token: Option<&str>) -> Result<Vec<Result<Question, Unreadable>>, NotTaken> {
    let header = |name: &str| token.filter(|_| name == "x-payjp-webhook-token");
    let raw = RawNotice { body: body.as_bytes(), header: &header, now: START };
    let secrets = [Secret::new("whook_before".to_owned()), Secret::new(TOKEN.to_owned())];
    let question = |told| match told {
        Told::Question(question) => question,
        Told::Notice(notice) => panic!("{notice:?} is believed without asking"),
    };
    Ok((codec().read)(&raw, &secrets)?.into_iter().map(|item| item.map(question)).collect())
}

fn event(kind: &str, data: &Value) -> String {
    json!({"object": "event", "id": "evt_1", "livemode": false, "type": kind, "pending_webhooks": 1, "data": data})
        .to_string()
}

fn question(kind: &str, data: &Value) -> Question {
    let mut items = read(&event(kind, data), Some(TOKEN)).expect("it is genuine");
    items.pop().expect("an item").expect("it can be read")
}

fn dispute(status: &str) -> Value {
    json!({"id": "dp_1", "payment_flow_id": "pfw_1", "amount": 9_999, "status": status, "reason": "fraudulent"})
}

#[test]
fn only_whoever_knows_the_token_is_heard() {
    let body = event("payment_flow.succeeded", &flow("succeeded", "automatic", "x"));
    assert!(read(&body, Some(TOKEN)).is_ok() && read(&body, Some("whook_before")).is_ok());
    for token in [None, Some(""), Some("whook_"), Some("whook_4c3a6f1e9c")] {
        assert_eq!(read(&body, token).err(), Some(NotTaken::Forged));
        assert_eq!(read("not JSON", token).err(), Some(NotTaken::Forged), "nothing of it is read");
    }
    assert_eq!((codec().forged.status, codec().forged.body), (401, r#"{"error":"Invalid webhook token"}"#));
    for (body, expected) in [("not JSON", NotTaken::Malformed), ("[]", NotTaken::Malformed), ("", NotTaken::Malformed)]
    {
        assert_eq!(read(body, Some(TOKEN)).err(), Some(expected));
    }
}

#[test]
fn every_event_asks_for_what_it_is_about() {
    let old = json!({"id": "re_1", "payment_flow": "pfw_1", "meta_data": {}, "created_date": "2026-09-21T14:00:00Z"});
    let rows = [
        ("payment_flow.succeeded", json!({"id": "pfw_1"}), "payment_flows/pfw_1", "refunds/pfw_1"),
        ("payment_flow.payment_failed", json!({"id": "pfw_1"}), "payment_flows/pfw_1", ""),
        ("payment_flow.requires_action", json!({"id": "pfw_1"}), "payment_flows/pfw_1", ""),
        ("payment_flow.processing", json!({"id": "pfw_1"}), "payment_flows/pfw_1", ""),
        ("payment_flow.amount_capturable_updated", json!({"id": "pfw_1"}), "payment_flows/pfw_1", ""),
        ("refund.created", old, "payment_refunds/re_1", "refunds/re_1"),
        ("refund.updated", refund("succeeded"), "payment_refunds/re_1", "refunds/re_1"),
        ("refund.failed", refund("failed"), "payment_refunds/re_1", "refunds/re_1"),
        ("dispute.created", dispute("needs_response"), "payment_flows/pfw_1", ""),
    ];
    for (kind, data, place, plain) in rows {
        let asked = (inquiry().encode)(&question(kind, &data), &World::test().account());
        assert_eq!((asked.method, asked.url), (Method::Get, format!("https://gateway.test/v2/{place}")), "{kind}");
        assert_eq!(asked.headers, [("authorization", format!("Bearer {SECRET_KEY}"))]);
        if plain.ends_with("re_1") {
            let asked = (inquiry().encode)(&question(kind, &data), &World::plain_refunds().account());
            assert_eq!(asked.url, format!("https://gateway.test/v2/{plain}"));
        }
    }
}

#[test]
fn what_is_irrelevant_is_left_out_and_what_lacks_its_name_is_unreadable() {
    for kind in ["payment_flow.created", "payment_flow.canceled", "setup_flow.succeeded", "customer.created", "x"] {
        assert!(read(&event(kind, &json!({"id": "x"})), Some(TOKEN)).expect("it is genuine").is_empty(), "{kind}");
    }
    let rows = [
        ("payment_flow.succeeded", json!({})),
        ("payment_flow.succeeded", json!([])),
        ("refund.created", json!({"id": ""})),
        ("dispute.created", json!({"id": "dp_1", "status": "lost"})),
        ("dispute.created", json!({"id": "dp_1", "payment_flow_id": "pfw_1"})),
    ];
    for (kind, data) in rows {
        let items = read(&event(kind, &data), Some(TOKEN)).expect("it is genuine");
        assert!(matches!(items.as_slice(), [Err(Unreadable)]), "{kind} {data}");
    }
}

fn answered(question: &Question, answer: &HttpResponse) -> Option<(String, News)> {
    match (inquiry().decode)(question, answer) {
        Answered::Told(notice) => Some((notice.reference, notice.news)),
        Answered::Nothing => None,
        Answered::NoAnswer | Answered::Unreadable => panic!("there is an answer"),
    }
}

#[test]
fn what_is_fetched_is_told_of_our_operation() {
    let (held, sold) = (reference(Record::Authorization), reference(Record::Payment));
    let asked = question("payment_flow.succeeded", &json!({"id": "pfw_1", "amount": 1, "status": "succeeded"}));
    let outcome = |body: &Value| match answered(&asked, &response(200, body)) {
        Some((reference, News::Outcome(outcome))) => Some((reference, outcome.name())),
        Some(other) => panic!("{other:?}"),
        None => None,
    };
    let rows = [
        ("requires_capture", "manual", &held, Some("approved")),
        ("succeeded", "manual", &held, Some("approved")),
        ("succeeded", "automatic", &sold, Some("approved")),
        ("processing", "automatic", &sold, Some("accepted")),
        ("requires_payment_method", "automatic", &sold, Some("declined")),
        ("requires_capture", "automatic", &sold, Some("unknown")),
        ("canceled", "manual", &held, None),
    ];
    for (status, capture_method, reference, expected) in rows {
        let told = outcome(&flow(status, capture_method, reference));
        assert_eq!(told, expected.map(|name| (reference.clone(), name)), "{status} {capture_method}");
    }
    assert_eq!(outcome(&flow("succeeded", "automatic", "order-12")), None, "a merchant's own");
}

#[test]
fn a_refund_that_is_fetched_is_told_of_ours() {
    let asked = question("refund.created", &refund("pending"));
    match answered(&asked, &response(200, &refund("failed"))) {
        Some((name, News::Outcome(Outcome::Declined(Decline::Soft, _)))) => assert_eq!(name, reference(Record::Refund)),
        other => panic!("{other:?}"),
    }
    let mut nameless = refund("succeeded");
    nameless["metadata"] = json!({});
    assert!(answered(&asked, &response(200, &nameless)).is_none());
}

#[test]
fn what_is_fetched_says_of_how_much_it_is() {
    let amount = |told: Answered| match told {
        Answered::Told(notice) => Ok(notice.amount.map(|amount| (amount.minor, amount.currency.code()))),
        Answered::Nothing => Ok(None),
        Answered::Unreadable => Err(Unreadable),
        Answered::NoAnswer => panic!("there is an answer"),
    };
    let of_flow = question("payment_flow.succeeded", &json!({"id": "pfw_1"}));
    let rows = [
        ("requires_capture", "manual", Record::Authorization, json!({}), Ok(Some((1_200, "JPY")))),
        // A part of it was taken since: all of it was held.
        ("succeeded", "manual", Record::Authorization, json!({"amount_received": 300}), Ok(Some((1_200, "JPY")))),
        ("succeeded", "automatic", Record::Payment, json!({}), Ok(Some((1_200, "JPY")))),
        (
            "succeeded",
            "automatic",
            Record::Payment,
            json!({"amount": 1_000, "amount_received": 1_000}),
            Ok(Some((1_000, "JPY"))),
        ),
        ("succeeded", "automatic", Record::Payment, json!({"currency": "usd"}), Err(Unreadable)),
        ("processing", "automatic", Record::Payment, json!({"currency": "usd"}), Ok(None)),
    ];
    for (status, capture_method, record, members, expected) in rows {
        let mut body = flow(status, capture_method, &reference(record));
        for (name, value) in members.as_object().expect("an object") {
            body[name] = value.clone();
        }
        assert_eq!(amount((inquiry().decode)(&of_flow, &response(200, &body))), expected, "{body}");
    }
    let of_refund = question("refund.created", &refund("pending"));
    let told = (inquiry().decode)(&of_refund, &response(200, &refund("succeeded")));
    assert_eq!(amount(told), Ok(refund("succeeded")["amount"].as_i64().map(|minor| (minor, "JPY"))));
}

#[test]
fn a_dispute_has_its_stage_from_the_notice_and_the_rest_from_the_flow() {
    let rows = [
        ("pre_warning_needs_response", Some(Stage::Opened)),
        ("warning_needs_response", Some(Stage::Opened)),
        ("warning_needs_refund", Some(Stage::Opened)),
        ("warning_under_review", Some(Stage::Opened)),
        ("needs_response", Some(Stage::Opened)),
        ("under_review", Some(Stage::Opened)),
        ("lost", Some(Stage::Lost)),
        ("cancel", Some(Stage::Reversed)),
        ("of another kind", None),
    ];
    let sold = reference(Record::Payment);
    for (status, stage) in rows {
        let asked = question("dispute.created", &dispute(status));
        let told = answered(&asked, &response(200, &flow("succeeded", "automatic", &sold)));
        let told = told.map(|(reference, news)| match news {
            News::Sequel(sequel) => (reference, sequel),
            other => panic!("{other:?}"),
        });
        let code = Some("fraudulent".to_owned());
        let expected = stage.map(|stage| {
            (sold.clone(), Sequel { id: "dp_1".to_owned(), what: What::Dispute(stage), minor: Some(1_200), code })
        });
        assert_eq!(told, expected, "{status}");
    }
    let asked = question("dispute.created", &dispute("lost"));
    let told = answered(&asked, &response(200, &flow("succeeded", "manual", "order-12")));
    assert_eq!(told.map(|(reference, _)| reference).as_deref(), Some("pfw_1"), "as a browser's flow is registered");
}

#[test]
fn another_account_knows_nothing_and_doubt_is_asked_again() {
    let asked = question("payment_flow.succeeded", &json!({"id": "pfw_1"}));
    let is_nothing = |answer: &HttpResponse| matches!((inquiry().decode)(&asked, answer), Answered::Nothing);
    let is_no_answer = |answer: &HttpResponse| matches!((inquiry().decode)(&asked, answer), Answered::NoAnswer);
    assert!(is_nothing(&problem(404, "not_found")));
    for status in [401, 409, 429, 500, 503] {
        assert!(is_no_answer(&problem(status, "x")), "{status}");
    }
    for text in ["", "<html>", "[]", "null", "{}"] {
        assert!(is_no_answer(&HttpResponse { status: 200, body: text.as_bytes().to_vec() }), "{text}");
    }
    let mut other = flow("succeeded", "automatic", &reference(Record::Payment));
    other["id"] = json!("pfw_2");
    assert!(is_no_answer(&response(200, &other)), "it speaks of another");
}
