//! Merchants and API keys as items of the merchants table.
//!
//! | key | holds |
//! |---|---|
//! | `key/{hash of an API key}` | the merchant it belongs to |
//! | `merchant/{id}` | the merchant with its gateways |
//! | `origins` | where gateways listen that anybody uses |

use std::collections::BTreeMap;
use std::time::Duration;

use super::item::{Attribute, Item};
use super::payment::KEY;
use super::reader::{Reader, Unreadable, strange};
use crate::ids::{GatewayId, MerchantId};
use crate::merchant::{ApiKeyHash, Gateway, Merchant};
use crate::money::Currency;
use crate::payment::BalanceCheck;

const FORMAT: i64 = 1;

/// The key of the item that says where gateways listen: functions open connections to them while they start.
pub const ORIGINS_KEY: &str = "origins";

/// Connections that a function opens while it starts, at most.
const MOST_ORIGINS: usize = 4;

/// The key of the item that leads from an API key to its merchant.
pub fn api_key_key(hash: &ApiKeyHash) -> String {
    format!("key/{hash}")
}

/// The key of a merchant's item.
pub fn merchant_key(merchant: &MerchantId) -> String {
    format!("merchant/{}", merchant.as_str())
}

pub fn encode_api_key(hash: &ApiKeyHash, merchant: &MerchantId) -> Item {
    Item::new().with(KEY, api_key_key(hash)).with("f", FORMAT).with("merchant", merchant.as_str().to_owned())
}

/// The merchant that an API key belongs to.
pub fn decode_api_key(item: Item) -> Result<MerchantId, Unreadable> {
    let mut reader = checked(item)?;
    reader.parsed("merchant", MerchantId::parse)
}

pub fn encode_merchant(merchant: &Merchant) -> Item {
    let gateways = merchant.gateways.iter().map(|(id, gateway)| Attribute::Map(encode_gateway(id, gateway)));
    Item::new()
        .with(KEY, merchant_key(&merchant.id))
        .with("f", FORMAT)
        .with("merchant", merchant.id.as_str().to_owned())
        .with("name", &merchant.name)
        .with_some("currency", merchant.default_currency.map(Currency::code))
        .with("gateways", gateways.collect::<Vec<_>>())
}

pub fn decode_merchant(item: Item) -> Result<Merchant, Unreadable> {
    let mut reader = checked(item)?;
    let gateways: Result<BTreeMap<_, _>, _> = reader.maps("gateways")?.into_iter().map(decode_gateway).collect();
    Ok(Merchant {
        id: reader.parsed("merchant", MerchantId::parse)?,
        name: reader.text("name")?,
        default_currency: reader.maybe_parsed("currency", Currency::parse)?,
        gateways: gateways?,
    })
}

/// The item that says where gateways listen, with one more. The oldest make room.
pub fn with_origins(known: Option<Item>, more: impl IntoIterator<Item = String>) -> Result<Item, Unreadable> {
    let mut origins = known.map(decode_origins).transpose()?.unwrap_or_default();
    for origin in more {
        origins.retain(|known| *known != origin);
        origins.push(origin);
    }
    let kept = origins.split_off(origins.len().saturating_sub(MOST_ORIGINS));
    let kept: Vec<Attribute> = kept.into_iter().map(Attribute::from).collect();
    Ok(Item::new().with(KEY, ORIGINS_KEY).with("f", FORMAT).with("urls", kept))
}

pub fn decode_origins(item: Item) -> Result<Vec<String>, Unreadable> {
    let reader = checked(item)?.rest();
    let text = |url: &Attribute| if let Attribute::Text(url) = url { Some(url.to_string()) } else { None };
    Ok(reader.list("urls").iter().filter_map(text).collect())
}

fn encode_gateway(id: &GatewayId, gateway: &Gateway) -> Item {
    Item::new()
        .with("id", id.as_str().to_owned())
        .with("name", &gateway.name)
        .with("adapter", &gateway.adapter)
        .with("url", &gateway.base_url)
        .with("balance", balance_check_name(gateway.balance_check))
        .with("lifetime", i64::try_from(gateway.authorization_lifetime.as_secs()).unwrap_or(i64::MAX))
}

fn decode_gateway(item: Item) -> Result<(GatewayId, Gateway), Unreadable> {
    let mut reader = Reader::new(item);
    let lifetime = reader.number("lifetime")?;
    let gateway = Gateway {
        name: reader.text("name")?,
        adapter: reader.text("adapter")?,
        base_url: reader.text("url")?,
        balance_check: reader.parsed("balance", |text| {
            [BalanceCheck::Strict, BalanceCheck::Gateway].into_iter().find(|check| balance_check_name(*check) == text)
        })?,
        authorization_lifetime: Duration::from_secs(u64::try_from(lifetime).map_err(|_| strange("lifetime"))?),
    };
    Ok((reader.parsed("id", GatewayId::parse)?, gateway))
}

fn balance_check_name(check: BalanceCheck) -> &'static str {
    match check {
        BalanceCheck::Strict => "strict",
        BalanceCheck::Gateway => "gateway",
    }
}

fn checked(item: Item) -> Result<Reader, Unreadable> {
    let mut reader = Reader::new(item);
    match reader.number("f")? {
        FORMAT => Ok(reader),
        _ => Err(strange("f")),
    }
}
