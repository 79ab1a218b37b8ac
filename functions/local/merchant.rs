//! `merchant`: makes a merchant with its providers, its gateways and an API key in a deployment's table; or a key for a
//! merchant that is there. The key may do everything. It is printed once, here; the table holds its hash.

use kessai_infra::aws::Account;
use kessai_infra::system::{SystemClock, SystemEntropy};
use kessai_shared::ids::{ApiKeyId, GatewayId, MerchantId};
use kessai_shared::merchant::address::origin;
use kessai_shared::merchant::set_up::{Change, LastChange, Who};
use kessai_shared::merchant::{ApiKey, Gateway, Merchant};
use kessai_shared::ports::{Clock, Entropy};
use kessai_shared::registry::Registry;
use kessai_shared::stored::merchant::Pointer;

use super::arguments;
use super::identity::{everything, hindered, provider_id, providers};
use crate::lambda::{StartError, variable};

/// What the key is called.
const NAME: &str = "Command line";

/// Makes what is asked for.
pub async fn make(arguments: arguments::Merchant) -> Result<(), StartError> {
    let table = Account::from_environment(&variable)?.table(arguments.table.clone());
    let clock = SystemClock;
    let registry = Registry { store: &table, clock: &clock, deadline: clock.now() };
    match &arguments.merchant {
        Some(id) => make_key(registry, id).await,
        None => make_merchant(registry, &arguments).await,
    }
}

/// A key for a merchant that is there, by which it can set up the rest.
async fn make_key(registry: Registry<'_>, id: &MerchantId) -> Result<(), StartError> {
    let merchant = registry.merchant(id).await?.ok_or_else(|| format!("there is no merchant {id}"))?;
    let key = ApiKey::from_random(SystemEntropy.bytes(), SystemEntropy.bytes());
    let key_id = ApiKeyId::from_random(SystemEntropy.bytes());
    registry.point(&key.hash(), Pointer { merchant: *id, key: Some(key_id) }).await?;
    let change = Change::AddKey(key_id, everything(&key, NAME, registry.clock.now()));
    let decide = |merchant: &Merchant, now| merchant.after(&change, now, Who::CommandLine);
    registry.change(merchant, decide).await.map_err(hindered)?;
    println!("export KESSAI_API_KEY={}", key.reveal());
    println!("export KESSAI_MERCHANT_ID={id}");
    Ok(())
}

/// Writes the key's pointer, which leads nowhere yet, then the merchant.
async fn make_merchant(registry: Registry<'_>, arguments: &arguments::Merchant) -> Result<(), StartError> {
    let (id, key_id) = (MerchantId::from_random(SystemEntropy.bytes()), ApiKeyId::from_random(SystemEntropy.bytes()));
    let api_key = ApiKey::from_random(SystemEntropy.bytes(), SystemEntropy.bytes());
    let now = registry.clock.now();
    let mut merchant = Merchant {
        default_currency: arguments.currency,
        ..Merchant::new(id, arguments.name.clone().unwrap_or_default())
    };
    merchant.providers.extend(providers(&id)?);
    for (adapter, url) in &arguments.gateways {
        let gateway = Gateway { provider: Some(provider_id(&id, adapter)?), ..Gateway::at(adapter, url) };
        merchant.gateways.insert(GatewayId::from_random(SystemEntropy.bytes()), gateway);
    }
    merchant.api_keys.insert(key_id, everything(&api_key, NAME, now));
    let (action, description) = ("merchant.created".to_owned(), format!("{:?}", merchant.name));
    let change = LastChange { at: now, by: Who::CommandLine, action, subject: id.into(), description };
    let merchant = merchant.signed(0, change);
    registry.point(&api_key.hash(), Pointer { merchant: id, key: Some(key_id) }).await?;
    registry.make(&merchant).await.map_err(hindered)?;
    for (_, url) in &arguments.gateways {
        registry.remember_origin(origin(url)).await?;
    }
    print(&merchant, &api_key, arguments);
    Ok(())
}

fn print(merchant: &Merchant, api_key: &ApiKey, arguments: &arguments::Merchant) {
    println!("export KESSAI_API_KEY={}", api_key.reveal());
    println!("export KESSAI_MERCHANT_ID={}", merchant.id);
    for (place, (adapter, url)) in arguments.gateways.iter().enumerate() {
        let known = merchant.gateways.iter().find(|(_, known)| known.adapter == *adapter && known.base_url == *url);
        let Some((id, _)) = known else { continue };
        if place == 0 {
            println!("export KESSAI_GATEWAY_ID={id}");
        }
        println!("export KESSAI_GATEWAY_ID_{}={id}", adapter.to_uppercase().replace('-', "_"));
    }
}
