//! A merchant sets itself up over HTTP: what it makes works, what it takes back stops to work, nobody else sees or uses
//! any of it, and the trail tells all.

use serde_json::{Value, json};
use ureq::http::Request;

use crate::harness::{Client, Kessai, Reply};

/// The wire's own samples.
fn provider_sample() -> Value {
    json!({
        "ApexAdapterId": "01pxx0000004UU8AAM", "DeveloperName": "MyNewGatewayProvider",
        "MasterLabel": "My New Gateway Provider", "IdempotencySupported": "Yes",
        "Comments": "Custom made gateway provider.",
    })
}

fn method_type_sample(provider: &str) -> Value {
    json!({
        "PaymentGatewayProviderId": provider, "PaymentMethodType": "AlternativePaymentMethod",
        "GtwyProviderPaymentMethodType": "PM_Giro", "DeveloperName": "DevName", "MasterLabel": "MasterLabel",
        "RecordTypeId": "{record_type_id}",
    })
}

pub fn with(mut body: Value, member: &str, value: impl Into<Value>) -> Value {
    body[member] = value.into();
    body
}

/// Whoever has this key.
pub struct Holder<'a> {
    pub client: &'a Client,
    key: String,
}

impl<'a> Holder<'a> {
    pub fn developer(client: &'a Client) -> Self {
        Self { client, key: client.variable("KESSAI_SET_UP_KEY").to_owned() }
    }

    pub fn with(&self, key: impl Into<String>) -> Self {
        Self { client: self.client, key: key.into() }
    }

    pub fn send(&self, method: &str, path: &str, name: Option<&str>, body: &Value) -> Reply {
        let url = format!("{}{path}", self.client.variable("KESSAI_URL"));
        let mut request =
            Request::builder().method(method).uri(url).header("authorization", format!("Bearer {}", self.key));
        if let Some(name) = name {
            request = request.header("idempotency-key", name);
        }
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = if body.is_empty() { request } else { request.header("content-type", "application/json") };
        self.client.try_send(request.body(body).expect("a request")).expect("an answer")
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, None, body)
    }

    pub fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send("PATCH", path, None, body)
    }

    pub fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, None, &Value::Null)
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, None, &Value::Null)
    }

    fn sale(&self, gateway: &str, name: &str) -> Reply {
        let body = with(self.client.opening("KEYED", "10"), "paymentGatewayId", gateway);
        self.send("POST", "/commerce/payments/sales", Some(name), &body)
    }

    fn authorize(&self, gateway: &str, name: &str) -> Reply {
        let body = with(self.client.opening("KEYED", "10"), "paymentGatewayId", gateway);
        self.send("POST", "/commerce/payments/authorizations", Some(name), &body)
    }

    /// A key with these scopes, and its id.
    fn key(&self, scopes: Value, more: &Value) -> (Self, String) {
        let mut body = json!({ "name": "Till", "scopes": scopes });
        for (member, value) in more.as_object().into_iter().flatten() {
            body[member] = value.clone();
        }
        let made = self.post("/set-up/api-keys", &body).expect(201);
        (self.with(text(&made, "/key")), text(&made, "/id"))
    }

    pub fn provider(&self, name: &str) -> String {
        let body = with(with(provider_sample(), "DeveloperName", name), "Adapter", "sandbox-keyed");
        text(&self.post("/tooling/sobjects/PaymentGatewayProvider", &body).expect(201), "/id")
    }

    pub fn gateway(&self, provider: &str) -> String {
        let url = format!("{}/keyed", self.client.variable("SANDBOX_URL"));
        let body = json!({
            "PaymentGatewayName": "Shop", "PaymentGatewayProviderId": provider, "Status": "Active",
            "MerchantCredentialId": "/kessai/prod/shop", "BaseUrl": url,
        });
        text(&self.post("/sobjects/PaymentGateway", &body).expect(201), "/id")
    }

    /// Action and subject of each entry, the newest first.
    pub fn trail(&self) -> Vec<(String, String)> {
        let mut trail = Vec::new();
        let mut before = String::new();
        loop {
            let page = self.get(&format!("/set-up/audit-trail?limit=3{before}")).expect(200);
            let entries = page.at("/changes").as_array().cloned().unwrap_or_default();
            trail.extend(entries.iter().map(|entry| {
                let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
                (text("action"), text("subjectId"))
            }));
            match page.at("/before").as_u64() {
                Some(version) => before = format!("&before={version}"),
                None => return trail,
            }
        }
    }
}

