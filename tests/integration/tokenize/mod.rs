//! Cards and accounts become stored methods, and stored methods pay: once, whatever is lost, and never in the clear.

mod later;
mod refused;

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{CARD, Client, Kessai, Reply, at_once};

/// A good request to tokenize a card.
pub fn card(client: &Client, class: &str) -> Value {
    json!({
        "cardPaymentMethod": {
            "cardHolderName": "Carol Smith", "cardHolderFirstName": "Carol", "cardHolderLastName": "Smith",
            "cardNumber": CARD, "cardType": "Visa", "cardCategory": "CreditCard", "expiryMonth": "05", "expiryYear": 2030,
            "cvv": "000", "email": "csmith@example.com", "accountId": "001000000000001AAA", "nickName": "Mine",
        },
        "address": {
            "street": "128 1st Street", "city": "San Francisco", "state": "CA", "country": "USA", "postalCode": "94015",
            "companyName": "Example",
        },
        "paymentGatewayId": client.gateway(class), "additionalData": { "key1": "value1" },
    })
}

/// A good request to tokenize a bank account.
pub fn bank(client: &Client, class: &str) -> Value {
    json!({
        "bankPaymentMethod": {
            "accountHolderName": "Carol Smith", "accountHolderType": "Individual", "accountNumber": "000123456789",
            "accountType": "Checking", "bankCode": "110000000", "bankType": "ACH", "standardEntryClassCode": "WEB",
            "accountId": "001000000000001AAA", "mandate": "mandate 1", "autoPay": "true",
        },
        "paymentGatewayId": client.gateway(class), "savedByMerchant": true,
    })
}

fn tokenize(client: &Client, key: &str, body: &Value) -> Reply {
    client.post("payment-methods", Some(key), body)
}

fn method_id(reply: &Reply) -> String {
    reply.at("/paymentMethod/id").as_str().expect("a method").to_owned()
}

fn sale(client: &Client, class: &str, method: &str) -> Value {
    json!({ "amount": 12, "currencyIsoCode": "USD", "paymentGatewayId": client.gateway(class), "paymentMethod": { "id": method } })
}

#[test]
fn the_printed_tokenization_is_taken_as_printed() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/samples/commerce-payments/tokenize-request.seed002.json");
    // A checkout that stands alone has only our own reading of it.
    let mut printed = std::fs::read_to_string(path).map_or_else(
        |_| card(client, "KEYED"),
        |text| serde_json::from_str::<Value>(&text).expect("the sample is JSON"),
    );
    printed["paymentGatewayId"] = json!(client.gateway("KEYED"));
    let paths = [
        "commerce/payments/payment-methods",
        "commerce/payments/payment-method/tokens",
        "commerce/payments/payment-method/tokens/",
        "services/data/v67.0/commerce/payments/payment-methods",
        "services/data/v51.0/commerce/payments/payment-method/tokens/",
    ];
    let answers = paths.map(|path| client.ask("POST", path, Some("printed"), &printed).expect(201));
    assert!(answers[1..].iter().all(|answer| answer.text == answers[0].text && answer.replayed()));
    let answer = &answers[0];
    for (pointer, value) in [
        ("/paymentMethod/status", json!("Active")),
        ("/paymentMethod/accountId", printed["cardPaymentMethod"]["accountId"].clone()),
        ("/gatewayResponse/gatewayResultCode", json!("00")),
        ("/gatewayResponse/gatewayResultCodeDescription", json!("Transaction Normal")),
        ("/gatewayResponse/salesforceResultCode", json!("Success")),
        ("/paymentGatewayLogs/0/gatewayResultCode", json!("00")),
    ] {
        assert_eq!(answer.at(pointer), value, "{pointer}");
    }
    assert!(method_id(answer).starts_with("03O"));
    let token = answer.at("/gatewayResponse/gatewayTokenEncrypted");
    assert!(token.as_str().is_some_and(|token| token.starts_with("kst_")), "an opaque token of ours: {token}");
    client.ask("POST", "commerce/payments/payment-method/tokens/more", None, &printed).expect(404);
}

