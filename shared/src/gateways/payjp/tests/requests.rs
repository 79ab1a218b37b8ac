//! Every request to the letter.

use serde_json::{Value, json};

use super::{
    KEY, PAYJP, SECRET_KEY, TOKEN, World, added, body, details_of, flow_known, intent, kinds, reference, stored,
};
use crate::card::Secret;
use crate::gateways::{Intent, Known};
use crate::ids::{Ordinal, Record};
use crate::payment::asked::{Address, Details, OnFile, RefundReason};
use crate::payment::tests::fixtures::method_id;
use crate::payment::{Instrument, Kind};
use crate::ports::Method;

#[track_caller]
fn check(world: &World, intent: &Intent<'_>, path: &str, expected: &Value) {
    for duplicate in [false, true] {
        let request = (PAYJP.send.encode)(
            &Intent { duplicate, reference: intent.reference.clone(), key: KEY.to_owned(), ..*intent },
            &world.account(),
        );
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("authorization", format!("Bearer {SECRET_KEY}")),
            ("idempotency-key", KEY.to_owned()),
        ];
        assert_eq!(request.headers, headers);
        assert_eq!((request.method, request.url.as_str()), (Method::Post, path));
        assert_eq!(body(&request), *expected);
    }
}

fn opened(kind: &Kind, more: &Value) -> Value {
    let capture_method = if *kind == Kind::Authorize { "manual" } else { "automatic" };
    let mut expected = json!({
        "amount": 1_200, "currency": "jpy", "capture_method": capture_method, "confirm": true,
        "customer_id": "cus_1", "payment_method_id": "pm_1", "metadata": {"reference": reference(kind.record())},
    });
    for (name, value) in more.as_object().expect("an object") {
        match value.is_null() {
            true => drop(expected.as_object_mut().expect("an object").remove(name)),
            false => expected[name] = value.clone(),
        }
    }
    expected
}

#[test]
fn a_payment_is_a_flow_that_is_confirmed_at_once() {
    let (world, path) = (World::test(), "https://gateway.test/v2/payment_flows");
    for kind in [Kind::Authorize, Kind::Sale] {
        let none = Details::default();
        check(&world, &intent(&kind, Some(&stored(TOKEN)), &none), path, &opened(&kind, &json!({})));
        let default = opened(&kind, &json!({"payment_method_id": null}));
        check(&world, &intent(&kind, Some(&stored("cus_1/")), &none), path, &default);
        let customer = added(&[("customerId", "cus_1")]);
        check(&world, &intent(&kind, Some(&stored("pm_1")), &customer), path, &opened(&kind, &json!({})));
        let token = Secret::new("pm_1".to_owned());
        let wallet = Instrument::Alternative {
            token,
            token_details: None,
            name: None,
            email: None,
            address: Address::default(),
        };
        check(&world, &intent(&kind, Some(&wallet), &customer), path, &opened(&kind, &json!({})));
    }
}

#[test]
fn what_a_caller_adds_goes_where_payjp_has_it() {
    let (world, path) = (World::test(), "https://gateway.test/v2/payment_flows");
    let details = added(&[
        ("returnUrl", "https://shop.test/back"),
        ("threeDSecure", "any"),
        ("extendedAuthorization", "must_extend"),
        ("paymentMethodType", "card"),
        ("loyaltyNumber", "7"),
    ]);
    let more = |card: Value| {
        json!({
            "return_url": "https://shop.test/back", "payment_method_types": ["card"],
            "payment_method_options": {"card": card},
        })
    };
    let held = json!({"request_extended_authorization": "must_extend", "request_three_d_secure": "any"});
    let rows = [(Kind::Authorize, held), (Kind::Sale, json!({"request_three_d_secure": "any"}))];
    for (kind, card) in rows {
        check(&world, &intent(&kind, Some(&stored(TOKEN)), &details), path, &opened(&kind, &more(card)));
    }
}

