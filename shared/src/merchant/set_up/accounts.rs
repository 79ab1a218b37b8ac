//! Changes of the merchant itself, its providers, gateways and method types.

use std::time::Duration;

use super::{Edited, MOST_GATEWAYS, MOST_METHOD_TYPES, MOST_PROVIDERS, Noted, Refused, is_again, noted, room};
use crate::gateways::Adapter;
use crate::ids::{GatewayId, MethodTypeId, ProviderId};
use crate::merchant::{DeveloperName, Gateway, GatewayMode, Merchant, MethodType, Provider};
use crate::money::Currency;
use crate::payment::{BalanceCheck, Generation};
use crate::seal::Sealed;

/// Other values for what is named; a value that may be absent is taken away by none within.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MerchantEdit {
    pub name: Option<String>,
    pub default_currency: Option<Option<Currency>>,
    pub keeps_events: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderEdit {
    pub developer_name: Option<DeveloperName>,
    pub master_label: Option<String>,
    pub idempotency_supported: Option<bool>,
    pub comments: Option<Option<String>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayEdit {
    pub name: Option<String>,
    pub balance_check: Option<BalanceCheck>,
    pub authorization_lifetime: Option<Duration>,
    pub credential: Option<Option<String>>,
    pub mode: Option<GatewayMode>,
    pub is_active: Option<bool>,
    pub comments: Option<Option<String>>,
    pub external_reference: Option<Option<String>>,
}

/// What is there already is what is to be made: asked for again, or written by us and not acknowledged.
pub(super) fn same(is_same: bool) -> Result<Noted, Refused> {
    if is_same { Ok(None) } else { Err(Refused::Reused) }
}

pub(super) fn edit_merchant(merchant: &mut Merchant, edit: &MerchantEdit) -> Noted {
    let mut edited = Edited::default();
    edited.set("name", &mut merchant.name, &edit.name);
    edited.set("defaultCurrency", &mut merchant.default_currency, &edit.default_currency);
    edited.set("keepEvents", &mut merchant.keeps_events, &edit.keeps_events);
    edited.noted("merchant.changed", merchant.id)
}

pub(super) fn add_provider(merchant: &mut Merchant, id: ProviderId, provider: &Provider) -> Result<Noted, Refused> {
    if let Some(known) = merchant.providers.get(&id) {
        return same(known == provider || is_again(known.made, provider.made));
    }
    room("PaymentGatewayProvider", merchant.providers.len(), MOST_PROVIDERS)?;
    check_provider_name(merchant, id, &provider.developer_name)?;
    merchant.providers.insert(id, provider.clone());
    Ok(noted("provider.created", id, format!("{}, adapter {}", provider.developer_name.as_str(), provider.adapter)))
}

pub(super) fn edit_provider(merchant: &mut Merchant, id: ProviderId, edit: &ProviderEdit) -> Result<Noted, Refused> {
    if !merchant.providers.contains_key(&id) {
        return Err(Refused::NotFound);
    }
    if let Some(name) = &edit.developer_name {
        check_provider_name(merchant, id, name)?;
    }
    let provider = merchant.providers.get_mut(&id).ok_or(Refused::NotFound)?;
    if !provider.idempotency_supported && edit.idempotency_supported == Some(true) {
        return Err(Refused::Bound("IdempotencySupported"));
    }
    let mut edited = Edited::default();
    edited.set("DeveloperName", &mut provider.developer_name, &edit.developer_name);
    edited.set("MasterLabel", &mut provider.master_label, &edit.master_label);
    edited.set("IdempotencySupported", &mut provider.idempotency_supported, &edit.idempotency_supported);
    edited.set("Comments", &mut provider.comments, &edit.comments);
    Ok(edited.noted("provider.changed", id))
}

fn check_provider_name(merchant: &Merchant, id: ProviderId, name: &DeveloperName) -> Result<(), Refused> {
    let has_it = |(other, provider): (&ProviderId, &Provider)| *other != id && provider.developer_name.is_same(name);
    if merchant.providers.iter().any(has_it) { Err(Refused::Taken("DeveloperName")) } else { Ok(()) }
}

/// Its adapter is its provider's, whatever it says itself.
pub(super) fn add_gateway(merchant: &mut Merchant, id: GatewayId, gateway: &Gateway) -> Result<Noted, Refused> {
    if let Some(known) = merchant.gateways.get(&id) {
        let Gateway { adapter, never_resend, .. } = known.clone();
        let asked = Gateway { adapter, never_resend, ..gateway.clone() };
        return same(*known == asked || is_again(known.made, gateway.made));
    }
    room("PaymentGateway", merchant.gateways.len(), MOST_GATEWAYS)?;
    let provider = gateway.provider.and_then(|id| merchant.providers.get(&id));
    let adapter = provider.ok_or(Refused::Unknown("PaymentGatewayProviderId"))?.adapter.clone();
    let description = format!("{:?} at {}", gateway.name, crate::merchant::address::origin(&gateway.base_url));
    merchant.gateways.insert(id, Gateway { adapter, ..gateway.clone() });
    Ok(noted("gateway.created", id, description))
}

pub(super) fn edit_gateway(merchant: &mut Merchant, id: GatewayId, edit: &GatewayEdit) -> Result<Noted, Refused> {
    let gateway = merchant.gateways.get_mut(&id).ok_or(Refused::NotFound)?;
    let mut edited = Edited::default();
    edited.set("PaymentGatewayName", &mut gateway.name, &edit.name);
    edited.set("BalanceCheck", &mut gateway.balance_check, &edit.balance_check);
    edited.set("AuthorizationLifetime", &mut gateway.authorization_lifetime, &edit.authorization_lifetime);
    edited.set("MerchantCredentialId", &mut gateway.credential, &edit.credential);
    edited.set("GatewayMode", &mut gateway.mode, &edit.mode);
    edited.set("Status", &mut gateway.is_active, &edit.is_active);
    edited.set("Comments", &mut gateway.comments, &edit.comments);
    edited.set("ExternalReference", &mut gateway.external_reference, &edit.external_reference);
    Ok(edited.noted("gateway.changed", id))
}

/// The new one counts at once, and alone: a gateway takes it or does not, whatever was there before. What is open was
/// asked for under the former, and is asked for under no other, unless both are known to be of one account.
pub(super) fn set_credential(
    merchant: &mut Merchant,
    id: GatewayId,
    sealed: Option<&Sealed>,
    same_account_as: Option<&Sealed>,
) -> Result<Noted, Refused> {
    let next_version = merchant.version.saturating_add(1);
    let gateway = merchant.gateways.get_mut(&id).ok_or(Refused::NotFound)?;
    // Written by us and not acknowledged, or nothing in the place of nothing.
    if gateway.sealed_credential.as_ref() == sealed {
        return Ok(None);
    }
    // What needs one was asked for nothing without.
    let needs_credential = Adapter::named(&gateway.adapter).is_some_and(Adapter::needs_credential);
    let is_same_account = gateway.sealed_credential.as_ref() == same_account_as;
    let (description, may_be_another) = match (&gateway.sealed_credential, sealed) {
        (None, _) => ("there was none before", !needs_credential),
        (Some(_), Some(_)) if is_same_account => ("in the place of another, same account", false),
        (Some(_), Some(_)) => ("in the place of another", true),
        (Some(_), None) => ("there is none any more", true),
    };
    if may_be_another {
        // No count of its own: a version of Kessai that does not know it would begin it again. Versions never repeat.
        gateway.generation = Generation(next_version);
    }
    gateway.sealed_credential = sealed.cloned();
    Ok(noted("gateway.credential", id, description))
}

pub(super) fn add_method_type(merchant: &mut Merchant, id: MethodTypeId, kind: &MethodType) -> Result<Noted, Refused> {
    if let Some(known) = merchant.method_types.get(&id) {
        return same(known == kind || is_again(known.made, kind.made));
    }
    room("GtwyProvPaymentMethodType", merchant.method_types.len(), MOST_METHOD_TYPES)?;
    if !merchant.providers.contains_key(&kind.provider) {
        return Err(Refused::Unknown("PaymentGatewayProviderId"));
    }
    if merchant.method_types.values().any(|other| other.developer_name.is_same(&kind.developer_name)) {
        return Err(Refused::Taken("DeveloperName"));
    }
    merchant.method_types.insert(id, kind.clone());
    Ok(noted("method-type.created", id, format!("{}, {}", kind.developer_name.as_str(), kind.kind.object())))
}