#[test]
fn a_tokenized_card_pays_and_says_who_started_it() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    for class in crate::harness::CLASSES {
        let method = method_id(&tokenize(client, class, &card(client, class)).expect(201));
        let mut body = sale(client, class, &method);
        body["submittedByMerchant"] = json!(true);
        let reply = client.post("sales", None, &body).expect(201);
        assert_eq!(reply.at("/paymentMethod/id"), json!(method));
        let authorization = client.post("authorizations", None, &{
            let mut body = sale(client, class, &method);
            body["accountId"] = json!("001000000000001AAA");
            body
        });
        authorization.expect(201);
        let ledger = client.ledger();
        let flags: Vec<_> = ledger.iter().rev().take(2).map(|effect| effect["merchantInitiated"].clone()).collect();
        assert_eq!(flags, [Value::Null, json!(true)], "{class}");
        assert!(ledger.iter().all(|effect| effect["kind"] != "tokenize"), "a token moves no money");
    }
}

#[test]
fn a_bank_account_is_kept_by_its_last_four_digits() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let reply = tokenize(client, "bank", &bank(client, "KEYED")).expect(201);
    let method = method_id(&reply);
    let read = client.get(&format!("payment-methods/{method}")).expect(200);
    let bank = "/paymentMethod/paymentMethodDetails/bankPaymentMethod";
    for (pointer, value) in [
        ("/paymentMethod/type".to_owned(), json!("AlternativePaymentMethod")),
        ("/paymentMethod/autoPay".to_owned(), json!(true)),
        ("/paymentMethod/savedByMerchant".to_owned(), json!(true)),
        (format!("{bank}/last4"), json!("6789")),
        (format!("{bank}/bankType"), json!("Ach")),
        (format!("{bank}/bankCode"), json!("110000000")),
        (format!("{bank}/accountType"), json!("Checking")),
        (format!("{bank}/accountHolderType"), json!("Individual")),
        (format!("{bank}/standardEntryClassCode"), json!("Web")),
        (format!("{bank}/mandate"), json!("mandate 1")),
    ] {
        assert_eq!(read.at(&pointer), value, "{pointer}");
    }
    assert!(!read.text.contains("123456789") && !read.text.contains("Carol"), "{}", read.text);
    client.post("sales", None, &sale(client, "KEYED", &method)).expect(201);
}

#[test]
fn a_method_is_made_once_whatever_is_lost() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    // Lost on the way there or back: unknown at first, and the same key asks again.
    for (fault, status) in [
        ("lost-request", 202),
        ("lost-answer", 202),
        ("error-after", 202),
        ("malformed-body", 202),
        ("too-many-requests", 503),
    ] {
        client.script(json!([{ "fault": fault, "kind": "tokenize" }]));
        let body = card(client, "KEYED");
        let first = tokenize(client, fault, &body).expect(status);
        if status == 202 {
            assert_eq!(first.result_code(), "Indeterminate", "{fault}");
            assert_eq!(first.at("/paymentMethod/status"), Value::Null, "{fault}");
        }
        let second = tokenize(client, fault, &body).expect(201);
        assert_eq!(tokenize(client, fault, &body).expect(201).text, second.text, "{fault}");
        client.post("sales", None, &sale(client, "KEYED", &method_id(&second))).expect(201);
    }
    // Whoever asks at the same time is told so, and one token comes of it.
    let replies = at_once(8, |_| tokenize(client, "at once", &card(client, "KEYED")));
    let ids: std::collections::BTreeSet<_> =
        replies.iter().filter(|reply| reply.status == 201).map(method_id).collect();
    assert_eq!(ids.len(), 1, "{replies:?}");
    assert!(replies.iter().all(|reply| [201, 409].contains(&reply.status)), "{replies:?}");
}

