//! `kessai merchant first`: makes a merchant with its providers, its gateways and an API key straight in a deployment's
//! table; or a key for a merchant that is there. The key may do everything. It is printed once, here; the table holds
//! its hash.

use std::time::Duration;

use clap::Args;
use kessai_infra::aws::Account;
use kessai_infra::system::{SystemClock, SystemEntropy};
use kessai_shared::gateways::{ADAPTERS, Adapter};
use kessai_shared::ids::{ApiKeyId, GatewayId, MerchantId};
use kessai_shared::merchant::address::{Plain, check, origin};
use kessai_shared::merchant::set_up::{Change, LastChange, Who};
use kessai_shared::merchant::{ApiKey, Gateway, Merchant};
use kessai_shared::money::Currency;
use kessai_shared::ports::{Clock, Entropy};
use kessai_shared::registry::Registry;
use kessai_shared::stored::merchant::Pointer;
use serde_json::json;

use super::id;
use crate::lambda::{StartError, variable};
use crate::local::identity::{everything, hindered, provider_id, providers};

/// Characters of a merchant's name, as the API has it.
const LONGEST_NAME: usize = 80;

/// As long as the table may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the key is called.
const NAME: &str = "Command line";

#[derive(Debug, Args)]
pub struct First {
    /// Name of the deployment's table of merchants. Region and credentials are taken from the environment.
    #[arg(long, value_name = "TABLE")]
    pub table: String,
    /// Make an API key for this merchant, which is there, instead of a merchant.
    #[arg(long, value_name = "ID", value_parser = id(MerchantId::parse), conflicts_with_all = ["name", "currency", "gateways"])]
    pub merchant: Option<MerchantId>,
    /// What people call the merchant, at most 80 characters.
    #[arg(long, value_parser = called, required_unless_present = "merchant")]
    pub name: Option<String>,
    /// Currency of requests that name none, as ISO 4217 has it.
    #[arg(long, value_name = "CODE", value_parser = currency)]
    pub currency: Option<Currency>,
    /// A gateway: the adapter that speaks to it, and where it listens. May be given several times.
    #[arg(long = "gateway", value_name = "ADAPTER=URL", value_parser = gateway, required_unless_present = "merchant")]
    pub gateways: Vec<(String, String)>,
    /// Print JSON instead of lines for a shell.
    #[arg(long)]
    pub json: bool,
}

/// Makes what is asked for.
pub async fn make(arguments: First) -> Result<(), StartError> {
    let table = Account::from_environment(&variable)?.table(arguments.table.clone());
    let clock = SystemClock;
    let registry = Registry { store: &table, clock: &clock, deadline: clock.now().plus(PATIENCE) };
    match &arguments.merchant {
        Some(id) => make_key(registry, id, arguments.json).await,
        None => make_merchant(registry, &arguments).await,
    }
}

/// A key for a merchant that is there, by which it can set up the rest.
async fn make_key(registry: Registry<'_>, id: &MerchantId, json: bool) -> Result<(), StartError> {
    let merchant = registry.merchant(id).await?.ok_or_else(|| format!("there is no merchant {id}"))?;
    let key = ApiKey::from_random(SystemEntropy.bytes(), SystemEntropy.bytes());
    let key_id = ApiKeyId::from_random(SystemEntropy.bytes());
    registry.point(&key.hash(), Pointer { merchant: *id, key: Some(key_id) }).await?;
    let change = Change::AddKey(key_id, everything(&key, NAME, registry.clock.now()));
    let decide = |merchant: &Merchant, now| merchant.after(&change, now, Who::CommandLine);
    registry.change(merchant, decide).await.map_err(hindered)?;
    print(id, &key, &[], json);
    Ok(())
}

/// Writes what leads to the merchant, from its key and its providers, then the merchant.
async fn make_merchant(registry: Registry<'_>, arguments: &First) -> Result<(), StartError> {
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
    for provider in merchant.providers.keys() {
        registry.point_provider(*provider, id).await?;
    }
    registry.make(&merchant).await.map_err(hindered)?;
    for (_, url) in &arguments.gateways {
        registry.remember_origin(origin(url)).await?;
    }
    let made = |(adapter, url): &(String, String)| {
        let known = merchant.gateways.iter().find(|(_, known)| known.adapter == *adapter && known.base_url == *url);
        known.map(|(id, _)| (*id, adapter.clone(), url.clone()))
    };
    let gateways: Vec<_> = arguments.gateways.iter().filter_map(made).collect();
    print(&id, &api_key, &gateways, arguments.json);
    Ok(())
}

/// The key, this once, and the ids of what was made.
fn print(merchant: &MerchantId, api_key: &ApiKey, gateways: &[(GatewayId, String, String)], as_json: bool) {
    if as_json {
        let shown = |(id, adapter, url): &(GatewayId, String, String)| json!({ "id": id.to_string(), "adapter": adapter, "baseUrl": url });
        let gateways: Vec<_> = gateways.iter().map(shown).collect();
        println!(
            "{}",
            json!({ "id": merchant.to_string(), "apiKey": { "key": api_key.reveal() }, "gateways": gateways })
        );
        return;
    }
    println!("export KESSAI_API_KEY={}", api_key.reveal());
    println!("export KESSAI_MERCHANT_ID={merchant}");
    if let Some((first, ..)) = gateways.first() {
        println!("export KESSAI_GATEWAY_ID={first}");
    }
    for (id, adapter, _) in gateways {
        println!("export KESSAI_GATEWAY_ID_{}={id}", adapter.to_uppercase().replace('-', "_"));
    }
}

fn called(name: &str) -> Result<String, String> {
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count());
    if fits { Ok(name.to_owned()) } else { Err(format!("must have 1 to {LONGEST_NAME} characters")) }
}

fn currency(code: &str) -> Result<Currency, String> {
    Currency::parse(code).ok_or_else(|| "must be a currency code of ISO 4217, such as USD".to_owned())
}

fn gateway(text: &str) -> Result<(String, String), String> {
    let (adapter, url) = text.split_once('=').ok_or("must be ADAPTER=URL")?;
    if Adapter::named(adapter).is_none() {
        let known: Vec<_> = ADAPTERS.iter().map(|adapter| adapter.name).collect();
        return Err(format!("there is no adapter {adapter:?}; there are {}", known.join(", ")));
    }
    check(url, Plain::Loopback).map_err(|error| format!("the URL {error}"))?;
    if url.contains('?') {
        return Err("the URL must not hold a query".to_owned());
    }
    Ok((adapter.to_owned(), url.trim_end_matches('/').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_hears_nothing_in_the_clear_but_on_the_same_machine() {
        let rows = [
            ("sandbox-keyed=https://gateway.example/v2/", true),
            ("sandbox-keyed=http://127.0.0.1:9401/keyed", true),
            ("sandbox-keyed=http://gateway.example", false),
            ("sandbox-keyed=https://user:word@gateway.example", false),
            ("sandbox-keyed=https://gateway.example?x=1", false),
            ("nobody=https://gateway.example", false),
            ("https://gateway.example", false),
        ];
        for (text, is_taken) in rows {
            assert_eq!(gateway(text).is_ok(), is_taken, "{text}");
        }
    }

    #[test]
    fn a_name_has_a_length() {
        let rows = [(1, true), (80, true), (0, false), (81, false)];
        for (length, is_taken) in rows {
            assert_eq!(called(&"x".repeat(length)).is_ok(), is_taken, "{length}");
        }
    }
}