#[test]
fn the_type_of_a_stored_method_is_said_where_payjp_knows_the_word() {
    let (world, path) = (World::test(), "https://gateway.test/v2/payment_flows");
    for (named, types) in [("paypay", json!({"payment_method_types": ["paypay"]})), ("Wallets", json!({}))] {
        let token = Some(Secret::new(TOKEN.to_owned()));
        let wallet = Instrument::Stored(OnFile { method: method_id(), token, gateway_type: Some(named.to_owned()) });
        check(&world, &intent(&Kind::Sale, Some(&wallet), &Details::default()), path, &opened(&Kind::Sale, &types));
    }
}

#[test]
fn a_hold_is_captured_or_canceled_by_its_flow() {
    let (world, none) = (World::test(), Details::default());
    for is_final in [false, true] {
        let capture = Kind::Capture { authorization: Ordinal::FIRST, is_final };
        let path = "https://gateway.test/v2/payment_flows/pfw_1/capture";
        check(&world, &intent(&capture, None, &none), path, &json!({"amount_to_capture": 1_200}));
    }
    let reverse = Kind::Reverse { authorization: Ordinal::FIRST };
    let path = "https://gateway.test/v2/payment_flows/pfw_1/cancel";
    check(&world, &intent(&reverse, None, &none), path, &json!({}));
    let why = added(&[("cancellationReason", "abandoned")]);
    check(&world, &intent(&reverse, None, &why), path, &json!({"cancellation_reason": "abandoned"}));
}

#[test]
fn a_refund_takes_the_form_that_is_set_up() {
    let none = Details::default();
    for reason in [None, Some(RefundReason::Fraudulent)] {
        let refund = Kind::Refund { payment: Ordinal::FIRST, reason };
        let mut expected = json!({
            "payment_flow_id": "pfw_1", "amount": 1_200, "metadata": {"reference": reference(Record::Refund)},
        });
        if let Some(reason) = reason {
            expected["reason"] = json!(reason.literal());
        }
        let path = "https://gateway.test/v2/payment_refunds";
        check(&World::test(), &intent(&refund, None, &none), path, &expected);
        let members = expected.as_object_mut().expect("an object");
        members.remove("payment_flow_id");
        members.insert("payment_flow".to_owned(), json!("pfw_1"));
        let path = "https://gateway.test/v2/refunds";
        check(&World::plain_refunds(), &intent(&refund, None, &none), path, &expected);
    }
}

#[test]
fn what_is_only_asked_for_is_asked_by_its_name() {
    let (_, look_up) = PAYJP.look_up.expect("it can be asked");
    for world in [World::test(), World::plain_refunds()] {
        for kind in kinds() {
            let details = details_of(&kind);
            let name = if let Kind::Refund { .. } = kind { "re_1" } else { "pfw_1" };
            let known = Some(Known { reference: name, ..flow_known(1_200, None) });
            let request = (look_up.encode)(&Intent { known, ..intent(&kind, None, &details) }, &world.account());
            let place = match kind {
                Kind::Refund { .. } if world.credential.text("refunds") == "refunds" => "refunds/re_1",
                Kind::Refund { .. } => "payment_refunds/re_1",
                _ => "payment_flows/pfw_1",
            };
            assert_eq!(request.url, format!("https://gateway.test/v2/{place}"), "{kind:?}");
            assert_eq!((request.method, request.body.len()), (Method::Get, 0));
            assert_eq!(request.headers, [("authorization", format!("Bearer {SECRET_KEY}"))]);
        }
    }
    let details = details_of(&Kind::PostAuthorize);
    let request = (PAYJP.send.encode)(&intent(&Kind::PostAuthorize, None, &details), &World::test().account());
    assert_eq!((request.method, request.url.as_str()), (Method::Get, "https://gateway.test/v2/payment_flows/pfw_1"));
}

#[test]
fn a_name_of_payjp_leads_nowhere_else() {
    let target = Some(Known { reference: "../customers?x=#", ..flow_known(1_200, None) });
    let (none, capture) = (Details::default(), Kind::Capture { authorization: Ordinal::FIRST, is_final: false });
    let request = (PAYJP.send.encode)(&Intent { target, ..intent(&capture, None, &none) }, &World::test().account());
    assert_eq!(request.url, "https://gateway.test/v2/payment_flows/..%2Fcustomers%3Fx%3D%23/capture");
}