#[test]
fn the_same_key_with_something_else_is_refused_and_names_what_differs() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    tokenize(client, "k", &card(client, "KEYED")).expect(201);
    let rows = [
        ("/cardPaymentMethod/cardNumber", json!("4111111111111111"), "paymentMethod"),
        ("/cardPaymentMethod/expiryMonth", json!(6), "paymentMethod"),
        ("/cardPaymentMethod/cardCategory", json!("DebitCard"), "paymentMethod"),
        ("/cardPaymentMethod/cardHolderName", json!("Carol Smythe"), "paymentMethod"),
        ("/address/street", json!("129 1st Street"), "paymentMethod"),
        ("/cardPaymentMethod/nickName", json!("Yours"), "nickName"),
        ("/cardPaymentMethod/accountId", json!("001000000000002"), "accountId"),
        ("/paymentGatewayId", json!(client.gateway("LOOK_UP")), "paymentGatewayId"),
        ("/savedByMerchant", json!(true), "savedByMerchant"),
        ("/additionalData/key1", json!("other"), "additionalData"),
    ];
    for (pointer, value, names) in rows {
        let mut body = card(client, "KEYED");
        let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
        body.pointer_mut(parent).expect("its parent")[member] = value;
        let reply = tokenize(client, "k", &body).expect(422);
        assert!(reply.at("/0/message").to_string().contains(names), "{pointer}: {}", reply.text);
    }
    // Of the CVV nothing is kept to compare.
    let mut body = card(client, "KEYED");
    body["cardPaymentMethod"]["cvv"] = json!("999");
    assert!(tokenize(client, "k", &body).expect(201).replayed());
}

#[test]
fn what_a_gateway_does_not_keep_is_an_answer_for_good() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let mut body = card(client, "KEYED");
    body["cardPaymentMethod"]["cardNumber"] = json!("4000000000000002");
    client.script(json!([{ "fault": "decline", "kind": "tokenize" }]));
    let first = tokenize(client, "declined", &body).expect(402);
    assert_eq!((first.result_code().as_str(), first.at("/paymentMethod")), ("Decline", Value::Null));
    assert_eq!(first.at("/error/errorCode"), json!("DECLINED"));
    let second = tokenize(client, "declined", &body).expect(402);
    assert_eq!((second.text.as_str(), second.replayed()), (first.text.as_str(), true));
}

#[test]
fn a_card_that_is_saved_with_its_payment_can_be_used_again() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    for path in ["sales", "authorizations"] {
        let mut body = client.card_opening("KEYED", "50", CARD);
        body["paymentMethod"]["saveForFuture"] = json!(true);
        let first = client.post(path, Some(path), &body).expect(201);
        let method = method_id(&first);
        assert_eq!(client.post(path, Some(path), &body).expect(201).text, first.text);
        client.post("sales", None, &sale(client, "KEYED", &method)).expect(201);
        // The same key without saving is another request.
        body["paymentMethod"]["saveForFuture"] = json!(false);
        let reply = client.post(path, Some(path), &body).expect(422);
        assert!(reply.at("/0/message").to_string().contains("paymentMethod"), "{}", reply.text);
    }
    let listed = client.get("payment-methods?accountId=001000000000001").expect(200);
    assert_eq!(listed.at("/paymentMethods").as_array().map(Vec::len), Some(2), "one key, one method: {}", listed.text);
}

#[test]
fn nothing_is_charged_before_it_is_known_whether_the_card_is_kept() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let mut body = client.card_opening("KEYED", "50", CARD);
    body["paymentMethod"]["saveForFuture"] = json!(true);
    for (fault, status) in [("lost-answer", 503), ("too-many-requests", 503), ("decline", 402)] {
        client.script(json!([{ "fault": fault, "kind": "tokenize" }]));
        client.post("sales", Some(fault), &body).expect(status);
        assert!(client.ledger().is_empty(), "{fault}");
    }
    let paid = client.post("sales", Some("lost-answer"), &body).expect(201);
    assert_eq!(client.effects_of(&paid.id()), 1);
    let refused = client.post("sales", Some("decline"), &body).expect(402);
    assert!(refused.replayed(), "refused for good");
    assert_eq!(client.ledger().len(), 1);
}

#[test]
fn nothing_is_kept_for_a_payment_that_cannot_be_asked_for() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let mut body = client.card_opening("KEYED", "10.001", CARD);
    body["paymentMethod"]["saveForFuture"] = json!(true);
    client.post("sales", None, &body).expect(400);
    body["amount"] = json!("10");
    body["paymentGroup"] = json!({ "createPaymentGroup": true, "currencyIsoCode": "EUR" });
    client.post("sales", None, &body).expect(422);
    let listed = client.get("payment-methods?accountId=001000000000001").expect(200);
    assert_eq!(listed.at("/paymentMethods"), json!([]));
}

