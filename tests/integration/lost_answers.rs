//! When the gateway's answer is lost, the caller hears the truth, and the follow-up finds it out.

use serde_json::{Value, json};

use crate::harness::{CARD, Client, Kessai, Reply};

/// An operation whose answer was lost, and the body that asked for it.
fn lose_answer(client: &Client, class: &str, body: &Value) -> Reply {
    client.script(json!([{ "fault": "lost-answer", "class": class.to_lowercase().replace('_', "-") }]));
    let reply = client.post("authorizations", Some("k"), body);
    assert_eq!((reply.status, reply.result_code().as_str()), (202, "Indeterminate"), "{}", reply.text);
    assert_eq!(reply.record_status(), "Pending");
    assert_eq!(client.effects_of(&reply.id()), 1, "the gateway did act");
    reply
}

/// The follow-up settles it to what the ledger says, and the key replays that.
fn check_settles(class: &str, card: bool, status: &str, code: u16, effects: usize) {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let body = if card { client.card_opening(class, "50", CARD) } else { client.opening(class, "50") };
    let id = lose_answer(client, class, &body).id();
    client.advance("PT1M");
    let settled = client.settled(&format!("authorizations/{id}"));
    assert_eq!(settled.record_status(), status, "{class}: {}", settled.text);
    assert_eq!(client.effects_of(&id), effects, "{class}");
    let replay = client.post("authorizations", Some("k"), &body).expect(code);
    assert!(replay.replayed());
    assert_eq!(client.post("authorizations", Some("k"), &body).text, replay.text);
    assert_eq!(client.effects_of(&id), effects, "{class}: a replay does nothing");
}

#[test]
fn a_keyed_gateway_is_sent_the_same_again() {
    check_settles("KEYED", false, "Processed", 201, 1);
}

#[test]
fn a_keyed_gateway_is_asked_where_a_card_cannot_be_sent_again() {
    check_settles("KEYED", true, "Processed", 201, 1);
}

#[test]
fn a_gateway_that_can_be_asked_is_asked() {
    check_settles("LOOK_UP", false, "Processed", 201, 1);
}

#[test]
fn a_gateway_that_reverses_timeouts_undoes_it() {
    check_settles("TIMEOUT_REVERSAL", false, "Canceled", 402, 0);
}

#[test]
fn a_gateway_that_can_do_nothing_leaves_it_pending_until_the_hold_ends() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let body = client.opening("NONE", "50");
    let id = lose_answer(client, "NONE", &body).id();
    for _ in 0..3 {
        client.advance("P1D");
        std::thread::sleep(std::time::Duration::from_millis(600));
        let again = client.post("authorizations", Some("k"), &body).expect(202);
        assert_eq!((again.record_status().as_str(), again.result_code().as_str()), ("Pending", "Indeterminate"));
        let says = again.at("/pending/message").to_string();
        assert!(
            says.contains("cannot be asked") && says.contains("until a notification comes or the hold ends"),
            "{says}"
        );
    }
    client.advance("P5D");
    let lapsed = client.settled(&format!("authorizations/{id}"));
    assert_eq!(lapsed.record_status(), "Canceled");
    let replay = client.post("authorizations", Some("k"), &body).expect(402);
    assert_eq!((replay.at("/error/errorCode"), replay.result_code().as_str()), (json!("LAPSED"), "Indeterminate"));
    assert_eq!(client.effects_of(&id), 1, "it was never asked again");
}

#[test]
fn a_lost_request_settles_to_never_received_or_is_sent() {
    for (class, status, effects) in
        [("LOOK_UP", "Failed", 0), ("KEYED", "Processed", 1), ("TIMEOUT_REVERSAL", "Canceled", 0)]
    {
        let kessai = Kessai::in_memory();
        let client = &kessai.client;
        client.script(json!([{ "fault": "lost-request" }]));
        let id = client.authorize(class, "k", "50").expect(202).id();
        client.advance("PT1M");
        assert_eq!(client.settled(&format!("authorizations/{id}")).record_status(), status, "{class}");
        assert_eq!(client.effects_of(&id), effects, "{class}");
    }
}

