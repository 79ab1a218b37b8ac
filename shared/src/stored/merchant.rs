//! Merchants and API keys as items of the merchants table.
//!
//! | key | holds |
//! |---|---|
//! | `key/{hash of an API key}` | the merchant it belongs to, and its id there |
//! | `provider/{id}` | the merchant that has this provider: what gateways tell names nothing else |
//! | `merchant/{id}` | the merchant with everything that it has set up |
//! | `audit/{merchant}/{version}` | what made this version of the merchant |
//! | `rate/{id of an API key}` | how many requests it may make at once: see [`super::rate`] |
//! | `origins` | where gateways listen that anybody uses |
//!
//! The merchant's item is the one truth; what leads to it or follows from it may be missing, never wrong. Versions read
//! each other: an item without what came later means what it meant, and a reader passes over what it does not know, which
//! [`super::Unread`] writes back as it was.
//! [`super::set_up`] has the parts of a merchant that came later.

use std::collections::BTreeMap;
use std::time::Duration;

use super::item::{Attribute, Item};
use super::method::{decode_sealed, encode_sealed};
use super::payment::{KEY, VERSION};
use super::reader::{Reader, Unreadable, strange};
use super::set_up;
use super::unread::Unread;
use crate::ids::{ApiKeyId, GatewayId, MerchantId, ProviderId};
use crate::merchant::{ApiKeyHash, Gateway, GatewayMode, Merchant};
use crate::money::Currency;
use crate::payment::{BalanceCheck, Generation};

pub(super) const FORMAT: i64 = 1;

/// The key of the item that says where gateways listen: functions open connections to them while they start.
pub const ORIGINS_KEY: &str = "origins";

/// Connections that a function opens while it starts, at most.
const MOST_ORIGINS: usize = 4;

/// Bytes of a merchant's item at most. Functions keep a thousand items in memory, half of them merchants, and few
/// merchants are so large.
pub const MOST_BYTES: usize = 64 * 1024;

/// The key of the item that leads from an API key to its merchant.
pub fn api_key_key(hash: &ApiKeyHash) -> String {
    format!("key/{hash}")
}

/// The key of a merchant's item.
pub fn merchant_key(merchant: &MerchantId) -> String {
    format!("merchant/{}", merchant.as_str())
}

/// The key of the item that leads from a provider to its merchant.
pub fn provider_key(provider: &ProviderId) -> String {
    format!("provider/{}", provider.as_str())
}

/// Where an API key leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointer {
    pub merchant: MerchantId,
    /// None of a key that was made before merchants listed theirs.
    pub key: Option<ApiKeyId>,
}

/// A key that its merchant does not list.
pub fn encode_api_key(hash: &ApiKeyHash, merchant: &MerchantId) -> Item {
    encode_pointer(hash, Pointer { merchant: *merchant, key: None })
}

pub fn encode_pointer(hash: &ApiKeyHash, to: Pointer) -> Item {
    Item::new()
        .with(KEY, api_key_key(hash))
        .with("f", FORMAT)
        .with("merchant", to.merchant.as_str().to_owned())
        .with_some("id", to.key.map(|key| key.as_str().to_owned()))
}

/// The merchant that an API key belongs to.
pub fn decode_api_key(item: Item) -> Result<Pointer, Unreadable> {
    let mut reader = checked(item)?;
    let key = reader.maybe_parsed("id", ApiKeyId::parse)?;
    Ok(Pointer { merchant: reader.parsed("merchant", MerchantId::parse)?, key })
}

pub fn encode_provider_pointer(provider: &ProviderId, merchant: &MerchantId) -> Item {
    Item::new().with(KEY, provider_key(provider)).with("f", FORMAT).with("merchant", merchant.as_str().to_owned())
}

/// The merchant that has this provider, if it has one: the pointer is written first.
pub fn decode_provider_pointer(item: Item) -> Result<MerchantId, Unreadable> {
    checked(item)?.parsed("merchant", MerchantId::parse)
}

pub fn encode_merchant(merchant: &Merchant) -> Item {
    let gateways = merchant.gateways.iter().map(|(id, gateway)| Attribute::Map(encode_gateway(id, gateway)));
    let item = Item::new()
        .with(KEY, merchant_key(&merchant.id))
        .with("f", FORMAT)
        .with(VERSION, i64::try_from(merchant.version).unwrap_or(i64::MAX))
        .with("merchant", merchant.id.as_str().to_owned())
        .with("name", &merchant.name)
        .with_some("currency", merchant.default_currency.map(Currency::code))
        .with_flag("keeps", merchant.keeps_events)
        .with("gateways", gateways.collect::<Vec<_>>());
    merchant.unread.carried(set_up::encode(merchant, item))
}

