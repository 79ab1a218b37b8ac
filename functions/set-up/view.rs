//! `GET /set-up`: everything of a merchant but its secrets, and nothing that leads to one.

use kessai_shared::gateways::Adapter;
use kessai_shared::ids::{ApiKeyId, EndpointId};
use kessai_shared::merchant::{Endpoint, EventFilter, ListedKey, Merchant, Scope, SealedSecret};
use kessai_shared::money::Currency;
use kessai_shared::payment::BalanceCheck;
use kessai_shared::time::{Timestamp, print_duration};
use serde::Serialize;

use super::{Desk, json};
use crate::event::HttpAnswer;
use crate::problem::Problem;
use crate::retry_rules::{ShownRule, ShownRuleSet, shown_rule_sets, shown_rules};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    merchant: ShownMerchant<'a>,
    providers: Vec<ShownProvider<'a>>,
    gateways: Vec<ShownGateway<'a>>,
    payment_method_types: Vec<ShownMethodType<'a>>,
    api_keys: Vec<ShownKey<'a>>,
    webhook_endpoints: Vec<ShownEndpoint<'a>>,
    payment_retry_rule_sets: Vec<ShownRuleSet<'a>>,
    payment_retry_rules: Vec<ShownRule<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownMerchant<'a> {
    id: String,
    version: u64,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_currency: Option<&'static str>,
    /// Whether events are recorded even where no endpoint wants them.
    keep_events: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownProvider<'a> {
    id: String,
    developer_name: &'a str,
    master_label: &'a str,
    idempotency_supported: &'static str,
    adapter: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<&'a str>,
    /// Where its gateways send notices, below this API's own address.
    notification_url: String,
    /// Those that count now, the newest first.
    notification_secrets: Vec<ShownSecret>,
}

/// That there is a secret, and nothing of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownSecret {
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownGateway<'a> {
    id: String,
    payment_gateway_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_gateway_provider_id: Option<String>,
    adapter: &'a str,
    /// Whether this version has that adapter.
    works: bool,
    status: &'static str,
    gateway_mode: &'static str,
    base_url: &'a str,
    balance_check: &'static str,
    authorization_lifetime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_credential_id: Option<&'a str>,
    /// That we are known by something there, and nothing of it.
    has_credential: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownMethodType<'a> {
    id: String,
    payment_gateway_provider_id: String,
    payment_method_type: &'static str,
    gtwy_provider_payment_method_type: &'a str,
    developer_name: &'a str,
    master_label: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    record_type_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownKey<'a> {
    id: String,
    name: &'a str,
    scopes: Vec<&'static str>,
    /// Whether it opens the door now.
    works: bool,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requests_per_second: Option<u16>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownEndpoint<'a> {
    id: String,
    url: &'a str,
    events: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    status: &'static str,
    /// When the secret that was replaced last ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_secret_ends_at: Option<String>,
}

pub(super) fn show(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    Ok(json(200, &shown(&desk.merchant, desk.now())))
}

fn shown(merchant: &Merchant, now: Timestamp) -> Shown<'_> {
    let mut keys: Vec<_> = merchant.api_keys.iter().collect();
    keys.sort_by_key(|(id, key)| (key.created_at, **id));
    Shown {
        merchant: shown_merchant(merchant),
        providers: providers(merchant, now),
        gateways: gateways(merchant),
        payment_method_types: method_types(merchant),
        api_keys: keys.into_iter().map(|(id, key)| shown_key(*id, key, now)).collect(),
        webhook_endpoints: merchant.endpoints.iter().map(|(id, endpoint)| shown_endpoint(*id, endpoint)).collect(),
        payment_retry_rule_sets: shown_rule_sets(merchant),
        payment_retry_rules: shown_rules(merchant),
    }
}

