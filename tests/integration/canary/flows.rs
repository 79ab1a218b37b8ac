//! Every flow of the product with secrets that are known: done, declined, broken by each fault of the gateway, and
//! malformed, with the secret wherever it does not belong and no text of the merchant's own may be.

use kessai_functions::sandbox::TABLE;
use serde_json::{Value, json};

use super::search::{Of, Secret};
use super::worlds::Diary;
use crate::harness::{CLASSES, Reply};

/// Numbers of cards that approve and stand nowhere else: one pays, one is kept.
pub const CARD: &str = "5512345678901231";
pub const KEPT_CARD: &str = "5317263548192070";
/// Four digits, because three stand anywhere.
pub const CVV: &str = "8273";
/// Numbers of bank accounts, one of them an IBAN.
pub const ACCOUNT: &str = "918273645071";
pub const IBAN: &str = "DE89370400440532013000";
/// Tokens that merchants bring, and what gateways say beside one.
pub const TOKEN: &str = "tok_canary_7d1f0c935b2e";
pub const TOKEN_DETAILS: &str = "details_canary_3c8e6a04";
/// What gateways sign notices with, as merchants bring it.
pub const CREDENTIALS: [&str; 2] = ["credential_canary_5b93e07f1a", "credential_canary_d64a8c2e90"];
pub const NOTICE_SECRETS: [&str; 2] = ["notice_canary_a2f81c5d70", "notice_canary_c07e4b9d36"];

/// What is secret before anything happens.
pub fn secrets() -> Vec<Secret> {
    vec![
        Secret::new(Of::Card, "a card that pays", CARD),
        Secret::new(Of::Card, "a card that is kept", KEPT_CARD),
        Secret::new(Of::Cvv, "a CVV", CVV),
        Secret::new(Of::BankAccount, "a bank account", ACCOUNT),
        Secret::new(Of::BankAccount, "an IBAN", IBAN),
        Secret::new(Of::Token, "a brought token", TOKEN),
        Secret::new(Of::Token, "a brought token's details", TOKEN_DETAILS),
        Secret::new(Of::Credential, "a credential", CREDENTIALS[0]),
        Secret::new(Of::Credential, "the credential that replaced it", CREDENTIALS[1]),
        Secret::new(Of::WebhookSecret, "a secret of notices", NOTICE_SECRETS[0]),
        Secret::new(Of::WebhookSecret, "the secret of notices that replaced it", NOTICE_SECRETS[1]),
    ]
}

pub fn run(diary: &Diary<'_>) {
    pay(diary);
    post_authorize(diary);
    tokenize(diary);
    bring(diary);
    set_up(diary);
    fail(diary);
    malform(diary);
}

fn card(number: &str) -> Value {
    json!({ "cardHolderName": "Carol Smith", "cardNumber": number, "expiryMonth": 12, "expiryYear": 2030, "cvv": CVV })
}

pub fn opening(diary: &Diary<'_>, class: &str, method: Value) -> Value {
    json!({
        "accountId": "001000000000001", "amount": 50, "currencyIsoCode": "USD",
        "paymentGatewayId": diary.world.gateway(class), "paymentMethod": method,
    })
}

pub fn card_opening(diary: &Diary<'_>, class: &str) -> Value {
    opening(diary, class, json!({ "cardPaymentMethod": card(CARD) }))
}

pub fn card_to_keep(diary: &Diary<'_>, class: &str) -> Value {
    let mut kept = card(KEPT_CARD);
    for (name, value) in
        [("cardHolderFirstName", "Carol"), ("cardHolderLastName", "Smith"), ("cardCategory", "CreditCard")]
    {
        kept[name] = json!(value);
    }
    kept["cardType"] = json!("MasterCard");
    kept["accountId"] = json!("001000000000001");
    json!({ "cardPaymentMethod": kept, "paymentGatewayId": diary.world.gateway(class) })
}

pub fn account_to_keep(diary: &Diary<'_>, class: &str, bank_type: &str, number: &str) -> Value {
    let bank = json!({
        "accountHolderName": "Carol Smith", "accountHolderType": "Individual", "accountNumber": number,
        "accountType": "Checking", "bankCode": "110000000", "bankType": bank_type, "accountId": "001000000000001",
    });
    json!({ "bankPaymentMethod": bank, "paymentGatewayId": diary.world.gateway(class) })
}