#[test]
fn captures_refunds_reversals_and_sales_are_found_out_about_too() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    for class in ["KEYED", "LOOK_UP"] {
        let lose = || client.script(json!([{ "fault": "lost-answer" }]));
        let authorization = client.authorize(class, class, "50").expect(201).id();
        lose();
        let capture = client.post(&format!("authorizations/{authorization}/captures"), None, &json!({ "amount": 20 }));
        lose();
        let reversal =
            client.post(&format!("authorizations/{authorization}/reversals"), None, &json!({ "amount": 30 }));
        let (capture, reversal) = (capture.expect(202).id(), reversal.expect(202).id());
        client.advance("PT1M");
        client.settled(&format!("payments/{capture}"));
        client.settled(&format!("authorizations/{authorization}/reversals/{reversal}"));
        lose();
        let refund = client.post(&format!("payments/{capture}/refunds"), None, &json!({})).expect(202).id();
        lose();
        let sale = client.post("sales", None, &client.opening(class, "5")).expect(202).id();
        client.advance("PT1M");
        client.settled(&format!("refunds/{refund}"));
        client.settled(&format!("payments/{sale}"));
        for id in [capture, reversal, refund, sale] {
            assert_eq!(client.effects_of(&id), 1, "{class} {id}");
        }
    }
}

#[test]
fn an_error_after_acting_and_a_broken_body_are_no_failures() {
    for fault in ["error-before", "error-after", "malformed-body"] {
        let kessai = Kessai::in_memory();
        let client = &kessai.client;
        client.script(json!([{ "fault": fault }]));
        let id = client.authorize("LOOK_UP", "k", "50").expect(202).id();
        client.advance("PT1M");
        let expected = if fault == "error-before" { ("Failed", 0) } else { ("Processed", 1) };
        let settled = client.settled(&format!("authorizations/{id}")).record_status();
        assert_eq!((settled.as_str(), client.effects_of(&id)), expected, "{fault}");
    }
}

#[test]
fn what_was_certainly_not_sent_may_be_tried_again_under_its_key() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    client.script(json!([{ "fault": "too-many-requests" }]));
    let refused = client.authorize("NONE", "k", "50").expect(503);
    assert!(refused.headers.contains_key("retry-after"));
    assert!(client.ledger().is_empty());
    client.authorize("NONE", "k", "51").expect(422);
    let done = client.authorize("NONE", "k", "50").expect(201);
    assert!(!done.replayed());
    assert_eq!(client.effects_of(&done.id()), 1);
}

#[test]
fn an_asynchronous_gateway_is_asked_until_its_verdict_is_in() {
    for (fault, status, code) in
        [("accepted-then-approved", "Processed", 201), ("accepted-then-declined", "Failed", 402)]
    {
        let kessai = Kessai::in_memory();
        let client = &kessai.client;
        client.script(json!([{ "fault": fault }]));
        let accepted = client.authorize("LOOK_UP", "k", "50").expect(201);
        assert_eq!((accepted.record_status().as_str(), accepted.result_code().as_str()), ("Pending", "Success"));
        // The sandbox takes its own time, and Kessai asks at longer and longer intervals.
        let path = format!("authorizations/{}", accepted.id());
        let is_settled = || {
            client.advance("PT1M");
            std::thread::sleep(std::time::Duration::from_millis(500));
            client.get(&path).record_status() != "Pending"
        };
        assert!((0..120).any(|_| is_settled()), "{fault} never settled");
        assert_eq!(client.get(&path).record_status(), status);
        client.authorize("LOOK_UP", "k", "50").expect(code);
    }
}

#[test]
fn a_sale_that_nobody_can_ask_about_stays_pending_and_says_so() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    client.script(json!([{ "fault": "lost-answer" }]));
    let sale = client.post("sales", Some("s"), &client.opening("NONE", "50")).expect(202);
    client.advance("P400D");
    // Somebody looks once, to tell a person.
    let path = format!("payments/{}", sale.id());
    let read = client.becomes(&path, |read| read.at("/pending/nextCheckDate") == Value::Null);
    assert_eq!(read.record_status(), "Pending");
    assert!(read.at("/pending/message").to_string().contains("cannot be asked"), "{}", read.text);
    assert_eq!(client.ledger().len(), 1);
}