pub(super) fn shown_merchant(merchant: &Merchant) -> ShownMerchant<'_> {
    ShownMerchant {
        id: merchant.id.to_string(),
        version: merchant.version,
        name: &merchant.name,
        default_currency: merchant.default_currency.map(Currency::code),
        keep_events: merchant.keeps_events,
    }
}

fn providers(merchant: &Merchant, now: Timestamp) -> Vec<ShownProvider<'_>> {
    let providers = merchant.providers.iter().map(|(id, provider)| ShownProvider {
        id: id.to_string(),
        developer_name: provider.developer_name.as_str(),
        master_label: &provider.master_label,
        idempotency_supported: if provider.idempotency_supported { "Yes" } else { "No" },
        adapter: &provider.adapter,
        comments: provider.comments.as_deref(),
        notification_url: format!("/commerce/payments/notify?provider={id}"),
        notification_secrets: provider
            .notice_secrets
            .iter()
            .filter(|known| known.is_valid(now))
            .map(shown_secret)
            .collect(),
    });
    providers.collect()
}

fn shown_secret(secret: &SealedSecret) -> ShownSecret {
    ShownSecret {
        created_at: secret.created_at.map(|at| at.to_string()),
        expires_at: secret.until.map(|at| at.to_string()),
    }
}

fn gateways(merchant: &Merchant) -> Vec<ShownGateway<'_>> {
    let gateways = merchant.gateways.iter().map(|(id, gateway)| ShownGateway {
        id: id.to_string(),
        payment_gateway_name: &gateway.name,
        payment_gateway_provider_id: gateway.provider.map(|id| id.to_string()),
        adapter: &gateway.adapter,
        works: Adapter::named(&gateway.adapter).is_some(),
        status: status(gateway.is_active),
        gateway_mode: gateway.mode.name(),
        base_url: &gateway.base_url,
        balance_check: match gateway.balance_check {
            BalanceCheck::Strict => "strict",
            BalanceCheck::Gateway => "gateway",
        },
        authorization_lifetime: print_duration(gateway.authorization_lifetime),
        merchant_credential_id: gateway.credential.as_deref(),
        has_credential: gateway.sealed_credential.is_some(),
        external_reference: gateway.external_reference.as_deref(),
        comments: gateway.comments.as_deref(),
    });
    gateways.collect()
}

fn method_types(merchant: &Merchant) -> Vec<ShownMethodType<'_>> {
    let kinds = merchant.method_types.iter().map(|(id, kind)| ShownMethodType {
        id: id.to_string(),
        payment_gateway_provider_id: kind.provider.to_string(),
        payment_method_type: kind.kind.object(),
        gtwy_provider_payment_method_type: &kind.gateway_name,
        developer_name: kind.developer_name.as_str(),
        master_label: &kind.master_label,
        record_type_id: kind.record_type.as_deref(),
        comments: kind.comments.as_deref(),
    });
    kinds.collect()
}

pub(super) fn shown_key(id: ApiKeyId, key: &ListedKey, now: Timestamp) -> ShownKey<'_> {
    ShownKey {
        id: id.to_string(),
        name: &key.name,
        scopes: key.scopes.iter().copied().map(Scope::name).collect(),
        works: key.works(now),
        created_at: key.created_at.to_string(),
        expires_at: key.expires_at.map(|at| at.to_string()),
        revoked_at: key.revoked_at.map(|at| at.to_string()),
        requests_per_second: key.requests_per_second,
    }
}

pub(super) fn shown_endpoint(id: EndpointId, endpoint: &Endpoint) -> ShownEndpoint<'_> {
    ShownEndpoint {
        id: id.to_string(),
        url: &endpoint.url,
        events: endpoint.events.iter().map(EventFilter::as_str).collect(),
        description: endpoint.description.as_deref(),
        status: status(endpoint.is_active),
        old_secret_ends_at: endpoint.secrets.get(1).and_then(|secret| secret.until).map(|until| until.to_string()),
    }
}

fn status(is_active: bool) -> &'static str {
    if is_active { "Active" } else { "Inactive" }
}