/// Opens payments on cards, and does to them whatever can be done.
fn pay(diary: &Diary<'_>) {
    for class in CLASSES {
        let body = card_opening(diary, class);
        let authorization = diary.post("authorizations", Some(&format!("a-{class}")), &body).expect(201).id();
        let record = format!("/commerce/payments/authorizations/{authorization}");
        let capture = diary.ask("POST", &format!("{record}/captures"), None, &json!({ "amount": 20 })).expect(201).id();
        let reversal =
            diary.ask("POST", &format!("{record}/reversals"), None, &json!({ "amount": 5 })).expect(201).id();
        let payment = format!("/commerce/payments/payments/{capture}");
        let refund = diary.ask("POST", &format!("{payment}/refunds"), None, &json!({ "amount": 3 })).expect(201).id();
        let sale = diary.post("sales", Some(&format!("s-{class}")), &body).expect(201).id();
        diary.post(&format!("payments/{sale}/refunds"), None, &json!({})).expect(201);
        for path in [
            record.clone(),
            payment.clone(),
            format!("{record}/captures/{capture}"),
            format!("{record}/reversals/{reversal}"),
            format!("{payment}/refunds/{refund}"),
            format!("/commerce/payments/refunds/{refund}"),
        ] {
            diary.ask("GET", &path, None, &Value::Null).expect(200);
        }
        // Again, and with another card: what differs is named.
        diary.post("authorizations", Some(&format!("a-{class}")), &body).expect(201);
        let mut other = body.clone();
        other["paymentMethod"]["cardPaymentMethod"]["cardNumber"] = json!(KEPT_CARD);
        diary.post("authorizations", Some(&format!("a-{class}")), &other).expect(422);
    }
}

fn post_authorize(diary: &Diary<'_>) {
    let alternative = json!({ "gatewayToken": TOKEN, "gatewayTokenDetails": TOKEN_DETAILS, "name": "iDEAL" });
    for is_kept in [false, true] {
        let method = json!({ "alternativePaymentMethod": alternative, "saveForFuture": is_kept });
        let mut body = opening(diary, "KEYED", method);
        body["additionalData"] = json!({ "reference": "1" });
        diary.post("postAuths", None, &body).expect(402);
        let by_browser = json!({
            "amount": 5000, "currency": "USD", "card": { "number": CARD, "expiryMonth": 12, "expiryYear": 2030, "cvc": CVV },
        });
        let made = diary.world.sandbox("POST", "/keyed/client-authorizations", &by_browser);
        body["additionalData"] = json!({ "reference": made["id"] });
        let key = format!("post-{is_kept}");
        let first = diary.post("postAuths", Some(&key), &body).expect(201);
        assert_eq!(diary.post("postAuths", Some(&key), &body).expect(201).text, first.text);
        if let Some(id) = first.at("/paymentMethod/id").as_str() {
            diary.ask("GET", &format!("/commerce/payments/payment-methods/{id}"), None, &Value::Null).expect(200);
        }
    }
}

/// Cards and accounts become methods, which pay, change and end.
fn tokenize(diary: &Diary<'_>) {
    let method_of = |reply: &Reply| reply.at("/paymentMethod/id").as_str().expect("a method").to_owned();
    for class in CLASSES {
        let mut kept = vec![
            method_of(
                &diary.post("payment-methods", Some(&format!("c-{class}")), &card_to_keep(diary, class)).expect(201),
            ),
            method_of(
                &diary.post("payment-method/tokens", None, &account_to_keep(diary, class, "ACH", ACCOUNT)).expect(201),
            ),
            method_of(
                &diary.post("payment-methods", None, &account_to_keep(diary, class, "SepaDebit", IBAN)).expect(201),
            ),
        ];
        diary.post("payment-methods", Some(&format!("c-{class}")), &card_to_keep(diary, class)).expect(201);
        for path in ["sales", "authorizations"] {
            let body = opening(diary, class, json!({ "cardPaymentMethod": card(KEPT_CARD), "saveForFuture": true }));
            kept.push(method_of(&diary.post(path, None, &body).expect(201)));
        }
        for (place, id) in kept.iter().enumerate() {
            let record = format!("/commerce/payments/payment-methods/{id}");
            diary.ask("GET", &record, None, &Value::Null).expect(200);
            diary.post("sales", None, &opening(diary, class, json!({ "id": id }))).expect(201);
            let change = if place == 0 { json!({ "status": "Canceled" }) } else { json!({ "nickName": "Mine" }) };
            diary.ask("PATCH", &record, None, &change).expect(200);
            hide_token(diary, class, id);
        }
        diary.post("sales", None, &opening(diary, class, json!({ "id": kept[0] }))).expect(422);
    }
    let list = "/commerce/payments/payment-methods?accountId=001000000000001&pageSize=5";
    diary.ask("GET", list, None, &Value::Null).expect(200);
}

