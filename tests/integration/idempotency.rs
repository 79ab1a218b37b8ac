//! One key, one effect, one answer.

use std::collections::BTreeMap;

use serde_json::json;

use crate::harness::{CARD, Kessai, at_once};

#[test]
fn two_hundred_authorizations_with_one_key_have_one_effect() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let body = client.card_opening("KEYED", "50", CARD);
    let replies = at_once(200, |_| client.post("authorizations", Some("one"), &body));

    let mut by_status: BTreeMap<u16, Vec<_>> = BTreeMap::new();
    for reply in replies {
        by_status.entry(reply.status).or_default().push(reply);
    }
    let created = by_status.remove(&201).expect("somebody is told");
    assert_eq!(created.iter().filter(|reply| !reply.replayed()).count(), 1, "one caller caused it");
    assert!(created.iter().all(|reply| reply.text == created[0].text), "all are told the same, byte for byte");
    let conflicts = by_status.remove(&409).unwrap_or_default();
    assert!(conflicts.iter().all(|reply| reply.headers.contains_key("retry-after")));
    assert!(by_status.is_empty(), "nobody hears anything else: {by_status:?}");
    assert_eq!(client.ledger().len(), 1);
}

#[test]
fn the_same_key_with_something_else_is_refused_and_names_what_differs() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let body = client.card_opening("KEYED", "50", CARD);
    client.post("authorizations", Some("k"), &body).expect(201);

    let other_card = client.card_opening("KEYED", "50", "4111111111111111");
    let mut other_cvv = body.clone();
    other_cvv["paymentMethod"]["cardPaymentMethod"]["cvv"] = json!("999");
    let mut other_address = body.clone();
    other_address["paymentMethod"]["address"] = json!({ "city": "Kyoto" });
    let mut commented = body.clone();
    commented["comments"] = json!("again");
    let rows = [
        ("authorizations", client.card_opening("KEYED", "51", CARD), "amount"),
        ("authorizations", client.card_opening("LOOK_UP", "50", CARD), "paymentGatewayId"),
        ("authorizations", other_card, "paymentMethod"),
        ("authorizations", other_address, "paymentMethod"),
        ("authorizations", commented, "comments"),
        ("sales", body.clone(), "operation"),
    ];
    for (path, body, member) in rows {
        let reply = client.post(path, Some("k"), &body).expect(422);
        assert_eq!(reply.at("/0/errorCode"), "IDEMPOTENCY_KEY_REUSED");
        let message = reply.at("/0/message").to_string();
        assert!(message.contains(member), "{message} names {member}");
    }
    // The CVV leaves no trace, so it cannot make a difference.
    assert!(client.post("authorizations", Some("k"), &other_cvv).expect(201).replayed());
    assert_eq!(client.ledger().len(), 1);
}

#[test]
fn a_number_and_its_text_and_every_form_of_the_key_mean_the_same() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let url = format!("{}/services/data/v67.0/commerce/payments/authorizations", client.variable("KESSAI_URL"));
    let bodies = [r#""amount":50"#, r#""amount":"50.00""#, r#""amount":5.0E1"#].map(|amount| {
        let rest = client.opening("KEYED", "x").to_string();
        rest.replace(r#""amount":"x""#, amount)
    });
    let first = client.authorize("KEYED", "k", "50").expect(201);
    for (header, keys) in [("sfdc-Payments-Idempotency-Key", &["k"][..]), ("Idempotency-Key", &["k", "\"k\""])] {
        for body in &bodies {
            for key in keys {
                let request =
                    client.request("POST", url.clone()).header("content-type", "application/json; charset=utf-8");
                let request = request.header(header, *key).body(body.clone().into_bytes()).expect("a request");
                let reply = client.try_send(request).expect("an answer").expect(201);
                assert!(reply.replayed());
                assert_eq!(reply.text, first.text);
            }
        }
    }
    let mut body = client.opening("KEYED", "50");
    body["idempotencyKey"] = json!("k");
    assert_eq!(client.post("authorizations", None, &body).expect(201).text, first.text);
    assert_eq!(client.ledger().len(), 1);
}

#[test]
fn two_places_for_a_key_are_refused() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let mut body = client.opening("KEYED", "50");
    body["idempotencyKey"] = json!("k");
    client.post("authorizations", Some("k"), &body).expect(400);

    let url = format!("{}/commerce/payments/authorizations", client.variable("KESSAI_URL"));
    let request =
        client.request("POST", url).header("idempotency-key", "k").header("sfdc-payments-idempotency-key", "k");
    let body = client.opening("KEYED", "50").to_string().into_bytes();
    client.try_send(request.body(body).expect("a request")).expect("an answer").expect(400);

    for header in ["idempotency-key", "sfdc-payments-idempotency-key"] {
        let url = format!("{}/commerce/payments/authorizations", client.variable("KESSAI_URL"));
        let request = client.request("POST", url).header(header, "k").header(header, "l");
        let body = client.opening("KEYED", "50").to_string().into_bytes();
        client.try_send(request.body(body).expect("a request")).expect("an answer").expect(400);
    }
    assert!(client.ledger().is_empty());
}

#[test]
fn without_a_key_each_request_is_its_own() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let body = client.opening("KEYED", "50");
    let (first, second) = (client.post("authorizations", None, &body), client.post("authorizations", None, &body));
    assert_ne!(first.expect(201).id(), second.expect(201).id());
    assert_eq!(client.ledger().len(), 2);
}

#[test]
fn a_key_is_its_merchants_and_its_payments_own() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let (first, second) = (client.authorize("KEYED", "a", "50").id(), client.authorize("KEYED", "b", "50").id());
    for authorization in [first, second] {
        let path = format!("authorizations/{authorization}/captures");
        assert!(!client.post(&path, Some("same"), &json!({ "amount": 10 })).expect(201).replayed());
        assert!(client.post(&path, Some("same"), &json!({ "amount": 10 })).expect(201).replayed());
    }
    assert_eq!(client.ledger().len(), 4);
}
