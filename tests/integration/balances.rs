//! Nothing is captured, reversed or refunded beyond what there is, whoever asks at once.

use serde_json::{Value, json};

use crate::harness::{Client, Kessai, Reply, at_once};

fn captured(client: &Client, key: &str, amount: &str) -> String {
    let authorization = client.authorize("KEYED", key, amount).expect(201).id();
    client
        .post(&format!("authorizations/{authorization}/captures"), None, &json!({ "amount": amount }))
        .expect(201)
        .id()
}

fn count(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

fn total(client: &Client, kind: &str) -> i64 {
    let amounts = client.ledger().into_iter().filter(|effect| effect["kind"] == kind);
    amounts.map(|effect| effect["amount"].as_i64().expect("an amount")).sum()
}

/// Two refunds of 60 raced on a capture of 100, and both were paid.
#[test]
fn hyperswitch_13182_parallel_refunds_never_exceed_the_capture() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let payment = captured(client, "a", "100");
    let path = format!("payments/{payment}/refunds");
    let replies = at_once(100, |index| client.insist(&path, &format!("refund-{index}"), &json!({ "amount": 60 })));

    assert_eq!((count(&replies, 201), count(&replies, 422)), (1, 99));
    for refused in replies.iter().filter(|reply| reply.status == 422) {
        assert!(refused.text.contains("available: 40.0 USD"), "{}", refused.text);
    }
    assert_eq!(total(client, "refund"), 6_000);
}

/// A capture that was asked for twice at once was taken twice.
#[test]
fn medusa_13301_parallel_captures_never_exceed_the_authorization() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let authorization = client.authorize("KEYED", "a", "100").expect(201).id();
    let path = format!("authorizations/{authorization}/captures");
    let replies = at_once(100, |index| client.insist(&path, &format!("c{index}"), &json!({ "amount": 60 })));
    assert_eq!((count(&replies, 201), count(&replies, 422)), (1, 99));
    assert_eq!(total(client, "capture"), 6_000);
}

#[test]
fn parallel_captures_and_reversals_share_one_balance() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let authorization = client.authorize("KEYED", "a", "100").expect(201).id();
    let replies = at_once(100, |index| {
        let verb = if index % 2 == 0 { "captures" } else { "reversals" };
        client.insist(&format!("authorizations/{authorization}/{verb}"), &index.to_string(), &json!({ "amount": 7 }))
    });
    assert_eq!((count(&replies, 201), count(&replies, 422)), (14, 86), "14 of 7 fit into 100");
    assert_eq!(total(client, "capture") + total(client, "reverse"), 9_800);
}

#[test]
fn partial_operations_add_up_and_the_rest_is_refunded_without_an_amount() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let authorization = client.authorize("KEYED", "a", "100").expect(201).id();
    let captures = format!("authorizations/{authorization}/captures");
    let first = client.post(&captures, None, &json!({ "amount": 30 })).expect(201).id();
    client.post(&captures, None, &json!({ "amount": "50.5" })).expect(201);
    client.post(&format!("authorizations/{authorization}/reversals"), None, &json!({ "amount": 9.5 })).expect(201);
    client.post(&captures, None, &json!({ "amount": 10.01 })).expect(422);

    let read = client.get(&format!("authorizations/{authorization}")).expect(200);
    let balance = |name: &str| read.at(&format!("/paymentAuthorization/{name}"));
    assert_eq!(balance("balance"), json!(10.0));
    assert_eq!(balance("totalPaymentCaptureAmount"), json!(80.5));
    assert_eq!(balance("totalAuthReversalAmount"), json!(9.5));
    assert_eq!(balance("availableToCaptureAmount"), json!(10.0));
    assert_eq!(read.at("/operations").as_array().map(Vec::len), Some(4));

    let refunds = format!("payments/{first}/refunds");
    client.post(&refunds, None, &json!({ "amount": 12.34, "reason": "requested_by_customer" })).expect(201);
    let rest = client.post(&refunds, Some("rest"), &json!({})).expect(201);
    assert_eq!(rest.at("/refund/amount"), json!(17.66));
    assert_eq!(
        client.post(&refunds, Some("rest"), &json!({})).expect(201).text,
        rest.text,
        "a replay, not another rest"
    );
    client.post(&refunds, None, &json!({})).expect(422);
    client.post(&refunds, None, &json!({ "amount": 0.01 })).expect(422);
}

#[test]
fn a_final_capture_frees_the_rest() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let authorization = client.authorize("KEYED", "a", "100").expect(201).id();
    let path = format!("authorizations/{authorization}/captures");
    client.post(&path, None, &json!({ "amount": 10, "isFinalCapture": true })).expect(201);
    let refused = client.post(&path, None, &json!({ "amount": 10 })).expect(422);
    assert!(refused.text.contains("final capture"), "{}", refused.text);
}

#[test]
fn a_reversal_exceeds_the_authorization_only_where_the_gateway_keeps_the_balance() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let reverse = |class: &str, amount: Value| {
        let authorization = client.authorize(class, class, "100").expect(201).id();
        let reply =
            client.post(&format!("authorizations/{authorization}/reversals"), None, &json!({ "amount": amount }));
        (authorization, reply)
    };
    let (_, refused) = reverse("KEYED", json!(110));
    assert!(refused.expect(422).text.contains("100.0 USD"));

    let (authorization, reply) = reverse("OWN_BALANCE", json!(110));
    reply.expect(201);
    let read = client.get(&format!("authorizations/{authorization}")).expect(200);
    assert_eq!(read.at("/paymentAuthorization/balance"), json!(-10.0));
    assert_eq!(read.at("/paymentAuthorization/availableToCaptureAmount"), json!(0.0));
}

#[test]
fn an_expired_authorization_cannot_be_captured() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let authorization = client.authorize("KEYED", "a", "100").expect(201).id();
    let path = format!("authorizations/{authorization}/captures");
    client.advance("P6DT23H59M");
    client.post(&path, None, &json!({ "amount": 10 })).expect(201);
    client.advance("PT1M");
    let refused = client.post(&path, None, &json!({ "amount": 10 })).expect(422);
    assert_eq!(refused.at("/0/errorCode"), "AUTHORIZATION_EXPIRED");
    assert_eq!(client.ledger().len(), 2);
}

#[test]
fn what_has_not_taken_effect_cannot_be_acted_on() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    // Accepted, and the verdict is not in yet.
    client.script(json!([{ "fault": "lost-answer", "class": "none" }]));
    let pending = client.authorize("NONE", "a", "100").expect(202).id();
    let refused =
        client.post(&format!("authorizations/{pending}/captures"), None, &json!({ "amount": 10 })).expect(422);
    assert!(refused.text.contains("status Pending"), "{}", refused.text);
    // Another account than the authorization's.
    let authorization = client.authorize("KEYED", "b", "100").expect(201).id();
    let path = format!("authorizations/{authorization}/reversals");
    let refused = client.post(&path, None, &json!({ "amount": 10, "accountId": "001000000000002" })).expect(422);
    assert_eq!(refused.at("/0/errorCode"), "INVALID_ACCOUNT");
}
