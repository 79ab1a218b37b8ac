//! Bad input is refused with the documented body, which names the member, and changes nothing.

use kessai_functions::authorize;
use kessai_shared::memory::Meter;
use serde_json::{Value, json};

use crate::harness::{CARD, Client, Kessai};
use crate::in_process::InProcess;

/// What is sent, and the member that the refusal must name.
struct Row {
    body: Vec<u8>,
    names: &'static str,
}

fn row(body: impl Into<Vec<u8>>, names: &'static str) -> Row {
    Row { body: body.into(), names }
}

/// A good authorization with one member replaced.
fn with(client: &Client, pointer: &str, value: Value, names: &'static str) -> Row {
    let mut body = client.card_opening("KEYED", "50", CARD);
    let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
    body.pointer_mut(parent).expect("its parent")[member] = value;
    row(body.to_string(), names)
}

/// A good authorization whose amount is this text of JSON.
fn amount(client: &Client, text: &str, names: &'static str) -> Row {
    row(client.card_opening("KEYED", "@", CARD).to_string().replace(r#""@""#, text), names)
}

fn long(count: usize) -> Value {
    json!("x".repeat(count))
}

fn rows(client: &Client) -> Vec<Row> {
    [no_objects, strange_members, amounts, texts, objects, cards].into_iter().flat_map(|rows| rows(client)).collect()
}

/// A good authorization, as text.
fn good(client: &Client) -> String {
    client.card_opening("KEYED", "50", CARD).to_string()
}

fn no_objects(client: &Client) -> Vec<Row> {
    let good = good(client);
    let nested = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let mut invalid_utf8 = good.clone().into_bytes();
    invalid_utf8.extend([0xff, 0xfe]);
    vec![
        row("", "body"),
        row("{", "body"),
        row("[]", "body"),
        row("null", "body"),
        row(r#""text""#, "body"),
        row("42", "body"),
        row("{'amount':1}", "body"),
        row(format!("{good}{good}"), "body"),
        row(format!("\u{feff}{good}"), "body"),
        row(invalid_utf8, "body"),
        row(good.replace(r#""USD""#, r#""\ud800""#), "currencyIsoCode"),
        row(r#"{"comments":"\ud800"}"#, "comments"),
        row("{\"comments\":\"\u{1}\"}", "body"),
        row(format!(r#"{{"additionalData":{nested}}}"#), "additionalData"),
        row(nested.clone(), "body"),
        row(vec![b'x'; 10 * 1024 * 1024], "body"),
        row(format!(r#"{{"comments":"{}"}}"#, "x".repeat(10 * 1024 * 1024)), "body"),
    ]
}

fn strange_members(client: &Client) -> Vec<Row> {
    let good = good(client);
    let with = |pointer: &str, value, names| with(client, pointer, value, names);
    vec![
        row(good.replacen('{', r#"{"amount":1,"#, 1), "amount"),
        row(good.replacen('{', r#"{"4242424242424242":1,"#, 1), "strange name"),
        row(good.replacen('{', r#"{"additionalData":{"4242424242424242":1},"#, 1), "strange name"),
        row(good.replace(r#""cvv""#, r#""cvv":"1","cvv""#), "cvv"),
        with("/amuont", json!(1), "amuont"),
        with("/paymentMethod/cardNumber", json!(1), "paymentMethod.cardNumber"),
        with("/paymentMethod/cardPaymentMethod/pin", json!("1234"), "cardPaymentMethod.pin"),
        with("/clientContext", json!("x"), "clientContext"),
    ]
}

fn amounts(client: &Client) -> Vec<Row> {
    let with = |pointer: &str, value, names| with(client, pointer, value, names);
    let amount = |text: &str| amount(client, text, "amount");
    vec![
        with("/amount", Value::Null, "amount"),
        with("/amount", json!(""), "amount"),
        with("/amount", json!(true), "amount"),
        with("/amount", json!({}), "amount"),
        with("/amount", json!([50]), "amount"),
        with("/amount", json!("fifty"), "amount"),
        with("/amount", json!("50,00"), "amount"),
        with("/amount", json!("NaN"), "amount"),
        with("/amount", json!("Infinity"), "amount"),
        with("/amount", json!("0x32"), "amount"),
        with("/amount", json!(" 50"), "amount"),
        with("/amount", json!("٥٠"), "amount"),
        row(good(client).replace(r#""50""#, "NaN"), "body"),
        amount("0"),
        amount("-1"),
        amount("0.001"),
        amount("1e400"),
        amount("1e-400"),
        amount("123456789012345678901234567890"),
        amount("99999999999999999.99"),
        amount(&format!("1.{}1", "0".repeat(100))),
    ]
}

fn texts(client: &Client) -> Vec<Row> {
    let with = |pointer: &str, value, names| with(client, pointer, value, names);
    vec![
        with("/currencyIsoCode", json!("usd"), "currencyIsoCode"),
        with("/currencyIsoCode", json!("XAU"), "currencyIsoCode"),
        with("/currencyIsoCode", json!(840), "currencyIsoCode"),
        with("/accountId", Value::Null, "accountId"),
        with("/accountId", json!("a b"), "accountId"),
        with("/accountId", long(65), "accountId"),
        with("/comments", long(1001), "comments"),
        with("/comments", json!(["x"]), "comments"),
        with("/email", long(81), "email"),
        with("/ipAddress", long(40), "ipAddress"),
        with("/macAddress", long(33), "macAddress"),
        with("/phone", long(41), "phone"),
        with("/effectiveDate", json!("15-01-2020"), "effectiveDate"),
        with("/effectiveDate", json!(1_600_000_000), "effectiveDate"),
        with("/idempotencyKey", long(256), "idempotencyKey"),
        with("/idempotencyKey", json!("a\u{7f}"), "idempotencyKey"),
        with("/idempotencyKey", json!(7), "idempotencyKey"),
    ]
}

fn objects(client: &Client) -> Vec<Row> {
    let with = |pointer: &str, value, names| with(client, pointer, value, names);
    let six: serde_json::Map<_, _> = (0..6).map(|index| (format!("k{index}"), json!("v"))).collect();
    vec![
        with("/additionalData", six.into(), "additionalData"),
        with("/additionalData", json!({ "k": "v".repeat(256) }), "additionalData.k"),
        with("/additionalData", json!({ "k": { "deep": 1 } }), "additionalData.k"),
        with("/additionalData", json!({ ("k".repeat(256)): "v" }), "additionalData"),
        with("/paymentGroup", json!([]), "paymentGroup"),
        with("/paymentGroup", json!({}), "paymentGroup.id"),
        with("/paymentGroup", json!({ "createPaymentGroup": true, "id": "0gq000000000001" }), "paymentGroup.id"),
        with("/paymentGroup", json!({ "createPaymentGroup": "yes" }), "paymentGroup.createPaymentGroup"),
        with("/paymentGatewayId", Value::Null, "paymentGatewayId"),
        with("/paymentGatewayId", json!("nowhere"), "paymentGatewayId"),
        with("/paymentGatewayId", json!("0b0000000000001"), "paymentGatewayId"),
        with("/paymentMethod", Value::Null, "paymentMethod"),
        with("/paymentMethod", json!("4242424242424242"), "paymentMethod"),
        with("/paymentMethod", json!({}), "paymentMethod.id"),
        with("/paymentMethod/id", json!("03O000000000000"), "paymentMethod"),
        with("/paymentMethod/saveForFuture", json!("perhaps"), "paymentMethod.saveForFuture"),
        with("/paymentMethod/address", json!({ "city": "x".repeat(41) }), "paymentMethod.address.city"),
    ]
}

fn cards(client: &Client) -> Vec<Row> {
    let in_card =
        |member: &str, value, names| with(client, &format!("/paymentMethod/cardPaymentMethod/{member}"), value, names);
    vec![
        in_card("cardNumber", Value::Null, "cardPaymentMethod.cardNumber"),
        in_card("cardNumber", json!("4242424242424241"), "cardPaymentMethod.cardNumber"),
        in_card("cardNumber", json!(4_242_424_242_424_242_u64), "cardPaymentMethod.cardNumber"),
        in_card("expiryMonth", json!(13), "cardPaymentMethod.expiryMonth"),
        in_card("expiryMonth", json!(1.5), "cardPaymentMethod.expiryMonth"),
        in_card("expiryYear", json!(30), "cardPaymentMethod.expiryYear"),
        in_card("cvv", json!("12345"), "cardPaymentMethod.cvv"),
        in_card("cardType", json!("Discovery"), "cardPaymentMethod.cardType"),
        in_card("cardCategory", json!("Gift"), "cardPaymentMethod.cardCategory"),
        in_card("cardHolderName", long(256), "cardPaymentMethod.cardHolderName"),
    ]
}

#[test]
fn malformed_requests_are_refused_by_name_and_change_nothing() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let rows = rows(client);
    assert!(rows.len() >= 60, "{}", rows.len());
    for Row { body, names } in rows {
        let url = format!("{}/commerce/payments/authorizations", client.variable("KESSAI_URL"));
        let shown = String::from_utf8_lossy(&body).chars().take(300).collect::<String>();
        let request = client.request("POST", url).header("content-type", "application/json").body(body);
        let reply = client.try_send(request.expect("a request")).expect("an answer");
        assert!((400..500).contains(&reply.status), "{} {} to {shown}", reply.status, reply.text);
        let message = reply.at("/0/message");
        assert!(reply.at("/0/errorCode").is_string(), "{}", reply.text);
        assert!(message.as_str().is_some_and(|message| message.contains(names)), "{message} names {names}: {shown}");
        assert!(!reply.text.contains(CARD), "an error never repeats a card number: {}", reply.text);
    }
    assert!(client.ledger().is_empty(), "nothing reached the gateway");
    client.authorize("KEYED", "k", "50").expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_store_nothing() {
    let (kessai, in_process) = (Kessai::in_memory(), InProcess::new().await);
    let theirs = kessai.client.gateway("KEYED").as_bytes().to_vec();
    let ours = in_process.gateway.to_string().into_bytes();
    for Row { mut body, .. } in rows(&kessai.client) {
        if let Some(place) = body.windows(theirs.len()).position(|window| window == theirs) {
            body[place..place + theirs.len()].copy_from_slice(&ours);
        }
        let (answer, spent) = in_process.send(&authorize::FUNCTION, &in_process.event(&body)).await;
        assert!((400..500).contains(&answer.status_code), "{} {}", answer.status_code, answer.body);
        assert_eq!(spent, Meter::default(), "{}", answer.body);
    }
    assert!(in_process.payments.items().is_empty());
    let good = in_process.opening().to_string().into_bytes();
    let (answer, _) = in_process.send(&authorize::FUNCTION, &in_process.event(&good)).await;
    assert_eq!((answer.status_code, in_process.payments.items().len()), (201, 1), "{}", answer.body);
}

#[test]
fn what_a_sale_a_capture_and_a_refund_cannot_hold_is_refused() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let authorization = client.authorize("KEYED", "a", "50").expect(201).id();
    let captures = format!("authorizations/{authorization}/captures");
    let payment = client.post(&captures, None, &json!({ "amount": 10 })).expect(201).id();
    let refunds = format!("payments/{payment}/refunds");
    let effects = client.ledger().len();

    let mut addressed = client.opening("KEYED", "5");
    addressed["paymentMethod"]["address"] = json!({ "city": "Kyoto" });
    let mut saved = client.opening("KEYED", "5");
    saved["paymentMethod"]["saveForFuture"] = json!(false);
    let context = "x".repeat(2001);
    let rows = [
        ("sales", addressed, 400, "paymentMethod.address"),
        ("sales", saved, 400, "paymentMethod.saveForFuture"),
        (&captures, json!({}), 400, "amount"),
        (&captures, json!({ "amount": 0.001 }), 400, "amount"),
        (&captures, json!({ "amount": 1, "clientContext": context }), 400, "clientContext"),
        (&captures, json!({ "amount": 1, "isFinalCapture": 1 }), 400, "isFinalCapture"),
        (&captures, json!({ "amount": 1, "paymentGatewayId": "0b0000000000001" }), 400, "paymentGatewayId"),
        (
            &captures,
            json!({ "amount": 1, "paymentGroup": { "createPaymentGroup": true, "currencyIsoCode": "EUR" } }),
            422,
            "USD",
        ),
        (&refunds, json!({ "amount": "x" }), 400, "amount"),
        // Only without the member is all given back.
        (&refunds, json!({ "amount": null }), 400, "amount"),
        (&refunds, json!({ "amount": "" }), 400, "amount"),
        (&refunds, json!({ "amount": {} }), 400, "amount"),
        (&refunds, json!({ "amount": false }), 400, "amount"),
        (
            &captures,
            json!({ "amount": 1, "paymentGroup": { "id": "0gq1", "sourceObjectId": "801" } }),
            400,
            "sourceObjectId",
        ),
        (&refunds, json!({ "amount": 1, "reason": "because" }), 400, "reason"),
    ];
    for (path, body, status, names) in rows {
        let reply = client.post(path, None, &body).expect(status);
        assert!(reply.at("/0/message").to_string().contains(names), "{} names {names}", reply.text);
    }
    // What no JSON library would write.
    let url = format!("{}/commerce/payments/{refunds}", client.variable("KESSAI_URL"));
    for body in [r#"{"amount":"\ud800"}"#, r#"{"amount":"1","amount":"2"}"#, r#"{"amount":1"#] {
        let request = client.request("POST", url.clone()).header("content-type", "application/json");
        let request = request.body(body.as_bytes().to_vec()).expect("a request");
        client.try_send(request).expect("an answer").expect(400);
    }
    assert_eq!(client.ledger().len(), effects, "nothing reached the gateway");
}

#[test]
fn the_content_type_must_be_json() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let url = format!("{}/commerce/payments/sales", client.variable("KESSAI_URL"));
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
        let request = client.request("POST", url.clone()).header("content-type", content_type);
        let body = client.opening("KEYED", "5").to_string().into_bytes();
        let reply = client.try_send(request.body(body).expect("a request")).expect("an answer").expect(415);
        assert!(reply.at("/0/message").to_string().contains("content-type"), "{}", reply.text);
    }
    assert!(client.ledger().is_empty());
}

#[test]
fn amounts_have_no_more_decimals_than_their_currency() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let rows = [
        ("JPY", "1200", 201, "1200.0"),
        ("JPY", "1200.5", 400, "0 decimals"),
        ("KWD", "1.234", 201, "1.234"),
        ("KWD", "1.2345", 400, "3 decimals"),
        ("USD", "1.23", 201, "1.23"),
        ("USD", "1.234", 400, "2 decimals"),
        ("CLF", "1.2345", 201, "1.2345"),
    ];
    for (currency, amount, status, shows) in rows {
        let mut body = client.opening("KEYED", amount);
        body["currencyIsoCode"] = json!(currency);
        let reply = client.post("sales", None, &body).expect(status);
        assert!(reply.text.contains(shows), "{} shows {shows}", reply.text);
    }
}