#[test]
fn a_post_authorization_stores_the_token_that_came_with_it() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let browser = client.control(
        "POST",
        "SANDBOX_URL",
        "/keyed/client-authorizations",
        &json!({ "amount": 7500, "currency": "EUR", "card": { "number": CARD, "expiryMonth": 12, "expiryYear": 2030 } }),
    );
    let body = json!({
        "accountId": "001000000000001", "amount": 75, "currencyIsoCode": "EUR", "paymentGatewayId": client.gateway("KEYED"),
        "paymentMethod": {
            "alternativePaymentMethod": { "gatewayToken": "tok_1", "gatewayTokenDetails": "ideal", "name": "iDEAL" },
            "saveForFuture": true,
        },
        "additionalData": { "reference": browser.at("/id") },
    });
    let first = client.post("postAuths", Some("k"), &body).expect(201);
    assert_eq!(first.at("/savedPaymentMethodStatus"), json!("Created"));
    assert_eq!(client.post("postAuths", Some("k"), &body).expect(201).text, first.text);
    let method = method_id(&first);
    let read = client.get(&format!("payment-methods/{method}")).expect(200);
    assert_eq!(read.at("/paymentMethod/nickName"), json!("iDEAL"), "{}", read.text);
    assert!(!first.text.contains("tok_1") && !read.text.contains("tok_1"));
}

#[test]
fn methods_are_read_listed_changed_and_canceled() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let ids: Vec<_> =
        (0..5).map(|index| method_id(&tokenize(client, &index.to_string(), &card(client, "KEYED")))).collect();
    let mut other = card(client, "KEYED");
    other["cardPaymentMethod"]["accountId"] = json!("001000000000002");
    tokenize(client, "other account", &other).expect(201);
    // Page by page, each once.
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = client
            .get(&format!("payment-methods?accountId=001000000000001AAA&pageSize=2&pageToken={token}"))
            .expect(200);
        let methods = page.at("/paymentMethods");
        seen.extend(
            methods.as_array().expect("a page").iter().map(|method| method["id"].as_str().expect("an id").to_owned()),
        );
        match page.at("/nextPageToken").as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    let mut expected = ids.clone();
    expected.sort_by_key(|id| id[..15].to_owned());
    assert_eq!(seen, expected);
    for (query, names) in [
        ("", "accountId"),
        ("?accountId=%20", "accountId"),
        ("?accountId=1&pageSize=0", "pageSize"),
        ("?accountId=1&pageSize=101", "pageSize"),
        ("?accountId=1&pageToken=x", "pageToken"),
    ] {
        let reply = client.get(&format!("payment-methods{query}")).expect(400);
        assert!(reply.at("/0/message").to_string().contains(names), "{}", reply.text);
    }
    // Changes.
    let path = format!("commerce/payments/payment-methods/{}", ids[0]);
    let patch = |body: Value, status: u16| client.ask("PATCH", &path, None, &body).expect(status);
    let changed = patch(json!({ "nickName": "Card of the shop", "autoPay": true }), 200);
    assert_eq!(changed.at("/paymentMethod/nickName"), json!("Card of the shop"));
    assert_eq!(changed.at("/paymentMethod/autoPay"), json!(true));
    assert_eq!(patch(json!({ "nickName": "" }), 200).at("/paymentMethod/nickName"), Value::Null);
    let pay = || client.post("sales", None, &sale(client, "KEYED", &ids[0]));
    assert_eq!(patch(json!({ "status": "InActive" }), 200).at("/paymentMethod/status"), json!("InActive"));
    pay().expect(422);
    patch(json!({ "status": "Active" }), 200);
    let paid = client.post("sales", Some("paid"), &sale(client, "KEYED", &ids[0])).expect(201);
    assert_eq!(patch(json!({ "status": "Canceled" }), 200).at("/paymentMethod/status"), json!("Canceled"));
    pay().expect(422);
    patch(json!({ "status": "Active" }), 422);
    for (body, names) in [
        (json!({}), "nickName"),
        (json!({ "status": "Deleted" }), "status"),
        (json!({ "autoPay": "maybe" }), "autoPay"),
        (json!({ "nickName": "x".repeat(256) }), "nickName"),
        (json!({ "cardNumber": CARD }), "cardNumber"),
    ] {
        let reply = patch(body, 400);
        assert!(reply.at("/0/message").to_string().contains(names), "{}", reply.text);
    }
    // What was paid and made before is told as it was told then.
    let again = client.post("sales", Some("paid"), &sale(client, "KEYED", &ids[0])).expect(201);
    assert_eq!((again.text.as_str(), again.replayed()), (paid.text.as_str(), true));
    assert_eq!(tokenize(client, "0", &card(client, "KEYED")).expect(201).at("/paymentMethod/status"), json!("Active"));
}

