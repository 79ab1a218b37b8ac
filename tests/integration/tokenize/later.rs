//! A gateway accepts a tokenization, and tells later, unasked, whether it keeps the method.

use std::time::Duration;

use kessai_functions::event::HttpAnswer;
use kessai_functions::sandbox::{SIGNATURE_HEADER, card_number, envelope};
use kessai_shared::ids::MethodId;
use serde_json::{Value, json};

use crate::in_process::{InProcess, NOTICE_SECRET, provider_of};

/// Codes of the sandbox.
const KEEPS_LATER: u16 = 9026;
const REFUSES_LATER: u16 = 9027;

/// Functions in this process, before gateways that really listen.
struct Shop(InProcess);

impl Shop {
    async fn ask(&self, method: &str, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let bearer = format!("Bearer {}", self.0.api_key.reveal());
        let mut headers = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        if method == "POST" {
            headers.push(("idempotency-key", key));
        }
        let path = format!("/commerce/payments/{path}");
        let (answer, _) = self.0.request(method, &path, &headers, body).await;
        (answer.status_code, serde_json::from_str(&answer.body).unwrap_or_default())
    }

    fn card(code: u16) -> Value {
        json!({
            "cardHolderName": "Carol Smith", "cardHolderFirstName": "Carol", "cardHolderLastName": "Smith",
            "cardNumber": card_number(code), "cardType": "Visa", "cardCategory": "CreditCard", "expiryMonth": "05",
            "expiryYear": 2030, "cvv": "000", "email": "csmith@example.com", "accountId": "001000000000001AAA",
        })
    }

    async fn tokenize(&self, code: u16, key: &str) -> (u16, Value) {
        let body = json!({ "cardPaymentMethod": Self::card(code), "paymentGatewayId": self.0.gateway.to_string() });
        self.ask("POST", "payment-methods", key, &body).await
    }

    async fn pay(&self, method: &Value, key: &str) -> (u16, Value) {
        let body = json!({
            "amount": 12, "currencyIsoCode": "USD", "paymentGatewayId": self.0.gateway.to_string(),
            "paymentMethod": method,
        });
        self.ask("POST", "sales", key, &body).await
    }

    async fn read(&self, method: &str) -> Value {
        let (status, read) = self.ask("GET", &format!("payment-methods/{method}"), "", &Value::Null).await;
        assert_eq!(status, 200, "{read}");
        read
    }

