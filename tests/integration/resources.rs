//! Records are found by their ids, by their merchant alone.

use serde_json::json;

use crate::harness::{CARD, Kessai};

#[test]
fn every_record_can_be_read_with_its_history_and_logs() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let mut opening = client.card_opening("KEYED", "100", CARD);
    opening["email"] = json!("carol@example.org");
    opening["comments"] = json!("first order");
    let authorization = client.post("authorizations", Some("a"), &opening).expect(201).id();
    let captures = format!("authorizations/{authorization}/captures");
    let capture = client.post(&captures, None, &json!({ "amount": 60, "clientContext": "till 7" })).expect(201).id();
    let reversal = client
        .post(&format!("authorizations/{authorization}/reversals"), None, &json!({ "amount": 40 }))
        .expect(201)
        .id();
    let refund = client
        .post(&format!("payments/{capture}/refunds"), None, &json!({ "amount": 10, "reason": "duplicate" }))
        .expect(201)
        .id();

    let read = client.get(&format!("authorizations/{authorization}")).expect(200);
    assert_eq!(read.at("/paymentAuthorization/email"), "carol@example.org");
    assert_eq!(read.at("/paymentAuthorization/comments"), "first order");
    let kinds: Vec<_> = (0..4).map(|index| read.at(&format!("/operations/{index}/type"))).collect();
    assert_eq!(kinds, ["Authorization", "Capture", "AuthorizationReversal", "ReferencedRefund"]);
    assert_eq!(read.at("/operations/0/idempotencyKey"), "a");
    assert_eq!(read.at("/operations/3/paymentGatewayLogs/0/interactionStatus"), "Success");
    assert_eq!(read.at("/operations/3/paymentGatewayLogs/0/interactionType"), "ReferencedRefund");

    for path in [format!("payments/{capture}"), format!("authorizations/{authorization}/captures/{capture}")] {
        let read = client.get(&path).expect(200);
        assert_eq!(read.at("/payment/type"), "Capture");
        assert_eq!(read.at("/payment/clientContext"), "till 7");
        assert_eq!(read.at("/payment/paymentAuthorizationId"), authorization.as_str());
        assert_eq!(read.at("/payment/balance"), json!(60.0));
        assert_eq!(read.at("/payment/totalRefundAmount"), json!(10.0));
        assert_eq!(read.at("/payment/availableToRefundAmount"), json!(50.0));
        assert_eq!(read.at("/operations").as_array().map(Vec::len), Some(2));
    }
    for path in [format!("refunds/{refund}"), format!("payments/{capture}/refunds/{refund}")] {
        let read = client.get(&path).expect(200);
        assert_eq!((read.at("/refund/reason"), read.at("/refund/paymentId")), (json!("duplicate"), json!(capture)));
    }
    let read = client.get(&format!("authorizations/{authorization}/reversals/{reversal}")).expect(200);
    assert_eq!(read.at("/paymentAuthAdjustment/type"), "Reversal");
    // Fifteen characters are as good as eighteen.
    client.get(&format!("refunds/{}", &refund[..15])).expect(200);
}

#[test]
fn what_is_not_there_is_not_found_whatever_it_looks_like() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let authorization = client.authorize("KEYED", "a", "50").expect(201).id();
    let sale = client.post("sales", None, &client.opening("KEYED", "50")).expect(201).id();
    let swapped_case = authorization.to_ascii_lowercase();
    let rows = [
        "authorizations/0Xc000000000001".to_owned(),
        "authorizations/x".to_owned(),
        format!("authorizations/{sale}"),
        format!("authorizations/{swapped_case}"),
        format!("payments/{authorization}"),
        format!("refunds/{authorization}"),
        format!("authorizations/{authorization}/captures/{sale}"),
        format!("payments/0aQ{}", &authorization[3..15]),
        "payments/%00".to_owned(),
    ];
    let expected = client.get(&rows[0]).expect(404);
    assert_eq!(expected.at("/0/errorCode"), "NOT_FOUND");
    for path in rows {
        assert_eq!(client.get(&path).expect(404), expected, "{path}");
    }
    client.post("authorizations/0Xc000000000001/captures", None, &json!({ "amount": 1 })).expect(404);
    client.post(&format!("payments/{authorization}/refunds"), None, &json!({})).expect(404);
}

#[test]
fn another_merchants_records_are_not_there() {
    let (ours, theirs) = (Kessai::in_memory(), Kessai::in_memory());
    let id = theirs.client.authorize("KEYED", "a", "50").expect(201).id();
    let unknown = ours.client.get("authorizations/0Xc000000000001").expect(404);
    assert_eq!(ours.client.get(&format!("authorizations/{id}")), unknown);
}

#[test]
fn nobody_gets_in_without_a_key() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let url = format!("{}/commerce/payments/sales", client.variable("KESSAI_URL"));
    let unknown = format!("Bearer kessai_{}", "0".repeat(64));
    let basic = format!("Basic {}", client.variable("KESSAI_API_KEY"));
    for authorization in
        [None, Some(""), Some("Bearer"), Some("Bearer x"), Some(unknown.as_str()), Some(basic.as_str())]
    {
        let mut request =
            ureq::http::Request::builder().method("POST").uri(&url).header("content-type", "application/json");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let body = client.opening("KEYED", "5").to_string().into_bytes();
        let reply = client.try_send(request.body(body).expect("a request")).expect("an answer").expect(401);
        assert_eq!(reply.at("/0/errorCode"), "INVALID_SESSION_ID");
    }
    assert!(client.ledger().is_empty());
}

#[test]
fn a_client_side_authorization_is_registered_and_captured() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let card = json!({ "number": CARD, "expiryMonth": 12, "expiryYear": 2030 });
    let browser = json!({ "amount": 7500, "currency": "EUR", "card": card });
    let reference = client.control("POST", "SANDBOX_URL", "/keyed/client-authorizations", &browser).at("/id");
    let body = json!({
        "accountId": "001000000000001", "amount": 75, "currencyIsoCode": "EUR", "paymentGatewayId": client.gateway("KEYED"),
        "effectiveDate": "2026-08-01T00:00:00.000Z",
        "paymentGroup": { "createPaymentGroup": true, "sourceObjectId": "801000000000001", "currencyIsoCode": "EUR" },
        "paymentMethod": { "alternativePaymentMethod": {
            "accountId": "001000000000001", "gatewayToken": "tok_secret_1", "gatewayTokenDetails": "ideal", "name": "iDEAL", "email": "a@example.org",
        }, "saveForFuture": false },
        "additionalData": { "reference": reference },
    });
    let reply = client.post("postAuths", Some("p"), &body).expect(201);
    assert_eq!(reply.at("/paymentAuthorization/status"), "Processed");
    assert_eq!(reply.at("/gatewayResponse/paymentMethodDetails/alternativePaymentMethod/name"), "iDEAL");
    assert!(!reply.text.contains("tok_secret_1"));
    client.post(&format!("authorizations/{}/captures", reply.id()), None, &json!({ "amount": 75 })).expect(201);

    let mut wrong = body;
    wrong["amount"] = json!(80);
    let declined = client.post("postAuths", Some("q"), &wrong).expect(402);
    assert_eq!(declined.result_code(), "ValidationError");
    for path in ["authorizations", "sales"] {
        let refused = client.post(path, Some("r"), &wrong).expect(422);
        assert_eq!(refused.at("/0/errorCode"), "NOT_SUPPORTED", "{}", refused.text);
        assert!(refused.text.contains("paymentMethod.alternativePaymentMethod"), "{}", refused.text);
    }
}
