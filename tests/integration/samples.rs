//! The printed payloads of the wire format are taken as printed.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Kessai, STORED_METHOD};

/// Payloads beside the checkout; a checkout that stands alone has only the test's own reading of them.
fn sample(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples/commerce-payments").join(name);
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).expect("the sample is JSON"))
}

/// The names of all members, with those of their members.
fn members(value: &Value) -> Vec<String> {
    match value {
        Value::Object(object) => object
            .iter()
            .flat_map(|(name, value)| {
                let inner = members(value).into_iter().map(move |member| format!("{name}.{member}"));
                std::iter::once(name.clone()).chain(inner).collect::<Vec<_>>()
            })
            .collect(),
        Value::Array(array) => array.first().map(members).unwrap_or_default(),
        _ => Vec::new(),
    }
}

#[test]
fn the_printed_reversal_is_taken_and_answered_with_exactly_the_printed_members() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let authorization = client.authorize("KEYED", "a", "150").expect(201).id();
    let printed = sample("reversal-request.seed002.json").unwrap_or_else(|| {
        json!({
            "accountId": "", "amount": "150", "comments": "reversal", "effectiveDate": "2020-10-18T11:32:27.000Z",
            "ipAddress": "202.95.77.70", "macAddress": "00-14-22-01-23-45", "phone": "1", "email": "a@example.org",
            "additionalData": { "key1": "value1" },
        })
    });
    let reply = client.post(&format!("authorizations/{authorization}/reversals"), None, &printed).expect(201);
    let expected = [
        "gatewayResponse",
        "gatewayResponse.gatewayDate",
        "gatewayResponse.gatewayReferenceNumber",
        "gatewayResponse.gatewayResultCode",
        "gatewayResponse.gatewayResultCodeDescription",
        "gatewayResponse.salesforceResultCode",
        "paymentAuthAdjustment",
        "paymentAuthAdjustment.amount",
        "paymentAuthAdjustment.currencyIsoCode",
        "paymentAuthAdjustment.effectiveDate",
        "paymentAuthAdjustment.id",
        "paymentAuthAdjustment.paymentAuthAdjustmentNumber",
        "paymentAuthAdjustment.requestDate",
        "paymentAuthAdjustment.status",
        "paymentGatewayLogs",
        "paymentGatewayLogs.createdDate",
        "paymentGatewayLogs.gatewayResultCode",
        "paymentGatewayLogs.id",
        "paymentGatewayLogs.interactionStatus",
    ];
    assert_eq!(members(&reply.json()), expected);
    if let Some(printed) = sample("reversal-response-201.seed002.json") {
        assert_eq!(members(&printed), expected, "the printed answer has these members");
    }
    assert_eq!(reply.at("/paymentAuthAdjustment/effectiveDate"), "2020-10-18T11:32:27.000Z");
    assert_eq!(reply.at("/gatewayResponse/gatewayResultCodeDescription"), "Transaction Normal");
}

#[test]
fn the_printed_capture_is_taken() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let authorization = client.authorize("KEYED", "a", "150").expect(201).id();
    let printed = sample("capture-request.chatterapi.json").unwrap_or_else(|| {
        json!({
            "accountId": "", "amount": 150, "idempotencyKey": "qw",
            "paymentGroup": { "createPaymentGroup": "true", "sourceObjectId": "", "currencyIsoCode": "USD" },
        })
    });
    let reply = client.post(&format!("authorizations/{authorization}/captures"), None, &printed).expect(201);
    assert_eq!(reply.at("/payment/amount"), json!(150.0));
    assert_eq!(reply.at("/paymentGroup/currencyIsoCode"), "USD");
    let history = client.get(&format!("payments/{}", reply.id()));
    assert_eq!(history.at("/operations/0/idempotencyKey"), printed["idempotencyKey"]);
}

#[test]
fn a_sale_on_the_printed_payment_method_is_taken() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let mut printed =
        sample("sale-paymentmethod-id.chatterapi.json").unwrap_or_else(|| json!({ "paymentMethod": { "id": "" } }));
    printed["paymentMethod"]["id"] = json!(STORED_METHOD);
    printed["amount"] = json!("120.5");
    printed["paymentGatewayId"] = json!(client.gateway("KEYED"));
    let reply = client.post("sales", None, &printed).expect(201);
    assert_eq!(reply.at("/payment/amount"), json!(120.5));
    assert_eq!(reply.at("/payment/status"), "Processed");
    assert_eq!(reply.at("/paymentMethod/status"), "Active");
}
