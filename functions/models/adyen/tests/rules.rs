//! What the model refuses, and that its answers are Adyen's.

use super::*;

fn post(model: &mut Adyen, path: &str, key: &str, body: &Value, now: i64) -> Answer {
    let mut headers = BTreeMap::from([("x-api-key".to_owned(), "AQEyhmfxLI3MaBFLw0m".to_owned())]);
    if !key.is_empty() {
        headers.insert("idempotency-key".to_owned(), key.to_owned());
    }
    let request = Request {
        method: "POST".to_owned(),
        path: path.to_owned(),
        headers,
        body: body.to_string().into_bytes(),
        ..Request::default()
    };
    model.handle(&request, now)
}

fn said(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).expect("JSON")
}

fn payment() -> Value {
    json!({
        "merchantAccount": "KessaiCOM", "reference": "order-1", "amount": {"currency": "EUR", "value": 1_000},
        "returnUrl": "https://shop.test/back", "additionalData": {"manualCapture": "true"},
        "paymentMethod": {"type": "scheme", "number": "4111111111111111", "expiryMonth": "03", "expiryYear": "2030", "cvc": "737"},
    })
}

fn authorise() -> Value {
    json!({
        "merchantAccount": "KessaiCOM", "reference": "order-1", "amount": {"currency": "EUR", "value": 1_000},
        "card": {"number": "4111111111111111", "expiryMonth": "03", "expiryYear": "2030", "cvc": "737"},
    })
}

/// The same with something else at this place.
fn with(body: &Value, place: &str, value: Value) -> Value {
    let mut body = body.clone();
    match value {
        Value::Null => {
            let (parent, name) = place.rsplit_once('/').expect("a place");
            body.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object").remove(name);
        }
        value => {
            let (parent, name) = place.rsplit_once('/').expect("a place");
            body.pointer_mut(parent).expect("a place")[name] = value;
        }
    }
    body
}

#[test]
fn what_is_wrong_is_refused_with_adyens_codes() {
    let rows = [
        ("/merchantAccount", Value::Null, 403, "901"),
        ("/reference", Value::Null, 422, "130"),
        ("/reference", json!("x".repeat(81)), 400, "702"),
        ("/amount", Value::Null, 422, "100"),
        ("/amount/value", json!("1000"), 400, "702"),
        ("/amount/value", json!(-1), 422, "137"),
        ("/amount/currency", json!("XXX"), 422, "138"),
        ("/amount/more", json!(1), 400, "702"),
        ("/something", json!(1), 400, "702"),
        ("/captureDelayHours", json!(673), 400, "702"),
    ];
    for (path, whole, card) in
        [("/v71/payments", payment(), "/paymentMethod"), ("/pal/servlet/Payment/v52/authorise", authorise(), "/card")]
    {
        let mut model = Adyen::new(KEY);
        let of_card = [
            (format!("{card}/number"), json!("4111111111111112"), 422, "101"),
            (format!("{card}/expiryMonth"), json!("13"), 422, "129"),
            (format!("{card}/expiryYear"), json!("30"), 422, "129"),
            (format!("{card}/cvc"), json!("7"), 422, "103"),
            (format!("{card}/pin"), json!("1"), 400, "702"),
        ];
        let rows = rows.clone().map(|(place, value, status, code)| (place.to_owned(), value, status, code));
        for (place, value, status, code) in rows.into_iter().chain(of_card) {
            let answer = post(&mut model, path, "", &with(&whole, &place, value), NOW);
            assert_eq!((answer.status, said(&answer)["errorCode"].as_str()), (status, Some(code)), "{place}");
            assert_eq!(said(&answer)["status"], status);
        }
        assert_eq!(model.effects(i64::MAX), []);
        assert_eq!(post(&mut model, path, "", &whole, NOW).status, 200);
    }
    let mut model = Adyen::new(KEY);
    let answer = post(&mut model, "/payments", "", &with(&payment(), "/returnUrl", Value::Null), NOW);
    assert_eq!((answer.status, said(&answer)["errorCode"].as_str()), (422, Some("14_030")));
    assert_eq!(post(&mut model, "/nowhere", "", &payment(), NOW).status, 404);
    let nobody = Request { method: "POST".to_owned(), path: "/payments".to_owned(), ..Request::default() };
    assert_eq!(model.handle(&nobody, NOW).status, 401);
}