#[test]
fn a_method_pays_at_its_own_gateway_only_and_nowhere_if_it_is_not_there() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let method = method_id(&tokenize(client, "k", &card(client, "KEYED")).expect(201));
    let reply = client.post("sales", None, &sale(client, "LOOK_UP", &method)).expect(422);
    assert!(reply.at("/0/message").to_string().contains("paymentMethod.id"), "{}", reply.text);
    for unknown in ["03O000000000077", "03Ozzzzzzzzzzzz", "0aQ000000000001"] {
        let reply = client.post("sales", None, &sale(client, "KEYED", unknown)).expect(400);
        assert_eq!(reply.at("/0/message"), json!("paymentMethod.id: is no payment method of this merchant"));
        client.get(&format!("payment-methods/{unknown}")).expect(404);
    }
    assert!(client.ledger().is_empty());
}

#[test]
fn tokens_that_merchants_bring_are_kept_under_each_kind_of_record() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let token = client.control(
        "POST",
        "SANDBOX_URL",
        "/keyed/tokens",
        &json!({ "reference": "brought", "card": { "number": CARD, "expiryMonth": 12, "expiryYear": 2030 } }),
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/samples/commerce-payments/alternativepaymentmethod-create.seed002.json");
    let printed = std::fs::read_to_string(path).map_or_else(
        |_| json!({ "ProcessingMode": "External", "status": "Active", "GatewayToken": "t", "NickName": "MyGiroPay", "RecordTypeId": "R" }),
        |text| serde_json::from_str::<Value>(&text.replace("{record_type_id}", "GiroPay")).expect("the sample is JSON"),
    );
    let created = client.ask("POST", "services/data/v51.0/sobjects/AlternativePaymentMethod", Some("giro"), &printed);
    let id = created.clone().expect(201).at("/id").as_str().expect("an id").to_owned();
    assert_eq!(created.json(), json!({ "id": id, "success": true, "errors": [] }));
    let read = client.get(&format!("payment-methods/{id}")).expect(200);
    for (pointer, value) in [
        ("/paymentMethod/type", json!("AlternativePaymentMethod")),
        ("/paymentMethod/processingMode", json!("External")),
        ("/paymentMethod/nickName", json!("MyGiroPay")),
        ("/paymentMethod/status", json!("Active")),
    ] {
        assert_eq!(read.at(pointer), value, "{pointer}");
    }
    for (object, more) in [
        (
            "CardPaymentMethod",
            json!({ "CardBin": "424242", "CardLastFour": "4242", "ExpiryMonth": 12, "ExpiryYear": 2030, "CardType": "Visa" }),
        ),
        ("DigitalWallet", json!({ "PaymentMethodType": "ApplePay" })),
        ("AlternativePaymentMethod", json!({ "PaymentMethodType": "Klarna", "RecordTypeId": "Klarna" })),
        ("SavedPaymentMethod", json!({})),
    ] {
        for member in ["GatewayToken", "GatewayTokenEncrypted"] {
            let mut body = json!({ "AccountId": "001000000000009", "PaymentGatewayId": client.gateway("KEYED"), member: token.at("/token") });
            body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            let key = format!("{object}-{member}");
            let first = client.ask("POST", &format!("sobjects/{object}"), Some(&key), &body).expect(201);
            let again = client.ask("POST", &format!("sobjects/{object}"), Some(&key), &body).expect(201);
            assert_eq!((first.text.as_str(), again.replayed()), (again.text.as_str(), true));
            client.post("sales", None, &sale(client, "KEYED", first.at("/id").as_str().expect("an id"))).expect(201);
            body["NickName"] = json!("other");
            client.ask("POST", &format!("sobjects/{object}"), Some(&key), &body).expect(422);
            body["NickName"] = Value::Null;
            body[member] = json!("another token");
            client.ask("POST", &format!("sobjects/{object}"), Some(&key), &body).expect(422);
        }
    }
    // Cash has no token, and no gateway charges it.
    let cash = json!({ "ProcessingMode": "External", "RecordTypeId": "CashOnDelivery" });
    let cash = client.ask("POST", "sobjects/AlternativePaymentMethod", None, &cash).expect(201);
    let reply = client.post("sales", None, &sale(client, "KEYED", cash.at("/id").as_str().expect("an id"))).expect(422);
    assert!(reply.at("/0/message").to_string().contains("token"), "{}", reply.text);
    for (body, names) in [
        (json!({ "GatewayToken": "a", "GatewayTokenEncrypted": "b" }), "GatewayTokenEncrypted"),
        (json!({ "InputCardNumber": CARD }), "InputCardNumber"),
        (json!({ "Status": "Expired" }), "Status"),
        (json!({ "ProcessingMode": "Internal" }), "ProcessingMode"),
        (json!({ "GatewayToken": "x".repeat(256) }), "GatewayToken"),
        (json!({ "GatewayTokenEncrypted": "x".repeat(1001) }), "GatewayTokenEncrypted"),
        (json!({ "PaymentGatewayId": "0b0000000000009" }), "PaymentGatewayId"),
        (json!({ "CardLastFour": "424" }), "CardLastFour"),
        (json!({ "CardBin": 424 }), "CardBin"),
        (json!({ "ExpiryMonth": 12 }), "ExpiryYear"),
        (json!({ "NickName": "a", "nickname": "b" }), "twice"),
    ] {
        let reply = client.ask("POST", "sobjects/CardPaymentMethod", None, &body).expect(400);
        assert!(reply.at("/0/message").to_string().contains(names), "{} names {names}", reply.text);
    }
}