pub fn text(reply: &Reply, pointer: &str) -> String {
    reply.at(pointer).as_str().unwrap_or_else(|| panic!("no {pointer} in {}", reply.text)).to_owned()
}

/// Refused with this status and code, and a message that says so.
pub fn refused(reply: &Reply, status: u16, code: &str, says: &str) {
    let heard = (reply.status, reply.at("/0/errorCode").as_str().unwrap_or_default().to_owned());
    assert_eq!(heard, (status, code.to_owned()), "{}", reply.text);
    let message = reply.at("/0/message").as_str().unwrap_or_default().to_owned();
    assert!(message.contains(says), "{message} says {says}");
}

#[test]
fn a_provider_and_a_gateway_are_made_and_take_a_payment_until_the_gateway_is_inactive() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let path = "/services/data/v67.0/tooling/sobjects/PaymentGatewayProvider";
    refused(&developer.post(path, &provider_sample()), 400, "INVALID_API_INPUT", "beside Adapter");
    let made = developer.post(path, &with(provider_sample(), "adapter", "sandbox-keyed")).expect(201);
    let provider = text(&made, "/id");
    assert!(provider.starts_with("0cJ") && provider.len() == 18, "{provider}");
    let expected = json!({ "id": provider, "success": true, "errors": [], "warnings": [], "infos": [] });
    assert_eq!(made.at(""), expected);
    let gateway = developer.gateway(&provider);
    let sale = developer.sale(&gateway, "s").expect(201);
    let authorized = developer.authorize(&gateway, "a").expect(201).id();

    let record = format!("/sobjects/PaymentGateway/{gateway}");
    let off = developer.patch(&record, &json!({ "status": "Inactive" })).expect(204);
    assert_eq!(off.text, "");
    kessai.client.advance("PT1M");
    refused(&developer.sale(&gateway, "t"), 422, "INVALID_STATUS", "paymentGatewayId");
    refused(&developer.authorize(&gateway, "b"), 422, "INVALID_STATUS", "paymentGatewayId");
    let again = developer.sale(&gateway, "s").expect(201);
    assert_eq!(again.text, sale.text, "what was done is told again");
    let captures = format!("/commerce/payments/authorizations/{authorized}/captures");
    developer.post(&captures, &json!({ "amount": 4 })).expect(201);
    let reversals = format!("/commerce/payments/authorizations/{authorized}/reversals");
    developer.post(&reversals, &json!({ "amount": 6 })).expect(201);
    let refunds = format!("/commerce/payments/payments/{}/refunds", sale.id());
    developer.post(&refunds, &json!({})).expect(201);

    developer.patch(&record, &json!({ "Status": "Active" })).expect(204);
    kessai.client.advance("PT1M");
    developer.sale(&gateway, "t").expect(201);
}