pub fn decode_merchant(item: Item) -> Result<Merchant, Unreadable> {
    let mut reader = checked(item)?;
    reader.maybe_word(KEY)?;
    let mut unread = Unread::default();
    let decode = |gateway| decode_gateway(gateway, &mut unread);
    let gateways: Result<BTreeMap<_, _>, _> = reader.maps("gateways")?.into_iter().map(decode).collect();
    let version = reader.maybe_number(VERSION)?.unwrap_or_default();
    let mut merchant = Merchant {
        version: u64::try_from(version).map_err(|_| strange(VERSION))?,
        default_currency: reader.maybe_parsed("currency", Currency::parse)?,
        keeps_events: reader.flag("keeps")?,
        gateways: gateways?,
        ..Merchant::new(reader.parsed("merchant", MerchantId::parse)?, reader.text("name")?)
    };
    set_up::decode(&mut reader, &mut merchant, &mut unread)?;
    unread.keep(reader);
    merchant.unread = unread;
    merchant.connect();
    Ok(merchant)
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
        .with_some("provider", gateway.provider.map(|provider| provider.as_str().to_owned()))
        .with_some("credential", gateway.credential.as_ref())
        .with_some("sealed", gateway.sealed_credential.as_ref().map(encode_sealed))
        .with_some("generation", encode_generation(gateway.generation))
        .with_some("mode", (gateway.mode != GatewayMode::Live).then(|| gateway.mode.name()))
        .with_flag("inactive", !gateway.is_active)
        .with_some("comments", gateway.comments.as_ref())
        .with_some("external", gateway.external_reference.as_ref())
        .with_some("made", gateway.made.map(set_up::encode_made))
}

fn decode_gateway(item: Item, unread: &mut Unread) -> Result<(GatewayId, Gateway), Unreadable> {
    let mut reader = Reader::new(item);
    let lifetime = reader.number("lifetime")?;
    let mode = |text: &str| GatewayMode::ALL.into_iter().find(|mode| mode.name() == text);
    let gateway = Gateway {
        name: reader.text("name")?,
        balance_check: reader.parsed("balance", |text| {
            [BalanceCheck::Strict, BalanceCheck::Gateway].into_iter().find(|check| balance_check_name(*check) == text)
        })?,
        authorization_lifetime: Duration::from_secs(u64::try_from(lifetime).map_err(|_| strange("lifetime"))?),
        provider: reader.maybe_parsed("provider", ProviderId::parse)?,
        credential: reader.maybe_text("credential")?,
        sealed_credential: reader.maybe_map("sealed")?.map(decode_sealed).transpose()?,
        generation: decode_generation(&mut reader, "generation")?,
        mode: reader.maybe_parsed("mode", mode)?.unwrap_or(GatewayMode::Live),
        is_active: !reader.flag("inactive")?,
        comments: reader.maybe_text("comments")?,
        external_reference: reader.maybe_text("external")?,
        made: set_up::decode_made(&mut reader, "made")?,
        ..Gateway::at(reader.text("adapter")?, reader.text("url")?)
    };
    let id = reader.parsed("id", GatewayId::parse)?;
    unread.keep_of("gateways", id.as_str(), reader);
    Ok((id, gateway))
}

/// None of the first, as of everything that was stored before there were others.
pub(super) fn encode_generation(generation: Generation) -> Option<i64> {
    (generation != Generation::FIRST).then(|| i64::try_from(generation.0).unwrap_or(i64::MAX))
}

pub(super) fn decode_generation(reader: &mut Reader, name: &str) -> Result<Generation, Unreadable> {
    let number = reader.maybe_number(name)?.unwrap_or_default();
    u64::try_from(number).map(Generation).map_err(|_| strange(name))
}

fn balance_check_name(check: BalanceCheck) -> &'static str {
    match check {
        BalanceCheck::Strict => "strict",
        BalanceCheck::Gateway => "gateway",
    }
}

pub(super) fn checked(item: Item) -> Result<Reader, Unreadable> {
    let mut reader = Reader::new(item);
    match reader.number("f")? {
        FORMAT => Ok(reader),
        _ => Err(strange("f")),
    }
}