#[test]
fn a_modification_needs_its_payment_and_its_currency() {
    let mut model = Adyen::new(KEY);
    let name =
        said(&post(&mut model, "/payments", "", &payment(), NOW))["pspReference"].as_str().expect("a name").to_owned();
    let amount = |currency: &str, value: i64| json!({"merchantAccount": "KessaiCOM", "amount": {"currency": currency, "value": value}});
    let rows = [
        ("nobody", amount("EUR", 100), 422, Some("167")),
        (name.as_str(), amount("USD", 100), 422, Some("137")),
        (name.as_str(), amount("EUR", 0), 422, Some("137")),
        (
            name.as_str(),
            with(&amount("EUR", 100), "/merchantRefundReason", json!("customer_request")),
            400,
            Some("702"),
        ),
        (name.as_str(), amount("EUR", 100), 201, None),
    ];
    for (of, body, status, code) in rows {
        let answer = post(&mut model, &format!("/payments/{of}/refunds"), "", &body, NOW);
        assert_eq!((answer.status, said(&answer)["errorCode"].as_str()), (status, code), "{body}");
    }
    let classic = json!({"merchantAccount": "KessaiCOM", "modificationAmount": {"currency": "EUR", "value": 1}});
    assert_eq!(said(&post(&mut model, "/capture", "", &classic, NOW))["errorCode"], "167");
}

#[test]
fn a_reversal_is_whichever_of_the_two_it_can_be() {
    for (whole, act) in [(payment(), Act::Reverse), (with(&payment(), "/captureDelayHours", json!(0)), Act::Refund)] {
        let mut model = Adyen::new(KEY);
        let whole = if act == Act::Refund { with(&whole, "/additionalData", Value::Null) } else { whole };
        let name =
            said(&post(&mut model, "/payments", "", &whole, NOW))["pspReference"].as_str().expect("a name").to_owned();
        model.webhooks(NOW);
        let answer =
            post(&mut model, &format!("/payments/{name}/reversals"), "", &json!({"merchantAccount": "KessaiCOM"}), NOW);
        assert_eq!(answer.status, 201);
        assert_eq!(model.effects(i64::MAX).last().map(|effect| effect.act), Some(act));
        let told = model.webhooks(NOW);
        assert!(told.len() == 1 && told[0].body.contains("\"CANCEL_OR_REFUND\""));
    }
}

#[test]
fn a_key_is_known_for_31_days_and_for_one_request() {
    const DAY: i64 = 24 * 60 * 60 * SECOND;
    let mut model = Adyen::new(KEY);
    let first = post(&mut model, "/payments", "k1", &payment(), NOW);
    assert_eq!(post(&mut model, "/payments", "k1", &payment(), NOW + 31 * DAY - 1), first);
    let other = post(&mut model, "/payments", "k1", &with(&payment(), "/reference", json!("order-2")), NOW);
    assert_eq!((other.status, said(&other)["errorCode"].as_str()), (422, Some("704")));
    assert_eq!(model.effects(NOW).len(), 1);
    assert_ne!(post(&mut model, "/payments", "k1", &payment(), NOW + 31 * DAY), first, "it is forgotten");
    assert_eq!(post(&mut model, "/payments", &"k".repeat(65), &payment(), NOW).status, 400);
}