/// What the sandbox gave out for this method, where it can be asked.
fn hide_token(diary: &Diary<'_>, class: &str, id: &str) {
    if !["KEYED", "LOOK_UP"].contains(&class) {
        return;
    }
    let path = format!("/{}/operations?reference={id}", class.to_lowercase().replace('_', "-"));
    let found = diary.world.sandbox("GET", &path, &Value::Null);
    let token = found["operations"][0]["token"].as_str().unwrap_or_else(|| panic!("no token of {id}: {found}"));
    diary.hide(Secret::new(Of::Token, &format!("the token of {id}"), token));
}

/// Tokens that merchants have already.
fn bring(diary: &Diary<'_>) {
    let asked =
        json!({ "reference": "brought", "card": { "number": KEPT_CARD, "expiryMonth": 12, "expiryYear": 2030 } });
    let made = diary.world.sandbox("POST", "/keyed/tokens", &asked);
    let theirs = made["token"].as_str().expect("a token").to_owned();
    diary.hide(Secret::new(Of::Token, "a token of the sandbox that is brought", &theirs));
    for object in ["CardPaymentMethod", "DigitalWallet", "AlternativePaymentMethod", "SavedPaymentMethod"] {
        for (member, token) in
            [("GatewayToken", theirs.as_str()), ("GatewayTokenEncrypted", &theirs), ("gatewaytoken", TOKEN)]
        {
            let body = json!({
                "AccountId": "001000000000002", "PaymentGatewayId": diary.world.gateway("KEYED"), member: token,
                "GatewayTokenDetails": TOKEN_DETAILS,
            });
            let key = format!("{object}-{member}");
            let made = diary.ask("POST", &format!("/sobjects/{object}"), Some(&key), &body).expect(201);
            let id = made.at("/id").as_str().expect("an id").to_owned();
            diary.ask("POST", &format!("/sobjects/{object}"), Some(&key), &body).expect(201);
            let sale = diary.post("sales", None, &opening(diary, "KEYED", json!({ "id": id })));
            assert_eq!(sale.status, if token == TOKEN { 402 } else { 201 }, "{}", sale.text);
            let record = format!("/commerce/payments/payment-methods/{id}");
            diary.ask("PATCH", &record, None, &json!({ "autoPay": true })).expect(200);
            diary.ask("PATCH", &record, None, &json!({ "status": "Canceled" })).expect(200);
        }
    }
}

