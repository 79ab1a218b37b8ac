//! What the sandbox's magic cards and amounts lead to at the door.

use kessai_functions::sandbox::card_number;
use serde_json::{Value, json};

use crate::harness::{Kessai, at_once};

#[test]
fn declines_have_their_codes_whether_by_card_amount_or_stored_method() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let rows = [
        (9001, "05", "Decline", "DECLINED"),
        (9002, "43", "PermanentFail", "PERMANENT_FAIL"),
        (9003, "51", "Decline", "DECLINED"),
        (9004, "54", "Decline", "DECLINED"),
        (9005, "82", "Decline", "DECLINED"),
        (9006, "59", "RequiresReview", "REQUIRES_REVIEW"),
        (9007, "14", "ValidationError", "VALIDATION_ERROR"),
    ];
    for (code, gateway_code, result, error) in rows {
        let mut stored = client.opening("KEYED", "50");
        stored["paymentMethod"]["id"] = json!(format!("03O{code:012}"));
        let amount = format!("{}.{:02}", code / 100, code % 100);
        for body in [client.card_opening("KEYED", "50", &card_number(code)), client.opening("KEYED", &amount), stored] {
            let reply = client.post("sales", None, &body).expect(402);
            assert_eq!(reply.result_code(), result, "{code}");
            assert_eq!(reply.at("/gatewayResponse/gatewayResultCode"), gateway_code);
            assert_eq!(reply.at("/error/errorCode"), error);
            assert_eq!(reply.at("/paymentGatewayLogs/0/interactionStatus"), "Failed");
            assert_eq!(reply.at("/payment"), Value::Null, "a decline has no record");
        }
    }
    assert!(client.ledger().is_empty(), "a decline moves nothing");
}

#[test]
fn a_decline_is_replayed_and_frees_its_amount() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let authorization = client.authorize("KEYED", "a", "100").expect(201).id();
    let path = format!("authorizations/{authorization}/captures");
    let declined = client.post(&path, Some("c"), &json!({ "amount": "90.01" })).expect(402);
    let again = client.post(&path, Some("c"), &json!({ "amount": "90.01" })).expect(402);
    assert!(again.replayed());
    assert_eq!(again.text, declined.text);
    client.post(&path, Some("d"), &json!({ "amount": 100 })).expect(201);
}

#[test]
fn while_a_slow_gateway_is_waited_for_its_key_is_in_use() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let body = client.opening("KEYED", "90.11");
    let mut replies = at_once(2, |_| client.post("sales", Some("k"), &body));
    replies.sort_by_key(|reply| reply.status);
    let first = replies[0].clone().expect(201);
    // The second hears that the first is still running, or what became of it.
    assert!(replies[1].status == 409 || (replies[1].replayed() && replies[1].text == first.text), "{:?}", replies[1]);
    assert_eq!(client.ledger().len(), 1);
}