    /// What the gateway says of it once it has a verdict, as it tells it.
    async fn verdict(&self, method: &str) -> Value {
        let url = format!("{}/keyed/operations?reference={method}", self.0.sandbox_url());
        loop {
            let mut answer = ureq::get(&url).call().expect("the sandbox answers");
            let found: Value =
                serde_json::from_str(&answer.body_mut().read_to_string().expect("a body")).expect("JSON");
            let mut told = found["operations"][0].clone();
            if told["status"] != "accepted" {
                told["event"] = json!("operation");
                return told;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn tell(&self, told: &Value) -> HttpAnswer {
        let path = format!("/commerce/payments/notify?provider={}", provider_of(&self.0.merchant, "KEYED"));
        let signed = envelope([told], &[NOTICE_SECRET], self.0.now().as_millis());
        let mut event = self.0.event(signed.body.as_bytes());
        event.headers = [(SIGNATURE_HEADER.to_owned(), signed.signature)].into();
        let (function, event) = self.0.routed("POST", &path, event).expect("a route");
        self.0.send(function, &event).await.0
    }

    async fn told(&self, told: &Value) {
        let answer = self.tell(told).await;
        assert_eq!((answer.status_code, answer.body.as_str()), (200, "[accepted]"));
    }
}

fn id(made: &Value) -> String {
    made["paymentMethod"]["id"].as_str().unwrap_or_else(|| panic!("no method in {made}")).to_owned()
}

#[tokio::test]
async fn what_is_accepted_pays_once_the_gateway_has_told_that_it_is_kept() {
    let shop = Shop(InProcess::new().await);
    let (status, accepted) = shop.tokenize(KEEPS_LATER, "later").await;
    assert_eq!(status, 201, "{accepted}");
    for (pointer, value) in [
        ("/paymentMethod/status", json!("InActive")),
        ("/gatewayResponse/salesforceResultCode", json!("Indeterminate")),
        ("/gatewayResponse/gatewayTokenEncrypted", Value::Null),
        ("/paymentGatewayLogs/0/interactionStatus", json!("Success")),
    ] {
        assert_eq!(accepted.pointer(pointer).cloned().unwrap_or_default(), value, "{pointer}");
    }
    let says = accepted["pending"]["message"].as_str().unwrap_or_default();
    assert!(says.contains("yet to tell whether it keeps"), "{accepted}");
    let method = id(&accepted);
    let (again, replayed) = shop.tokenize(KEEPS_LATER, "later").await;
    assert_eq!((again, replayed), (201, accepted.clone()), "the same key is answered with what is there");
    let read = shop.read(&method).await;
    assert_eq!((&read["paymentMethod"]["status"], &read["pending"]), (&json!("InActive"), &accepted["pending"]));
    let (refused, why) = shop.pay(&json!({ "id": method }), "too soon").await;
    assert_eq!(refused, 422, "{why}");
    assert!(why.to_string().contains("has status Pending"), "{why}");
    let (refused, _) = shop.ask("PATCH", &format!("payment-methods/{method}"), "", &json!({ "autoPay": true })).await;
    assert_eq!(refused, 422);

    let verdict = shop.verdict(&method).await;
    let token = verdict["token"].as_str().expect("a token").to_owned();
    for _ in 0..2 {
        shop.told(&verdict).await;
    }
    let read = shop.read(&method).await;
    assert_eq!((&read["paymentMethod"]["status"], &read["pending"]), (&json!("Active"), &Value::Null));
    let (_, kept) = shop.tokenize(KEEPS_LATER, "later").await;
    assert_eq!(kept["gatewayResponse"]["salesforceResultCode"], "Success", "{kept}");
    assert!(!kept.to_string().contains(&token), "{kept}");
    let (paid, sale) = shop.pay(&json!({ "id": method }), "now").await;
    assert_eq!(paid, 201, "{sale}");
    // What comes late changes nothing.
    shop.told(&json!({ "event": "operation", "id": "t1", "reference": method, "status": "accepted", "code": "00" }))
        .await;
    assert_eq!(shop.read(&method).await["paymentMethod"]["status"], "Active");
}

#[tokio::test]
async fn what_is_refused_later_is_refused_for_its_key() {
    let shop = Shop(InProcess::new().await);
    let (status, accepted) = shop.tokenize(REFUSES_LATER, "later").await;
    assert_eq!(status, 201, "{accepted}");
    let method = id(&accepted);
    shop.told(&shop.verdict(&method).await).await;
    let (status, refused) = shop.tokenize(REFUSES_LATER, "later").await;
    assert_eq!((status, &refused["gatewayResponse"]["gatewayResultCode"]), (402, &json!("05")), "{refused}");
    let (status, _) = shop.ask("GET", &format!("payment-methods/{method}"), "", &Value::Null).await;
    assert_eq!(status, 404, "there is no such method");
}

#[tokio::test]
async fn a_payment_that_keeps_what_it_is_made_with_waits_until_that_is_kept() {
    let shop = Shop(InProcess::new().await);
    let keeping = json!({ "cardPaymentMethod": Shop::card(KEEPS_LATER), "saveForFuture": true });
    for _ in 0..2 {
        let (status, refused) = shop.pay(&keeping, "order").await;
        assert_eq!(status, 422, "{refused}");
        let says = refused.to_string();
        assert!(says.contains("nothing was charged") && says.contains("same idempotency key"), "{says}");
    }
    assert!(shop.0.payments.items().is_empty(), "nothing was charged");
    let items = shop.0.vault.items();
    let [item] = items.as_slice() else { panic!("{} methods", items.len()) };
    let method = item.text("pk").and_then(|key| key.split_once('/')).expect("a key").1;
    let method = MethodId::parse(method).expect("a method").to_string();
    shop.told(&shop.verdict(&method).await).await;
    let (status, sale) = shop.pay(&keeping, "order").await;
    assert_eq!((status, &sale["paymentMethod"]["id"]), (201, &json!(method)), "{sale}");
}

#[tokio::test]
async fn a_payer_who_must_act_is_shown_where() {
    let shop = Shop(InProcess::new().await);
    let (_, accepted) = shop.tokenize(KEEPS_LATER, "page").await;
    let method = id(&accepted);
    // Nobody heard that it accepted, when the payer was asked: that is known, and nothing begins again.
    let action = json!({ "url": "https://gateway.test/act", "expires": shop.0.now().plus(Duration::from_secs(900)).to_string() });
    let waits = |reference: &str| {
        json!({
            "event": "operation", "id": "t2", "reference": reference, "status": "action_required", "code": "65",
            "action": action,
        })
    };
    shop.told(&waits(&method)).await;
    assert_eq!(shop.read(&method).await["nextAction"], Value::Null);
    // An answer that was lost leaves it open, and the notice tells.
    let lost = json!({ "next": [{ "fault": "lost-answer", "class": "keyed" }] });
    let scripts = ureq::post(format!("{}/faults", shop.0.sandbox_url())).header("content-type", "application/json");
    scripts.send(lost.to_string()).expect("it is scripted");
    let (status, unknown) = shop.tokenize(0, "lost").await;
    assert_eq!(status, 202, "{unknown}");
    let method = id(&unknown);
    shop.told(&waits(&method)).await;
    let read = shop.read(&method).await;
    assert_eq!(read["nextAction"]["url"], "https://gateway.test/act", "{read}");
    let (status, again) = shop.tokenize(0, "lost").await;
    assert_eq!((status, &again["nextAction"]), (201, &read["nextAction"]));
    shop.0.advance(Duration::from_secs(1_000)).await;
    assert_eq!(shop.read(&method).await["nextAction"], Value::Null, "the page is of no use any more");
}

#[tokio::test]
async fn a_gateway_is_believed_only_of_the_methods_that_it_was_asked_for() {
    let shop = Shop(InProcess::new().await);
    let (_, accepted) = shop.tokenize(KEEPS_LATER, "own").await;
    let brought = json!({ "GatewayToken": "tok_brought" });
    let bearer = format!("Bearer {}", shop.0.api_key.reveal());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let (made, _) = shop.0.request("POST", "/sobjects/SavedPaymentMethod", &headers, &brought).await;
    let made: Value = serde_json::from_str(&made.body).expect("JSON");
    let before = shop.0.vault.items();
    let foreign = provider_of(&shop.0.merchant, "NONE");
    let rows = [
        (id(&accepted), foreign),
        (made["id"].as_str().expect("an id").to_owned(), provider_of(&shop.0.merchant, "KEYED")),
        ("03O0000000000AA".to_owned(), provider_of(&shop.0.merchant, "KEYED")),
    ];
    for (method, provider) in rows {
        let told = json!({
            "event": "operation", "id": "t3", "reference": method, "status": "approved", "code": "00", "token": "tok_forged",
        });
        let path = format!("/commerce/payments/notify?provider={provider}");
        let signed = envelope([&told], &[NOTICE_SECRET], shop.0.now().as_millis());
        let mut event = shop.0.event(signed.body.as_bytes());
        event.headers = [(SIGNATURE_HEADER.to_owned(), signed.signature)].into();
        let (function, event) = shop.0.routed("POST", &path, event).expect("a route");
        assert_eq!(shop.0.send(function, &event).await.0.status_code, 200, "{method}");
        assert_eq!(shop.0.vault.items(), before, "{method}");
    }
}