#[test]
fn every_answer_is_one_that_adyens_documents_allow() {
    for (path, whole, classic) in [("/payments", payment(), false), ("/authorise", authorise(), true)] {
        let schemas = Schemas::of(adapter(if classic { "adyen-classic" } else { "adyen" }));
        let result = if classic { "PaymentResult" } else { "PaymentResponse" };
        let mut model = Adyen::new(KEY);
        for minor in [1_000, 9_001, 9_004, 9_006, 9_018, 9_019, 9_021, 9_022, 9_023] {
            let answer = post(&mut model, path, "", &with(&whole, "/amount/value", json!(minor)), NOW);
            assert_eq!(answer.status, 200);
            schemas.assert_allow(result, &answer);
        }
        let refused = post(&mut model, path, "", &with(&whole, "/reference", Value::Null), NOW);
        schemas.assert_allow("ServiceError", &refused);
        let name = said(&post(&mut model, path, "", &whole, NOW))["pspReference"].as_str().expect("a name").to_owned();
        let common = json!({"merchantAccount": "KessaiCOM", "reference": "mod-1"});
        let amount = json!({"currency": "EUR", "value": 100});
        if classic {
            let common = with(&common, "/originalReference", json!(name));
            let partly = with(&common, "/modificationAmount", amount);
            for (path, body) in [("/capture", &partly), ("/refund", &partly), ("/cancel", &common)] {
                schemas.assert_allow("ModificationResult", &post(&mut model, path, "", body, NOW));
            }
            continue;
        }
        let partly = with(&common, "/amount", amount);
        let refund = with(&partly, "/merchantRefundReason", json!("CUSTOMER REQUEST"));
        let rows = [
            ("captures", &partly, "PaymentCaptureResponse"),
            ("refunds", &refund, "PaymentRefundResponse"),
            ("cancels", &common, "PaymentCancelResponse"),
        ];
        for (what, body, schema) in rows {
            let answer = post(&mut model, &format!("/payments/{name}/{what}"), "", body, NOW);
            assert_eq!(answer.status, 201);
            schemas.assert_allow(schema, &answer);
        }
        let store = json!({
            "merchantAccount": "KessaiCOM", "shopperReference": "shopper-1", "recurringProcessingModel": "CardOnFile",
            "paymentMethod": payment()["paymentMethod"],
        });
        schemas
            .assert_allow("StoredPaymentMethodResource", &post(&mut model, "/storedPaymentMethods", "", &store, NOW));
        let methods = post(&mut model, "/paymentMethods", "", &json!({"merchantAccount": "KessaiCOM"}), NOW);
        schemas.assert_allow("PaymentMethodsResponse", &methods);
    }
}

#[test]
fn what_adyen_counts_in_other_units_stands_in_the_ledger_in_those_of_the_standard() {
    let rows = [
        ("IDR", 1_500, 150_000),
        ("CVE", 7, 700),
        ("CLP", 129_900, 1_299),
        ("ISK", 1_200, 12),
        ("BHD", 1_501, 1_501),
        ("JPY", 500, 500),
    ];
    for (currency, value, minor) in rows {
        let mut model = Adyen::new(KEY);
        post(
            &mut model,
            "/payments",
            "",
            &with(&payment(), "/amount", json!({"currency": currency, "value": value})),
            NOW,
        );
        let effects = model.effects(NOW);
        assert_eq!(
            effects.iter().map(|effect| (effect.minor, effect.currency.as_str())).collect::<Vec<_>>(),
            [(minor, currency)]
        );
    }
}

#[test]
fn nothing_that_comes_breaks_it() {
    let mut model = Adyen::new(KEY);
    let bodies = ["", "[]", "null", "<html>", "{\"amount\":[]}", "{\"merchantAccount\":7}"].map(str::to_owned);
    let deep = ["[".repeat(10_000), "{\"a\":".repeat(10_000)];
    for path in
        ["/payments", "/authorise", "/payments/x/captures", "/cancel", "/storedPaymentMethods", "/paymentMethods", "/"]
    {
        for body in bodies.iter().chain(&deep) {
            let headers = BTreeMap::from([("x-api-key".to_owned(), "AQEyhmfxLI3MaBFLw0m".to_owned())]);
            let request = Request {
                method: "POST".to_owned(),
                path: path.to_owned(),
                headers,
                body: body.clone().into_bytes(),
                ..Request::default()
            };
            let answer = model.handle(&request, NOW);
            assert!((400..500).contains(&answer.status), "{path} {}", answer.status);
            assert!(said(&answer)["errorCode"].is_string());
        }
    }
    assert_eq!(model.effects(i64::MAX), []);
}
