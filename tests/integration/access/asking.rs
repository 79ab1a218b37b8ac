//! What is asked of each route of the template, and what it needs.

use std::collections::BTreeMap;

use kessai_functions::local::routes::Route;
use kessai_shared::ids::{
    ApiKeyId, EndpointId, GatewayId, MerchantId, MethodId, MethodKind, Ordinal, PaymentId, ProviderId, Record,
};
use kessai_shared::merchant::Scope;
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::recurring::ids::{ItemNumber, RuleId, RuleSetId, ScheduleId};
use serde_json::{Value, json};

use super::recurring;

/// Whose methods are listed.
pub const ACCOUNT: &str = "001000000000007";

/// The ids of a merchant's records, by the parameter of the path or the member of the body that names one.
pub type Ids = BTreeMap<&'static str, String>;

pub const SCHEDULES: &str = "/commerce/payments/payment-schedules";

/// A payment schedule of one item.
pub fn schedule(ids: &Ids) -> Value {
    json!({
        "defaultPaymentAccountId": ACCOUNT, "defaultPaymentMethodId": ids["paymentMethodId"], "currencyIsoCode": "USD",
        "paymentGatewayId": ids["gatewayId"], "status": "Open", "items": [schedule_item("2030-01-28")],
    })
}

pub fn schedule_item(date: &str) -> Value {
    json!({ "requestedAmount": 1, "targetPaymentProcessingDate": date })
}

/// A set of retry rules that nobody uses.
pub fn rule_set(name: &str) -> Value {
    json!({
        "Name": name, "DefaultRetryIntervalType": "Staggered", "DefaultIntervalValue": "1,3", "DefaultIntervalUnit": "Days",
    })
}

/// A rule of that set, for failures with this code.
pub fn rule(set: &str, code: &str) -> Value {
    json!({ "PaymentRetryRuleSetId": set, "PaymentGatewayErrorCategory": "CardLimit", "PaymentGatewayErrorCode": code })
}

/// Well-formed ids of nothing.
pub fn unknown() -> Ids {
    let (nobody, key) = (MerchantId::from_random([9; 16]), IdempotencyKey::parse("nobody").expect("a key"));
    let payment = PaymentId::opened_by(&nobody, &key);
    let record = |record: Record| record.id(payment, Ordinal::FIRST).to_string();
    let mut ids = Ids::from([
        ("authorizationId", record(Record::Authorization)),
        ("paymentId", record(Record::Payment)),
        ("reversalId", record(Record::Adjustment)),
        ("refundId", record(Record::Refund)),
        ("paymentMethodId", MethodId::made_by(MethodKind::Saved, &nobody, &key).to_string()),
        ("providerId", ProviderId::from_random([9; 16]).to_string()),
        ("gatewayId", GatewayId::from_random([9; 16]).to_string()),
        ("apiKeyId", ApiKeyId::from_random([9; 16]).to_string()),
        ("endpointId", EndpointId::from_random([9; 16]).to_string()),
        ("heldRuleSetId", RuleSetId::from_random([8; 16]).to_string()),
        ("ruleSetId", RuleSetId::from_random([9; 16]).to_string()),
        ("ruleId", RuleId::from_random([9; 16]).to_string()),
        ("paymentScheduleId", ScheduleId::made_under(&nobody, &key).id().to_string()),
        ("paymentScheduleItemId", ScheduleId::made_under(&nobody, &key).item_id(ItemNumber::FIRST).to_string()),
        ("eventId", format!("evt_{}", "9".repeat(31))),
    ]);
    ids.extend(recurring::unknown(&nobody, &key));
    ids
}

pub fn opening(ids: &Ids) -> Value {
    json!({
        "accountId": ACCOUNT, "amount": 1000, "currencyIsoCode": "USD", "paymentGatewayId": ids["gatewayId"],
        "paymentMethod": { "id": ids["paymentMethodId"] }, "additionalData": { "reference": "1" },
    })
}

const VERSIONED: &str = "/services/data/{version}";

/// The route as the wire calls it, whatever the version.
pub fn plain(route: &Route) -> &str {
    route.path.strip_prefix(VERSIONED).unwrap_or(&route.path)
}