#[test]
fn everything_that_was_set_up_is_shown_without_a_secret() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let provider = developer.provider("Shop");
    let gateway = developer.gateway(&provider);
    let made = developer.post("/sobjects/GtwyProvPaymentMethodType", &method_type_sample(&provider)).expect(201);
    let method_type = text(&made, "/id");
    assert_eq!(made.at(""), json!({ "id": method_type, "success": true, "errors": [] }));
    let (till, till_id) = developer.key(json!(["read"]), &json!({ "requestsPerSecond": 5 }));
    let hook = json!({ "url": "https://shop.example/hooks", "events": ["payment.*", "refund.created"] });
    let hook = developer.post("/set-up/webhook-endpoints", &hook).expect(201);
    let secret = text(&hook, "/secret");
    assert!(secret.starts_with("whsec_") && secret.len() == 6 + 44, "{secret}");
    assert_eq!(hook.headers.get("cache-control").map(String::as_str), Some("no-store"));
    developer.patch("/set-up/merchant", &json!({ "name": "Corner shop", "defaultCurrency": null })).expect(204);

    let shown = developer.get("/set-up").expect(200);
    assert_eq!(shown.at("/merchant/name"), json!("Corner shop"));
    assert_eq!(shown.at("/merchant/defaultCurrency"), Value::Null);
    let find = |list: &str, id: &str| {
        let list = shown.at(list);
        let found = list.as_array().into_iter().flatten().find(|thing| thing["id"] == id).cloned();
        found.unwrap_or_else(|| panic!("no {id} in {}", shown.text))
    };
    assert_eq!(find("/providers", &provider)["adapter"], "sandbox-keyed");
    let shown_gateway = find("/gateways", &gateway);
    assert_eq!(shown_gateway["paymentGatewayProviderId"], json!(provider));
    assert_eq!((&shown_gateway["status"], &shown_gateway["authorizationLifetime"]), (&json!("Active"), &json!("P7D")));
    assert_eq!(find("/paymentMethodTypes", &method_type)["gtwyProviderPaymentMethodType"], "PM_Giro");
    let key = find("/apiKeys", &till_id);
    assert_eq!((&key["works"], &key["scopes"], &key["requestsPerSecond"]), (&json!(true), &json!(["read"]), &json!(5)));
    assert_eq!(find("/webhookEndpoints", &text(&hook, "/id"))["events"], json!(["payment.*", "refund.created"]));
    for hidden in [till.key.as_str(), developer.key.as_str(), secret.as_str(), "hash", "sealed"] {
        assert!(!shown.text.contains(hidden), "{hidden} in {}", shown.text);
    }
}

#[test]
fn a_key_may_do_what_its_scopes_say_and_no_more() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let gateway = kessai.client.gateway("KEYED").to_owned();
    let authorization = developer.authorize(&gateway, "a").expect(201).id();
    let payment = developer.sale(&gateway, "s").expect(201).id();
    let scopes = ["authorize", "capture-reverse", "refund", "tokenize", "read", "set-up"];
    // What each request needs; the body is refused where nothing else is.
    let requests = [
        ("POST", "/commerce/payments/authorizations".to_owned(), &["authorize"][..]),
        ("POST", "/commerce/payments/postAuths".to_owned(), &["authorize"]),
        ("POST", "/commerce/payments/sales".to_owned(), &["authorize", "capture-reverse"]),
        ("POST", format!("/commerce/payments/authorizations/{authorization}/captures"), &["capture-reverse"]),
        ("POST", format!("/commerce/payments/authorizations/{authorization}/reversals"), &["capture-reverse"]),
        ("POST", format!("/commerce/payments/payments/{payment}/refunds"), &["refund"]),
        ("GET", format!("/commerce/payments/payments/{payment}"), &["read"]),
        ("GET", "/set-up".to_owned(), &["set-up"]),
        ("POST", "/set-up/api-keys".to_owned(), &["set-up"]),
        ("DELETE", "/set-up/api-keys/9ak000000000001".to_owned(), &["set-up"]),
    ];
    for scope in scopes {
        let (holder, _) = developer.key(json!([scope]), &Value::Null);
        for (method, path, needed) in &requests {
            let body = if *method == "POST" { json!({ "nonsense": true }) } else { Value::Null };
            let reply = holder.send(method, path, None, &body);
            match needed.iter().find(|needed| **needed != scope) {
                Some(lacking) => refused(&reply, 403, "INSUFFICIENT_ACCESS", lacking),
                None => assert!([200, 400, 404].contains(&reply.status), "{scope} {path}: {}", reply.text),
            }
        }
    }
    let (both, _) = developer.key(json!(["authorize", "capture-reverse"]), &Value::Null);
    both.sale(&gateway, "t").expect(201);
    let nothing = developer.post("/set-up/api-keys", &json!({ "name": "x", "scopes": [] }));
    refused(&nothing, 400, "REQUIRED_FIELD_MISSING", "scopes");
    let strange = developer.post("/set-up/api-keys", &json!({ "name": "x", "scopes": ["fly"] }));
    refused(&strange, 400, "INVALID_API_INPUT", "scopes");
}

