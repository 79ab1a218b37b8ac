//! Every request, of every input, is one of PAY.JP's OpenAPI.

use std::fs;
use std::path::Path;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::{KEY, PAYJP, World, added, body, flow_known, intent, kinds, reference, stored, yen};
use crate::gateways::Intent;
use crate::ids::Record;
use crate::payment::Kind;
use crate::payment::asked::RefundReason;

/// Requests by this name of PAY.JP's schemas.
pub(super) fn validator(name: &str) -> Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/specs/payjp-v2-openapi-1.3.0-augmented.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut document: Value = serde_json::from_str(&text).expect("JSON");
    // PAY.JP's library 1.3.0 knows one more than the OpenAPI that was published before it.
    let card = &mut document["components"]["schemas"]["PaymentFlowPaymentMethodOptionsCardRequest"]["properties"];
    card["request_extended_authorization"]["enum"] = json!(["if_available", "must_extend", "never"]);
    document["$ref"] = json!(format!("#/components/schemas/{name}"));
    jsonschema::validator_for(&document).expect("a schema")
}

#[track_caller]
pub(super) fn assert_valid(validator: &Validator, value: &Value) {
    if let Err(error) = validator.validate(value) {
        panic!("{error}: {value}");
    }
}

#[test]
fn the_schemas_refuse_what_is_wrong() {
    let flow = validator("PaymentFlowCreateRequest");
    assert!(!flow.is_valid(&json!({"amount": 49, "currency": "jpy"})));
    assert!(!flow.is_valid(&json!({"amount": "50", "currency": "jpy"})) && !flow.is_valid(&json!({"amount": 50})));
    assert!(!validator("PaymentRefundCreateRequest").is_valid(&json!({"amount": 1})));
}

#[test]
fn whatever_is_admitted_is_sent_as_payjp_describes_it() {
    let [flow, capture, cancel, refund] = [
        "PaymentFlowCreateRequest",
        "PaymentFlowCaptureRequest",
        "PaymentFlowCancelRequest",
        "PaymentRefundCreateRequest",
    ]
    .map(validator);
    let mut random = fastrand::Rng::with_seed(7);
    let pick = |random: &mut fastrand::Rng, texts: &[&'static str]| texts[random.usize(..texts.len())];
    let world = World::test();
    let mut admitted = 0;
    for _ in 0..3_000 {
        let mut kind = random.choice(kinds()).expect("a kind");
        if let Kind::Refund { reason, .. } = &mut kind {
            *reason = random.choice(RefundReason::ALL).filter(|_| random.bool());
        }
        let names = [
            ("customerId", ["cus_1", "", "日本"]),
            ("paymentMethodType", ["card", "paypay", "x"]),
            ("returnUrl", ["https://shop.test/?a=\"b\"", "app://back", "x"]),
            ("threeDSecure", ["any", "automatic", "x"]),
            ("extendedAuthorization", ["if_available", "must_extend", "x"]),
            ("reference", ["pfw_1", "", "a/b"]),
            ("cancellationReason", ["duplicate", "abandoned", "x"]),
        ];
        let mut pairs = Vec::new();
        for (name, texts) in names {
            if random.u8(..4) == 0 {
                pairs.push((name, texts[random.usize(..texts.len())]));
            }
        }
        let details = added(&pairs);
        let paid = stored(pick(&mut random, &["cus_1/pm_1", "cus_1/", "pm_1", "/", "", "日本/\u{0}"]));
        let amounts = [1, 49, 50, 1_200, 9_999_999, 10_000_000, i64::MAX];
        let minor = amounts[random.usize(..amounts.len())];
        let asked = Intent {
            amount: yen(minor),
            target: kind.target().map(|_| flow_known(minor, None)),
            ..intent(&kind, Some(&paid), &details)
        };
        // Whatever is asked, it can be written.
        let request = (PAYJP.send.encode)(&asked, &world.account());
        if (PAYJP.admits)(&asked, &world.account()).is_err() {
            continue;
        }
        admitted += 1;
        match kind {
            Kind::Authorize | Kind::Sale => assert_valid(&flow, &body(&request)),
            Kind::Capture { .. } => assert_valid(&capture, &body(&request)),
            Kind::Reverse { .. } => assert_valid(&cancel, &body(&request)),
            Kind::Refund { .. } => assert_valid(&refund, &body(&request)),
            Kind::PostAuthorize => assert!(request.body.is_empty()),
        }
    }
    assert!(admitted > 500, "{admitted} were admitted");
}

#[test]
fn our_names_and_keys_are_such_as_payjp_takes() {
    assert!(super::super::is_name(KEY) && KEY.len() <= 255);
    assert!(Record::ALL.into_iter().all(|record| super::super::is_name(&reference(record))));
}