/// Providers, gateways, keys and endpoints, made, replaced and taken back.
fn set_up(diary: &Diary<'_>) {
    let make = |path: &str, body: &Value| diary.ask("POST", path, None, body).expect(201);
    let id = |reply: &Reply| reply.at("/id").as_str().expect("an id").to_owned();
    let shown = |reply: &Reply, pointer: &str| reply.at(pointer).as_str().expect("a secret").to_owned();
    let api_key = |name: &str, reply: &Reply, pointer: &str| {
        diary.shown(Secret::hexadecimal(Of::ApiKey, name, &shown(reply, pointer)));
    };
    let provider = json!({ "DeveloperName": "Canary", "MasterLabel": "Canary", "Adapter": "sandbox-keyed" });
    let provider = id(&make("/tooling/sobjects/PaymentGatewayProvider", &provider));
    let notices = format!("/set-up/providers/{provider}/notification-secret");
    for secret in NOTICE_SECRETS {
        diary.ask("POST", &notices, Some("n"), &json!({ "secret": secret })).expect(204);
    }
    diary.ask("POST", &notices, None, &json!({ "secret": [NOTICE_SECRETS[0]] })).expect(400);
    diary.ask("POST", &notices, None, &json!({ "secret": format!("{} ", NOTICE_SECRETS[0]) })).expect(400);
    let gateway = json!({
        "PaymentGatewayName": "Canary", "PaymentGatewayProviderId": provider,
        "BaseUrl": format!("{}/keyed", diary.world.sandbox_url()),
    });
    let gateway = id(&make("/sobjects/PaymentGateway", &gateway));
    diary.ask("PATCH", &format!("/sobjects/PaymentGateway/{gateway}"), None, &json!({ "Comments": "c" })).expect(204);
    known_at(diary, &gateway);
    let kind = json!({
        "PaymentGatewayProviderId": provider, "PaymentMethodType": "AlternativePaymentMethod",
        "GtwyProviderPaymentMethodType": "PM", "DeveloperName": "Canary", "MasterLabel": "Canary",
    });
    make("/sobjects/GtwyProvPaymentMethodType", &kind);
    let made =
        diary.ask("POST", "/set-up/api-keys", Some("k"), &json!({ "name": "Till", "scopes": ["read"] })).expect(201);
    api_key("a key that was made", &made, "/key");
    diary.ask("POST", "/set-up/api-keys", Some("k"), &json!({ "name": "Till", "scopes": ["read"] })).expect(409);
    let rolled = make(&format!("/set-up/api-keys/{}/roll", id(&made)), &json!({}));
    api_key("a key that replaced it", &rolled, "/key");
    diary.ask("DELETE", &format!("/set-up/api-keys/{}", id(&rolled)), None, &Value::Null).expect(204);
    // The old one works for a day.
    let bearer = format!("Bearer {}", shown(&made, "/key"));
    diary
        .ask_with("GET", "/commerce/payments/payments/0aQ000000000001", &[("authorization", &bearer)], b"")
        .expect(404);
    diary.ask_with("POST", "/commerce/payments/sales", &[("authorization", &bearer)], b"{}").expect(403);
    let other = make("/set-up/merchants", &json!({ "name": "Other" }));
    api_key("another merchant's key", &other, "/apiKey/key");
    let hook = json!({ "url": "https://shop.example/hooks", "events": ["*"] });
    let made = diary.ask("POST", "/set-up/webhook-endpoints", Some("h"), &hook).expect(201);
    diary.shown(Secret::webhook("an endpoint's secret", &shown(&made, "/secret")));
    diary.ask("POST", "/set-up/webhook-endpoints", Some("h"), &hook).expect(409);
    let endpoint = format!("/set-up/webhook-endpoints/{}", id(&made));
    let rolled = make(&format!("{endpoint}/roll"), &json!({}));
    diary.shown(Secret::webhook("the secret that replaced it", &shown(&rolled, "/secret")));
    diary.ask("PATCH", &endpoint, None, &json!({ "status": "Inactive" })).expect(204);
    for path in ["/set-up", "/set-up/audit-trail", "/services/data/v67.0/set-up"] {
        diary.ask("GET", path, None, &Value::Null).expect(200);
    }
    diary.ask("DELETE", &endpoint, None, &Value::Null).expect(204);
    diary.ask("DELETE", &notices, None, &Value::Null).expect(204);
    diary.ask("GET", "/set-up/audit-trail?limit=50", None, &Value::Null).expect(200);
}

/// What Kessai is known by at a gateway: set, replaced, sent with everything, and put in wrong places.
fn known_at(diary: &Diary<'_>, gateway: &str) {
    let (path, check) =
        (format!("/sobjects/PaymentGateway/{gateway}/credential"), format!("/sobjects/PaymentGateway/{gateway}/check"));
    let set = |credential: Value| diary.ask("POST", &path, Some("c"), &json!({ "Credential": credential }));
    for secret in CREDENTIALS {
        set(json!({ "secretKey": secret })).expect(204);
        set(json!({ "secretKey": secret })).expect(204);
        diary.ask("POST", &check, None, &Value::Null).expect(200);
        let mut sale = card_opening(diary, "KEYED");
        sale["paymentGatewayId"] = json!(gateway);
        // Who remembers the merchant from before does not know the gateway yet.
        let sold = diary.post("sales", None, &sale);
        assert!([201, 400].contains(&sold.status), "{}", sold.text);
    }
    let secret = CREDENTIALS[0];
    for credential in [
        json!(secret),
        json!([secret]),
        json!({ secret: "x" }),
        json!({ "secretKey": [secret] }),
        json!({ "secretKey": format!("{secret} ") }),
        json!({ "secretKey": format!("{secret}{}", "x".repeat(600)) }),
        json!({ "secretKey": secret, "SecretKey": secret }),
    ] {
        set(credential).expect(400);
    }
    diary.ask("POST", &check, None, &json!({ "Credential": secret })).expect(400);
}