/// What a good request says; `name` stands nowhere yet.
pub fn body(route: &Route, ids: &Ids, name: &str) -> Value {
    let card = json!({
        "cardHolderName": "C S", "cardHolderFirstName": "C", "cardHolderLastName": "S", "cardNumber": "4242424242424242",
        "cardType": "Visa", "cardCategory": "CreditCard", "expiryMonth": 5, "expiryYear": 2030, "accountId": ACCOUNT,
    });
    match (route.method.as_str(), plain(route)) {
        ("GET" | "DELETE", _) | ("POST", "/commerce/payments/events/{eventId}/redeliver") => Value::Null,
        ("POST", "/commerce/payments/authorizations" | "/commerce/payments/sales" | "/commerce/payments/postAuths") => {
            opening(ids)
        }
        (
            "POST",
            "/commerce/payments/authorizations/{authorizationId}/captures"
            | "/commerce/payments/authorizations/{authorizationId}/reversals"
            | "/commerce/payments/payments/{paymentId}/refunds",
        ) => json!({ "amount": 2 }),
        (
            "POST",
            "/commerce/payments/payment-methods"
            | "/commerce/payments/payment-method/tokens"
            | "/commerce/payments/payment-method/tokens/{proxy+}",
        ) => json!({ "cardPaymentMethod": card, "paymentGatewayId": ids["gatewayId"] }),
        ("PATCH", "/commerce/payments/payment-methods/{paymentMethodId}") => json!({ "nickName": name }),
        (
            "POST",
            "/sobjects/CardPaymentMethod"
            | "/sobjects/DigitalWallet"
            | "/sobjects/AlternativePaymentMethod"
            | "/sobjects/SavedPaymentMethod",
        ) => json!({ "GatewayToken": "t", "PaymentGatewayId": ids["gatewayId"] }),
        ("POST", "/tooling/sobjects/PaymentGatewayProvider") => {
            json!({ "DeveloperName": name, "MasterLabel": name, "Adapter": "sandbox-keyed" })
        }
        ("PATCH", "/tooling/sobjects/PaymentGatewayProvider/{providerId}") => json!({ "MasterLabel": name }),
        ("POST", "/set-up/providers/{providerId}/notification-secret") => json!({ "secret": name, "overlap": "PT0S" }),
        ("POST", "/sobjects/PaymentGateway") => json!({
            "PaymentGatewayName": name, "PaymentGatewayProviderId": ids["providerId"], "BaseUrl": "https://gateway.example",
        }),
        ("PATCH", "/sobjects/PaymentGateway/{gatewayId}") => json!({ "PaymentGatewayName": name }),
        ("POST", "/sobjects/PaymentGateway/{gatewayId}/credential") => {
            json!({ "Credential": { "secretKey": format!("secret-{name}") } })
        }
        ("POST", "/sobjects/PaymentGateway/{gatewayId}/check") => Value::Null,
        ("POST", "/sobjects/GtwyProvPaymentMethodType") => json!({
            "PaymentGatewayProviderId": ids["providerId"], "PaymentMethodType": "AlternativePaymentMethod",
            "GtwyProviderPaymentMethodType": name, "DeveloperName": name, "MasterLabel": name, "RecordTypeId": "r",
        }),
        ("POST", "/set-up/merchants") | ("PATCH", "/set-up/merchant") => json!({ "name": name }),
        ("POST", "/set-up/api-keys") => json!({ "name": name, "scopes": ["read"] }),
        ("POST", "/set-up/api-keys/{apiKeyId}/roll" | "/set-up/webhook-endpoints/{endpointId}/roll") => {
            json!({ "overlap": "PT0S" })
        }
        ("POST", "/set-up/webhook-endpoints") => json!({ "url": "https://shop.example/hooks", "events": ["*"] }),
        ("PATCH", "/set-up/webhook-endpoints/{endpointId}") => json!({ "description": name }),
        ("POST", "/sobjects/PaymentRetryRuleSet") => rule_set(name),
        ("POST", "/sobjects/PaymentRetryRule") => rule(&ids["heldRuleSetId"], name),
        ("PATCH", "/sobjects/PaymentRetryRuleSet/{ruleSetId}" | "/sobjects/PaymentRetryRule/{ruleId}") => {
            json!({ "Description": name })
        }
        ("POST", SCHEDULES) => schedule(ids),
        ("PATCH", "/commerce/payments/payment-schedules/{paymentScheduleId}") => json!({ "status": "On Hold" }),
        ("POST", "/commerce/payments/payment-schedules/{paymentScheduleId}/payment-schedule-items") => {
            schedule_item("2030-03-28")
        }
        ("PATCH", "/commerce/payments/payment-schedule-items/{paymentScheduleItemId}") => {
            json!({ "status": "Canceled" })
        }
        (method, path) => recurring::body(method, path, name),
    }
}

/// What a key must have for this route.
pub fn scopes(route: &Route) -> Vec<Scope> {
    // Whoever may read must not have others told.
    let more = route.path.ends_with("/redeliver").then_some(Scope::SetUp);
    // Whoever may not make others charge may see what is charged.
    if route.function.name == "schedules" && route.method == "GET" {
        return vec![Scope::Read];
    }
    recurring::scopes(route).iter().copied().chain(more).collect()
}

/// The parameters of a path that name records.
pub fn parameters(route: &Route) -> Vec<&str> {
    let segments = route.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    segments.filter(|name| !["version", "proxy+"].contains(name)).collect()
}

/// The path with these ids in it, and with a query where the route wants one.
pub fn path(route: &Route, ids: &Ids) -> String {
    let filled =
        route.path.split('/').map(|segment| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            None => segment.to_owned(),
            Some("version") => "v67.0".to_owned(),
            Some("proxy+") => String::new(),
            Some(name) => ids.get(name).unwrap_or_else(|| panic!("nobody has an id for {name}")).clone(),
        });
    let path = filled.collect::<Vec<_>>().join("/");
    let lists =
        ["/payment-methods", "/payment-schedules"].iter().any(|end| path.ends_with(end)) && route.method == "GET";
    if lists { format!("{path}?accountId={ACCOUNT}") } else { path }
}

/// Where a body names a record of this merchant, and by which parameter it would be named in a path.
pub fn named_in(body: &Value, ids: &Ids) -> Vec<(String, &'static str)> {
    fn look(value: &Value, pointer: &str, ids: &Ids, found: &mut Vec<(String, &'static str)>) {
        for (member, value) in value.as_object().into_iter().flatten() {
            let pointer = format!("{pointer}/{member}");
            let named = ids.iter().find(|(_, id)| value.as_str() == Some(id.as_str()));
            found.extend(named.map(|(name, _)| (pointer.clone(), *name)));
            look(value, &pointer, ids, found);
        }
    }
    let mut found = Vec::new();
    look(body, "", ids, &mut found);
    found
}