#[test]
fn a_key_ends_when_it_was_to_end_is_revoked_or_was_replaced() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let now = text(&kessai.client.control("GET", "KESSAI_URL", "/local/clock", &Value::Null), "/now");
    refused(
        &developer.post("/set-up/api-keys", &json!({ "name": "x", "scopes": ["read"], "expiresAt": now })),
        400,
        "INVALID_API_INPUT",
        "expiresAt",
    );
    let year = &now[..4].parse::<u32>().expect("a year") + 1;
    let (brief, _) = developer.key(json!(["read"]), &json!({ "expiresAt": format!("{year}{}", &now[4..]) }));
    let record = "/commerce/payments/payments/0aQ000000000001";
    let works = |holder: &Holder<'_>| match holder.get(record) {
        Reply { status: 404, .. } => true,
        reply => {
            refused(&reply, 401, "INVALID_SESSION_ID", "");
            false
        }
    };
    assert!(works(&brief));
    let (lost, lost_id) = developer.key(json!(["read"]), &Value::Null);
    assert!(works(&lost));
    developer.delete(&format!("/set-up/api-keys/{lost_id}")).expect(204);
    developer.delete(&format!("/set-up/api-keys/{lost_id}")).expect(204);
    kessai.client.advance("PT1M");
    assert!(!works(&lost), "it is known within a minute");
    let dead = developer.post(&format!("/set-up/api-keys/{lost_id}/roll"), &Value::Null);
    refused(&dead, 422, "INVALID_STATUS", "does not work");

    let (old, old_id) = developer.key(json!(["read"]), &json!({ "requestsPerSecond": 50 }));
    let rolled = developer.post(&format!("/set-up/api-keys/{old_id}/roll"), &json!({ "overlap": "PT1H" })).expect(201);
    let new = developer.with(text(&rolled, "/key"));
    assert_eq!((rolled.at("/name"), rolled.at("/requestsPerSecond")), (json!("Till"), json!(50)));
    assert!(works(&old) && works(&new));
    kessai.client.advance("PT59M");
    assert!(works(&old) && works(&new));
    kessai.client.advance("PT1M");
    assert!(!works(&old) && works(&new));
    let long = developer.post(&format!("/set-up/api-keys/{old_id}/roll"), &json!({ "overlap": "P31D" }));
    refused(&long, 400, "INVALID_API_INPUT", "overlap");

    kessai.client.advance("P366D");
    assert!(!works(&brief));
    let shown = developer.get("/set-up").expect(200);
    let keys = shown.at("/apiKeys");
    let working: Vec<bool> = keys.as_array().into_iter().flatten().map(|key| key["works"] == true).collect();
    assert_eq!(working, [true, false, false, false, true], "in the order in which they were made: {}", shown.text);
}