/// Every behaviour of the sandbox but silence, which takes as long as a function waits: that is for the server that is
/// killed.
fn fail(diary: &Diary<'_>) {
    let mut pending = Vec::new();
    for fault in TABLE.iter().map(|row| row.name).filter(|name| *name != "silence") {
        for class in CLASSES {
            let keeping = opening(diary, class, json!({ "cardPaymentMethod": card(KEPT_CARD), "saveForFuture": true }));
            for (path, body) in [
                ("authorizations", card_opening(diary, class)),
                ("sales", card_opening(diary, class)),
                ("sales", keeping),
                ("payment-methods", card_to_keep(diary, class)),
                ("payment-methods", account_to_keep(diary, class, "ACH", ACCOUNT)),
            ] {
                diary.script(&json!({ "fault": fault, "delayMs": 0 }));
                let key = format!("{fault} {class} {path} {}", body["paymentMethod"]["saveForFuture"]);
                let key = if body["bankPaymentMethod"].is_null() { key } else { format!("{key} bank") };
                let first = diary.post(path, Some(&key), &body);
                diary.unscript();
                let second = diary.post(path, Some(&key), &body);
                let is_open = first.status == 202 && second.status == 202 && path != "payment-methods";
                if is_open && class != "NONE" {
                    let record = if path == "sales" { "payments" } else { path };
                    pending.push(format!("/commerce/payments/{record}/{}", second.id()));
                }
            }
        }
    }
    assert!(!pending.is_empty(), "something is left to follow up");
    diary.world.settle(&pending);
    for path in pending {
        diary.ask("GET", &path, None, &Value::Null).expect(200);
    }
}

/// The secret wherever it does not belong. Nothing of this is kept, and no refusal repeats it.
fn malform(diary: &Diary<'_>) {
    let key = diary.world.api_key();
    for secret in [CARD, ACCOUNT, TOKEN, key.as_str()] {
        for (path, body) in [
            ("authorizations", card_opening(diary, "KEYED")),
            ("sales", card_opening(diary, "KEYED")),
            ("postAuths", card_opening(diary, "KEYED")),
        ] {
            for pointer in OPENING {
                refuse(diary, &format!("/commerce/payments/{path}"), &body, pointer, secret);
            }
        }
        let methods = "/commerce/payments/payment-methods";
        for pointer in KEPT_CARD_MEMBERS {
            refuse(diary, methods, &card_to_keep(diary, "KEYED"), pointer, secret);
        }
        for pointer in KEPT_ACCOUNT_MEMBERS {
            refuse(diary, methods, &account_to_keep(diary, "KEYED", "ACH", ACCOUNT), pointer, secret);
        }
        let brought = json!({ "GatewayToken": TOKEN, "PaymentGatewayId": diary.world.gateway("KEYED") });
        for pointer in ["/PaymentGatewayId", "/Status", "/ProcessingMode", "/PaymentMethodType", "/IsAutoPayEnabled"] {
            refuse(diary, "/sobjects/SavedPaymentMethod", &brought, pointer, secret);
        }
        set_up_malformed(diary, secret);
        misplaced(diary, secret);
    }
}