#[test]
fn a_method_is_called_as_its_gateways_provider_calls_it() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let gateway = client.gateway("KEYED");
    let set_up = client.ask("GET", "set-up", None, &Value::Null).expect(200).json();
    let gateways = set_up["gateways"].as_array().expect("gateways");
    let ours = gateways.iter().find(|known| known["id"] == gateway).expect("the keyed gateway");
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/samples/commerce-payments/gtwyprovpaymentmethodtype-create.seed002.json");
    let mut printed = std::fs::read_to_string(path).map_or_else(
        |_| json!({ "PaymentMethodType": "AlternativePaymentMethod", "GtwyProviderPaymentMethodType": "PM_Giro", "DeveloperName": "D", "MasterLabel": "M" }),
        |text| serde_json::from_str::<Value>(&text).expect("the sample is JSON"),
    );
    printed["PaymentGatewayProviderId"] = ours["paymentGatewayProviderId"].clone();
    printed["RecordTypeId"] = json!("GiroPay");
    client.ask("POST", "services/data/v67.0/sobjects/GtwyProvPaymentMethodType", None, &printed).expect(201);
    let token = client.control(
        "POST",
        "SANDBOX_URL",
        "/keyed/tokens",
        &json!({ "reference": "giro", "card": { "number": CARD, "expiryMonth": 12, "expiryYear": 2030 } }),
    );
    // What is set up is known everywhere within a minute.
    client.advance("PT1M");
    for (record_type, called) in [("GiroPay", json!("PM_Giro")), ("Klarna", Value::Null)] {
        let body =
            json!({ "GatewayToken": token.at("/token"), "PaymentGatewayId": gateway, "RecordTypeId": record_type });
        let made = client.ask("POST", "sobjects/AlternativePaymentMethod", None, &body).expect(201);
        client.post("sales", None, &sale(client, "KEYED", made.at("/id").as_str().expect("an id"))).expect(201);
        assert_eq!(client.ledger().last().expect("an effect")["methodType"], called);
    }
}