#[test]
fn who_sets_up_is_looked_at_as_it_is_now_and_cannot_shut_itself_out() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let own = text(&developer.get("/set-up").expect(200), "/apiKeys/0/id");
    refused(&developer.delete(&format!("/set-up/api-keys/{own}")), 422, "INVALID_STATUS", "last key");
    let (other, other_id) = developer.key(json!(["set-up"]), &Value::Null);
    other.get("/set-up").expect(200);
    developer.delete(&format!("/set-up/api-keys/{other_id}")).expect(204);
    refused(&other.get("/set-up"), 401, "INVALID_SESSION_ID", "");
    let rolled = developer.post(&format!("/set-up/api-keys/{own}/roll"), &json!({ "overlap": 0 })).expect(201);
    refused(&developer.get("/set-up"), 401, "INVALID_SESSION_ID", "");
    developer.with(text(&rolled, "/key")).get("/set-up").expect(200);
}

#[test]
fn another_merchant_sees_and_uses_nothing_of_it() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let provider = developer.provider("Shop");
    let gateway = developer.gateway(&provider);
    let (_, key) = developer.key(json!(["read"]), &Value::Null);
    let hook = json!({ "url": "https://shop.example/hooks", "events": ["*"] });
    let hook = text(&developer.post("/set-up/webhook-endpoints", &hook).expect(201), "/id");
    let made = developer.post("/set-up/merchants", &json!({ "name": "Other", "defaultCurrency": "EUR" })).expect(201);
    assert_eq!((made.at("/name"), made.at("/defaultCurrency")), (json!("Other"), json!("EUR")));
    assert_eq!(made.at("/apiKey/scopes"), json!(["set-up"]));
    let other = developer.with(text(&made, "/apiKey/key"));
    let shown = other.get("/set-up").expect(200);
    assert_eq!(shown.at("/merchant/id"), made.at("/id"));
    assert_eq!((shown.at("/gateways"), shown.at("/providers")), (json!([]), json!([])));

    let edits = [
        ("PATCH", "/tooling/sobjects/PaymentGatewayProvider/", provider.as_str(), json!({ "Comments": "mine" })),
        ("PATCH", "/sobjects/PaymentGateway/", &gateway, json!({ "Status": "Inactive" })),
        ("DELETE", "/set-up/api-keys/", &key, Value::Null),
        ("PATCH", "/set-up/webhook-endpoints/", &hook, json!({ "status": "Inactive" })),
        ("DELETE", "/set-up/webhook-endpoints/", &hook, Value::Null),
    ];
    for (method, path, id, body) in &edits {
        let of_another = other.send(method, &format!("{path}{id}"), None, body);
        let unknown = other.send(method, &format!("{path}{}000000000009", &id[..3]), None, body);
        refused(&of_another, 404, "NOT_FOUND", "");
        assert_eq!(of_another.text, unknown.text, "{method} {path}");
    }
    for (path, id) in [("/set-up/api-keys/", &key), ("/set-up/webhook-endpoints/", &hook)] {
        refused(&other.post(&format!("{path}{id}/roll"), &Value::Null), 404, "NOT_FOUND", "");
    }
    let url = "https://gateway.example";
    let foreign = json!({ "PaymentGatewayName": "x", "PaymentGatewayProviderId": provider, "BaseUrl": url });
    refused(&other.post("/sobjects/PaymentGateway", &foreign), 400, "INVALID_API_INPUT", "PaymentGatewayProviderId");
    let (till, _) = other.key(json!(["authorize", "capture-reverse"]), &Value::Null);
    refused(&till.sale(&gateway, "s"), 400, "INVALID_API_INPUT", "paymentGatewayId");

    developer.sale(&gateway, "s").expect(201);
    let mine: Vec<String> = other.trail().into_iter().map(|(action, _)| action).collect();
    assert_eq!(mine, ["api-key.created", "merchant.created"]);
}