/// Members that can be no text of anybody's.
const OPENING: [&str; 19] = [
    "/amount",
    "/currencyIsoCode",
    "/effectiveDate",
    "/paymentGatewayId",
    "/paymentGroup",
    "/paymentGroup/createPaymentGroup",
    "/additionalData",
    "/idempotencyKey/x",
    "/paymentMethod",
    "/paymentMethod/id",
    "/paymentMethod/saveForFuture",
    "/paymentMethod/address",
    "/paymentMethod/cardPaymentMethod",
    "/paymentMethod/cardPaymentMethod/cvv",
    "/paymentMethod/cardPaymentMethod/expiryMonth",
    "/paymentMethod/cardPaymentMethod/expiryYear",
    "/paymentMethod/cardPaymentMethod/cardType",
    "/paymentMethod/cardPaymentMethod/cardCategory",
    "/paymentMethod/cardPaymentMethod/cardNumber/x",
];
const KEPT_CARD_MEMBERS: [&str; 6] = [
    "/cardPaymentMethod/cvv",
    "/cardPaymentMethod/expiryYear",
    "/cardPaymentMethod/cardCategory",
    "/cardPaymentMethod/autoPay",
    "/paymentGatewayId",
    "/savedByMerchant",
];
const KEPT_ACCOUNT_MEMBERS: [&str; 6] = [
    "/bankPaymentMethod/bankType",
    "/bankPaymentMethod/bankCode",
    "/bankPaymentMethod/accountType",
    "/bankPaymentMethod/accountHolderType",
    "/bankPaymentMethod/standardEntryClassCode",
    "/bankPaymentMethod/accountNumber/x",
];

/// A good body with the secret in a member's place: as its text, in a list, as its name, beside it.
fn refuse(diary: &Diary<'_>, path: &str, good: &Value, pointer: &str, secret: &str) {
    let is_within = pointer.ends_with("/x");
    let (parent, member) = pointer.trim_end_matches("/x").rsplit_once('/').expect("a pointer");
    let mut bodies = Vec::new();
    let mut with = |name: &str, value: Value| {
        let mut body = good.clone();
        if let Some((above, missing)) = parent.rsplit_once('/').filter(|_| body.pointer(parent).is_none()) {
            body.pointer_mut(above).expect("there")[missing] = json!({});
        }
        body.pointer_mut(parent).expect("there")[name] = value;
        bodies.push(body);
    };
    // Any number can be an amount.
    if !is_within && member != "amount" {
        with(member, json!(secret));
    }
    with(member, json!([secret]));
    with(member, json!({ secret: 1 }));
    // What stands in there by any name is the caller's own.
    if member != "additionalData" {
        with(member, json!({ "number": secret }));
    }
    with(secret, json!(1));
    for body in bodies {
        let reply = diary.ask("POST", path, None, &body);
        assert!((400..500).contains(&reply.status), "{path} {body}: {}", reply.text);
    }
}

fn set_up_malformed(diary: &Diary<'_>, secret: &str) {
    let with_secret = format!("https://x:{secret}@shop.example");
    let rows = [
        ("/set-up/api-keys", json!({ "name": "n", "scopes": [secret] })),
        ("/set-up/api-keys", json!({ "name": "n", "scopes": ["read"], "expiresAt": secret })),
        ("/set-up/api-keys", json!({ "name": "n", "scopes": ["read"], "requestsPerSecond": secret })),
        ("/set-up/api-keys", json!({ "name": [secret], "scopes": ["read"] })),
        ("/set-up/api-keys", json!({ "name": "n", "scopes": ["read"], secret: 1 })),
        ("/set-up/webhook-endpoints", json!({ "url": secret, "events": ["*"] })),
        ("/set-up/webhook-endpoints", json!({ "url": with_secret, "events": ["*"] })),
        ("/set-up/webhook-endpoints", json!({ "url": "https://shop.example", "events": [secret] })),
        ("/set-up/merchants", json!({ "name": "n", "defaultCurrency": secret })),
        ("/set-up/providers/0cJ000000000001/notification-secret", json!({ "secret": [secret] })),
        ("/set-up/providers/0cJ000000000001/notification-secret", json!({ "secret": "s", "overlap": secret })),
        ("/set-up/providers/0cJ000000000001/notification-secret", json!({ "secret": secret })),
        (
            "/tooling/sobjects/PaymentGatewayProvider",
            json!({ "DeveloperName": "N", "MasterLabel": "n", "Adapter": secret }),
        ),
        ("/sobjects/PaymentGateway", json!({ "PaymentGatewayName": "n", "PaymentGatewayProviderId": secret })),
        ("/sobjects/PaymentGateway", json!({ "PaymentGatewayName": "n", "BaseUrl": with_secret })),
        ("/sobjects/PaymentGateway", json!({ "MerchantCredentialId": secret })),
        ("/sobjects/PaymentGateway/0b0000000000001/credential", json!({ "Credential": secret })),
        ("/sobjects/PaymentGateway/0b0000000000001/credential", json!({ "Credential": { secret: secret } })),
        ("/sobjects/PaymentGateway/0b0000000000001/check", json!({ secret: secret })),
        ("/sobjects/GtwyProvPaymentMethodType", json!({ "PaymentMethodType": secret })),
    ];
    for (path, body) in rows {
        let reply = diary.ask("POST", path, None, &body);
        assert!((400..500).contains(&reply.status), "{path} {body}: {}", reply.text);
    }
}