#[test]
fn the_trail_tells_all_of_it_in_order() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let merchant = text(&developer.get("/set-up").expect(200), "/merchant/id");
    let own = text(&developer.get("/set-up").expect(200), "/apiKeys/0/id");
    let provider = developer.provider("Shop");
    developer
        .patch(&format!("/tooling/sobjects/PaymentGatewayProvider/{provider}"), &json!({ "MasterLabel": "x" }))
        .expect(204);
    let gateway = developer.gateway(&provider);
    developer.patch(&format!("/sobjects/PaymentGateway/{gateway}"), &json!({ "GatewayMode": "test" })).expect(204);
    developer.patch(&format!("/sobjects/PaymentGateway/{gateway}"), &json!({ "GatewayMode": "Test" })).expect(204);
    let method_type =
        text(&developer.post("/sobjects/GtwyProvPaymentMethodType", &method_type_sample(&provider)).expect(201), "/id");
    let (_, key) = developer.key(json!(["read"]), &Value::Null);
    let rolled = text(&developer.post(&format!("/set-up/api-keys/{key}/roll"), &Value::Null).expect(201), "/id");
    developer.delete(&format!("/set-up/api-keys/{rolled}")).expect(204);
    let hook = json!({ "url": "https://shop.example/hooks", "events": ["*"] });
    let hook = text(&developer.post("/set-up/webhook-endpoints", &hook).expect(201), "/id");
    let path = format!("/set-up/webhook-endpoints/{hook}");
    developer.patch(&path, &json!({ "events": ["refund.*"], "status": "inactive" })).expect(204);
    developer.post(&format!("{path}/roll"), &Value::Null).expect(201);
    developer.delete(&path).expect(204);
    refused(&developer.delete(&path), 404, "NOT_FOUND", "");
    developer.patch("/set-up/merchant", &json!({ "name": "Corner shop" })).expect(204);
    let other = text(&developer.post("/set-up/merchants", &json!({ "name": "Other" })).expect(201), "/id");

    let expected = [
        ("merchant.created", &other),
        ("merchant.changed", &merchant),
        ("webhook-endpoint.deleted", &hook),
        ("webhook-endpoint.rolled", &hook),
        ("webhook-endpoint.changed", &hook),
        ("webhook-endpoint.created", &hook),
        ("api-key.revoked", &rolled),
        ("api-key.rolled", &key),
        ("api-key.created", &key),
        ("method-type.created", &method_type),
        ("gateway.changed", &gateway),
        ("gateway.created", &gateway),
        ("provider.changed", &provider),
        ("provider.created", &provider),
        ("merchant.created", &merchant),
    ];
    let expected: Vec<_> = expected.iter().map(|(action, id)| ((*action).to_owned(), (*id).clone())).collect();
    assert_eq!(developer.trail(), expected);
    let page = developer.get("/set-up/audit-trail?limit=15").expect(200);
    let by = |place: usize| page.at(&format!("/changes/{place}/by"));
    assert_eq!((by(0), by(14)), (json!(own), json!("command line")));
    assert_eq!(page.at("/changes/4/description"), json!("events, status"));
    assert!(!page.text.contains("kessai_") && !page.text.contains("whsec_"), "{}", page.text);
    refused(&developer.get("/set-up/audit-trail?limit=51"), 400, "INVALID_API_INPUT", "limit");
}

#[test]
fn what_is_made_under_an_idempotency_key_is_made_once() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let provider = developer.provider("Shop");
    let url = "https://gateway.example";
    let account = json!({ "PaymentGatewayName": "x", "PaymentGatewayProviderId": provider, "BaseUrl": url });
    let plain = [
        ("/tooling/sobjects/PaymentGatewayProvider", with(provider_sample(), "Adapter", "sandbox-none"), "MasterLabel"),
        ("/sobjects/PaymentGateway", account, "PaymentGatewayName"),
        ("/sobjects/GtwyProvPaymentMethodType", method_type_sample(&provider), "MasterLabel"),
    ];
    for (path, body, member) in plain {
        let first = developer.send("POST", path, Some("one"), &body).expect(201);
        let id = text(&first, "/id");
        let record = format!("{path}/{id}");
        if !path.contains("Method") {
            developer.patch(&record, &json!({ "Comments": "changed since" })).expect(204);
        }
        assert_eq!(developer.send("POST", path, Some("one"), &body).expect(201).text, first.text, "{path}");
        let other = developer.send("POST", path, Some("one"), &with(body, member, "other"));
        refused(&other, 422, "IDEMPOTENCY_KEY_REUSED", "");
    }
    let (_, key) = developer.key(json!(["read"]), &Value::Null);
    let hook = json!({ "url": "https://shop.example/hooks", "events": ["*"] });
    let hook_id = text(&developer.post("/set-up/webhook-endpoints", &hook).expect(201), "/id");
    let secret = [
        ("/set-up/api-keys".to_owned(), json!({ "name": "a", "scopes": ["read"] }), "name", json!("b")),
        (format!("/set-up/api-keys/{key}/roll"), json!({ "overlap": "PT1H" }), "overlap", json!("PT2H")),
        ("/set-up/webhook-endpoints".to_owned(), hook, "description", json!("b")),
        (format!("/set-up/webhook-endpoints/{hook_id}/roll"), json!({}), "overlap", json!("PT2H")),
        ("/set-up/merchants".to_owned(), json!({ "name": "a" }), "name", json!("b")),
    ];
    for (place, (path, body, member, value)) in secret.into_iter().enumerate() {
        let name = format!("secret {place}");
        let id = text(&developer.send("POST", &path, Some(&name), &body).expect(201), "/id");
        refused(&developer.send("POST", &path, Some(&name), &body), 409, "DUPLICATE_VALUE", &id);
        let other = developer.send("POST", &path, Some(&name), &with(body, member, value));
        refused(&other, 422, "IDEMPOTENCY_KEY_REUSED", "");
    }
}

#[test]
fn what_will_not_do_is_refused_by_name() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let provider = developer.provider("Shop");
    let (providers, gateways) = ("/tooling/sobjects/PaymentGatewayProvider", "/sobjects/PaymentGateway");
    let ours = with(with(provider_sample(), "Adapter", "sandbox-keyed"), "DeveloperName", "Other");
    let account = json!({
        "PaymentGatewayName": "x", "PaymentGatewayProviderId": provider, "BaseUrl": "https://gateway.example",
    });
    let (hooks, hook) = ("/set-up/webhook-endpoints", json!({ "url": "https://shop.example", "events": ["*"] }));
    let invalid = "INVALID_API_INPUT";
    let rows = [
        (providers, with(ours.clone(), "Adapter", "none"), 400, invalid, "Adapter: must be one of"),
        (providers, with(ours.clone(), "ApexAdapterId", "sandbox-none"), 400, invalid, "ApexAdapterId"),
        (providers, with(ours.clone(), "ApexAdapterId", "what"), 400, invalid, "ApexAdapterId"),
        (providers, with(ours.clone(), "DeveloperName", "a__b"), 400, invalid, "DeveloperName"),
        (providers, with(ours.clone(), "DeveloperName", "shop"), 400, "DUPLICATE_VALUE", "DeveloperName"),
        (providers, with(ours.clone(), "IdempotencySupported", "Maybe"), 400, invalid, "IdempotencySupported"),
        (providers, with(ours.clone(), "MasterLabel", "x".repeat(81)), 400, invalid, "80"),
        (providers, with(ours.clone(), "Nonsense", 1), 400, invalid, "Nonsense: is not a member"),
        (providers, with(ours.clone(), "masterlabel", "x"), 400, "JSON_PARSER_ERROR", "given twice"),
        (gateways, with(account.clone(), "BaseUrl", "http://gateway.example"), 400, invalid, "BaseUrl: must begin"),
        (gateways, with(account.clone(), "BaseUrl", "https://a:b@c.example"), 400, invalid, "BaseUrl: must not hold"),
        (gateways, with(account.clone(), "BaseUrl", "https://c.example?x=1"), 400, invalid, "query"),
        (gateways, with(account.clone(), "AuthorizationLifetime", "PT1M"), 400, invalid, "PT1H to P366D"),
        (gateways, with(account.clone(), "MerchantCredentialId", "not a name"), 400, invalid, "MerchantCredentialId"),
        (gateways, with(account.clone(), "Status", "Asleep"), 400, invalid, "Active, Inactive"),
        (gateways, with(account, "BaseUrl", Value::Null), 400, "REQUIRED_FIELD_MISSING", "BaseUrl"),
        (hooks, with(hook.clone(), "url", "http://shop.example"), 400, invalid, "url: must begin"),
        (
            hooks,
            with(hook.clone(), "url", "https://169.254.169.254"),
            400,
            invalid,
            "url: must be a name or an address",
        ),
        (hooks, with(hook.clone(), "url", "https://2130706433"), 400, invalid, "url: must write an IPv4 address"),
        (hooks, with(hook.clone(), "events", json!(["Payment"])), 400, invalid, "events"),
        (hooks, with(hook, "events", json!([])), 400, invalid, "events"),
        ("/set-up/merchants", json!({ "name": "x", "defaultCurrency": "XXZ" }), 400, invalid, "defaultCurrency"),
        (
            "/set-up/api-keys",
            json!({ "name": "x", "scopes": ["read"], "requestsPerSecond": 0 }),
            400,
            invalid,
            "1 to 10000",
        ),
    ];
    let before = developer.trail().len();
    for (path, body, status, code, says) in rows {
        refused(&developer.post(path, &body), status, code, says);
    }
    for name in 0.. {
        let body = with(with(provider_sample(), "Adapter", "sandbox-keyed"), "DeveloperName", format!("P{name}"));
        let reply = developer.post(providers, &body);
        if reply.status != 201 {
            refused(&reply, 422, "LIMIT_EXCEEDED", "PaymentGatewayProvider: a merchant has at most 20");
            assert_eq!(developer.trail().len(), before + name);
            break;
        }
    }
}