/// The secret as an id, in the path, in the query, as a header, and in what is no JSON.
fn misplaced(diary: &Diary<'_>, secret: &str) {
    let payments = "/commerce/payments";
    for (method, path) in [
        ("GET", format!("{payments}/payments/{secret}")),
        ("GET", format!("{payments}/authorizations/{secret}")),
        ("GET", format!("{payments}/authorizations/{secret}/captures/{secret}")),
        ("GET", format!("{payments}/refunds/{secret}")),
        ("GET", format!("{payments}/payment-methods/{secret}")),
        ("GET", format!("{payments}/payment-methods?{secret}=1")),
        ("GET", format!("{payments}/payment-methods?accountId=1&pageToken={secret}")),
        ("GET", format!("{payments}/payment-methods?accountId=1&pageSize={secret}")),
        ("GET", format!("/services/data/{secret}{payments}/payments/1")),
        ("GET", format!("/nowhere/{secret}?card={secret}")),
        ("GET", format!("/set-up/audit-trail?limit={secret}")),
        ("GET", format!("/set-up/audit-trail?{secret}={secret}")),
        ("POST", format!("{payments}/authorizations/{secret}/captures")),
        ("POST", format!("{payments}/authorizations/{secret}/reversals")),
        ("POST", format!("{payments}/payments/{secret}/refunds")),
        ("POST", format!("{payments}/payment-method/tokens/{secret}")),
        ("PATCH", format!("{payments}/payment-methods/{secret}")),
        ("PATCH", format!("/sobjects/PaymentGateway/{secret}")),
        ("PATCH", format!("/tooling/sobjects/PaymentGatewayProvider/{secret}")),
        ("DELETE", format!("/set-up/api-keys/{secret}")),
        ("DELETE", format!("/set-up/webhook-endpoints/{secret}")),
        ("DELETE", format!("/set-up/providers/{secret}/notification-secret")),
    ] {
        let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for path in [path.clone(), path.replace(secret, &percent)] {
            let body = if ["POST", "PATCH"].contains(&method) { json!({ "amount": 1 }) } else { Value::Null };
            let reply = diary.ask(method, &path, None, &body);
            assert!((400..500).contains(&reply.status), "{method} {path}: {}", reply.text);
        }
    }
    let body = card_opening(diary, "KEYED").to_string();
    let (twice, quoted) = (format!("a,{secret}"), format!("\"a\"{secret}\""));
    for (name, value, status) in [
        ("content-type", secret, 415),
        ("idempotency-key", twice.as_str(), 400),
        ("sfdc-payments-idempotency-key", &twice, 400),
        ("idempotency-key", &quoted, 400),
        // Nobody looks at these.
        ("user-agent", secret, 201),
        ("x-amzn-trace-id", secret, 201),
        ("x-card", secret, 201),
    ] {
        diary.ask_with("POST", "/commerce/payments/sales", &[(name, value)], body.as_bytes()).expect(status);
    }
    if !secret.starts_with("kessai_") {
        for value in [secret.to_owned(), format!("Bearer {secret}"), format!("Basic {secret}")] {
            diary.ask_with("GET", "/set-up", &[("authorization", &value)], b"").expect(401);
        }
    }
    for body in [
        secret.to_owned(),
        format!("\"{secret}\""),
        format!("[\"{secret}\"]"),
        format!("{{\"cardNumber\":\"{secret}\""),
        format!("{{\"cardNumber\":\"{secret}\"}}{secret}"),
        format!("{{\"{secret}\":1,\"{secret}\":2}}"),
        format!("{{\"amount\":{secret}"),
    ] {
        let json = [("content-type", "application/json")];
        diary.ask_with("POST", "/commerce/payments/sales", &json, body.as_bytes()).expect(400);
    }
}