#[test]
fn what_operations_were_begun_with_stays() {
    let kessai = Kessai::in_memory();
    let desk = Holder::developer(&kessai.client);
    let provider = desk.provider("Ours");
    let gateway = format!("/sobjects/PaymentGateway/{}", desk.gateway(&provider));
    for (member, value) in [("BaseUrl", "https://elsewhere.example"), ("PaymentGatewayProviderId", &provider)] {
        let reply = desk.send("PATCH", &gateway, None, &json!({ member: value }));
        refused(&reply, 400, "INVALID_API_INPUT", member);
    }
    let provider = format!("/tooling/sobjects/PaymentGatewayProvider/{provider}");
    let declare = |supported: &str| desk.send("PATCH", &provider, None, &json!({ "IdempotencySupported": supported }));
    declare("Yes").expect(204);
    declare("No").expect(204);
    refused(&declare("Yes"), 422, "INVALID_STATUS", "IdempotencySupported");
}

#[test]
fn what_was_set_up_outlives_a_restart() {
    let scratch = crate::harness::Scratch::new();
    let sandbox = crate::harness::Sandbox::start(&scratch.path().join("sandbox"));
    let mut kessai = Kessai::on_file(&scratch.path().join("data"), &sandbox);
    let (till, before) = {
        let developer = Holder::developer(&kessai.client);
        developer.gateway(&developer.provider("Shop"));
        let (till, _) = developer.key(json!(["read"]), &Value::Null);
        (till.key, developer.get("/set-up").expect(200).text)
    };
    kessai.kill_and_restart();
    let developer = Holder::developer(&kessai.client);
    assert_eq!(developer.get("/set-up").expect(200).text, before, "and nothing was added");
    refused(&developer.with(till).get("/commerce/payments/payments/0aQ000000000001"), 404, "NOT_FOUND", "");
}
