//! What a merchant has set up beside gateways, as attributes of its item; and what made each version, as items of their
//! own that nobody writes twice.

mod retry_rules;

use std::collections::BTreeMap;

use super::item::{Attribute, Item};
use super::merchant::{FORMAT, checked};
use super::payment::KEY;
use super::reader::{Reader, Unreadable, strange};
use super::unread::Unread;
use crate::ids::{ApiKeyId, EndpointId, Id, MerchantId, MethodKind, MethodTypeId, ProviderId};
use crate::merchant::set_up::{LastChange, Made, Who};
use crate::merchant::{
    ApiKeyHash, DeveloperName, Endpoint, EventFilter, ListedKey, Merchant, MethodType, Provider, Scope, SealedSecret,
};
use crate::recurring::ids::{RuleId, RuleSetId};
use crate::seal::{KeyId, Sealed};
use crate::time::Timestamp;

/// The key of the item that says what made a version of a merchant. As many digits as the largest version has, so that
/// keys sort as versions do.
pub fn audit_key(merchant: &MerchantId, version: u64) -> String {
    format!("audit/{}/{version:020}", merchant.as_str())
}

/// What made the merchant's version, as its own item; none where nobody said.
pub fn encode_audit(merchant: &Merchant) -> Option<Item> {
    let change = encode_change(merchant.last_change.as_ref()?);
    Some(change.with(KEY, audit_key(&merchant.id, merchant.version)).with("f", FORMAT))
}

pub fn decode_audit(item: Item) -> Result<LastChange, Unreadable> {
    decode_change(&mut checked(item)?)
}

/// The merchant's item with these parts of it.
pub(super) fn encode(merchant: &Merchant, item: Item) -> Item {
    let item = with_maps(item, "providers", &merchant.providers, encode_provider);
    let item = with_maps(item, "types", &merchant.method_types, encode_method_type);
    let item = with_maps(item, "keys", &merchant.api_keys, encode_key);
    let item = with_maps(item, "endpoints", &merchant.endpoints, encode_endpoint);
    let item = with_maps(item, "retrySets", &merchant.retry_rule_sets, retry_rules::encode_set);
    let item = with_maps(item, "retryRules", &merchant.retry_rules, retry_rules::encode_rule);
    item.with_some("change", merchant.last_change.as_ref().map(encode_change))
}

pub(super) fn decode(reader: &mut Reader, merchant: &mut Merchant, unread: &mut Unread) -> Result<(), Unreadable> {
    merchant.providers = maps(reader, unread, "providers", ProviderId::parse, decode_provider)?;
    merchant.method_types = maps(reader, unread, "types", MethodTypeId::parse, decode_method_type)?;
    merchant.api_keys = maps(reader, unread, "keys", ApiKeyId::parse, decode_key)?;
    merchant.endpoints = maps(reader, unread, "endpoints", EndpointId::parse, decode_endpoint)?;
    merchant.retry_rule_sets = maps(reader, unread, "retrySets", RuleSetId::parse, retry_rules::decode_set)?;
    merchant.retry_rules = maps(reader, unread, "retryRules", RuleId::parse, retry_rules::decode_rule)?;
    let change = reader.maybe_map("change")?;
    merchant.last_change = change.map(|change| decode_change(&mut Reader::new(change))).transpose()?;
    Ok(())
}

/// Leaves the name out where there is nothing.
fn with_maps<K: Copy + Into<Id>, T>(
    item: Item,
    name: &'static str,
    things: &BTreeMap<K, T>,
    encode: fn(&T) -> Item,
) -> Item {
    let with_id = |id: &K, item: Item| Attribute::Map(item.with("id", Into::<Id>::into(*id).as_str().to_owned()));
    let maps: Vec<Attribute> = things.iter().map(|(id, thing)| with_id(id, encode(thing))).collect();
    item.with_some(name, (!maps.is_empty()).then_some(maps))
}

fn maps<K: Copy + Into<Id> + Ord, T>(
    reader: &mut Reader,
    unread: &mut Unread,
    name: &'static str,
    id: fn(&str) -> Option<K>,
    decode: fn(&mut Reader) -> Result<T, Unreadable>,
) -> Result<BTreeMap<K, T>, Unreadable> {
    let read = |map: Item| {
        let mut reader = Reader::new(map);
        let (id, thing) = (reader.parsed("id", id)?, decode(&mut reader)?);
        unread.keep_of(name, Into::<Id>::into(id).as_str(), reader);
        Ok((id, thing))
    };
    reader.maps(name)?.into_iter().map(read).collect()
}

fn encode_provider(provider: &Provider) -> Item {
    let secrets = encode_secrets(&provider.notice_secrets);
    Item::new()
        .with("developer", provider.developer_name.as_str().to_owned())
        .with("label", &provider.master_label)
        .with_flag("idempotent", provider.idempotency_supported)
        .with("adapter", &provider.adapter)
        .with_some("comments", provider.comments.as_ref())
        .with_some("secrets", (!secrets.is_empty()).then_some(secrets))
        .with_some("made", provider.made.map(encode_made))
}

fn decode_provider(reader: &mut Reader) -> Result<Provider, Unreadable> {
    Ok(Provider {
        developer_name: reader.parsed("developer", DeveloperName::parse)?,
        master_label: reader.text("label")?,
        idempotency_supported: reader.flag("idempotent")?,
        adapter: reader.text("adapter")?,
        comments: reader.maybe_text("comments")?,
        notice_secrets: decode_secrets(reader)?,
        made: decode_made(reader, "made")?,
    })
}

fn encode_method_type(kind: &MethodType) -> Item {
    Item::new()
        .with("provider", kind.provider.as_str().to_owned())
        .with("kind", kind.kind.object())
        .with("gateway", &kind.gateway_name)
        .with("developer", kind.developer_name.as_str().to_owned())
        .with("label", &kind.master_label)
        .with_some("record", kind.record_type.as_ref())
        .with_some("comments", kind.comments.as_ref())
        .with_some("made", kind.made.map(encode_made))
}

fn decode_method_type(reader: &mut Reader) -> Result<MethodType, Unreadable> {
    let kind = |text: &str| MethodKind::ALL.into_iter().find(|kind| kind.object() == text);
    Ok(MethodType {
        provider: reader.parsed("provider", ProviderId::parse)?,
        kind: reader.parsed("kind", kind)?,
        gateway_name: reader.text("gateway")?,
        developer_name: reader.parsed("developer", DeveloperName::parse)?,
        master_label: reader.text("label")?,
        record_type: reader.maybe_text("record")?,
        comments: reader.maybe_text("comments")?,
        made: decode_made(reader, "made")?,
    })
}

fn encode_key(key: &ListedKey) -> Item {
    let scopes: Vec<Attribute> = key.scopes.iter().map(|scope| scope.name().into()).collect();
    Item::new()
        .with("name", &key.name)
        .with("hash", key.hash.as_bytes().to_vec())
        .with("scopes", scopes)
        .with("created", key.created_at.as_millis())
        .with_some("expires", key.expires_at.map(Timestamp::as_millis))
        .with_some("revoked", key.revoked_at.map(Timestamp::as_millis))
        .with_some("rate", key.requests_per_second.map(i64::from))
        .with_some("made", key.made.map(encode_made))
}

fn decode_key(reader: &mut Reader) -> Result<ListedKey, Unreadable> {
    let hash = reader.maybe_bytes("hash")?.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let rate = reader.maybe_number("rate")?;
    Ok(ListedKey {
        name: reader.text("name")?,
        hash: hash.map(ApiKeyHash::from_bytes).ok_or_else(|| strange("hash"))?,
        // A scope of a later version opens nothing here.
        scopes: reader.words("scopes")?.iter().filter_map(|name| Scope::parse(name)).collect(),
        created_at: reader.moment("created")?,
        expires_at: reader.maybe_moment("expires")?,
        revoked_at: reader.maybe_moment("revoked")?,
        requests_per_second: rate.map(|rate| u16::try_from(rate).map_err(|_| strange("rate"))).transpose()?,
        made: decode_made(reader, "made")?,
    })
}

fn encode_endpoint(endpoint: &Endpoint) -> Item {
    let events: Vec<Attribute> = endpoint.events.iter().map(|filter| filter.as_str().to_owned().into()).collect();
    Item::new()
        .with("url", &endpoint.url)
        .with("events", events)
        .with_some("about", endpoint.description.as_ref())
        .with_flag("inactive", !endpoint.is_active)
        .with_some("enabled", endpoint.enabled_at.map(Timestamp::as_millis))
        .with("secrets", encode_secrets(&endpoint.secrets))
        .with_some("made", endpoint.made.map(encode_made))
}

fn decode_endpoint(reader: &mut Reader) -> Result<Endpoint, Unreadable> {
    let filter = |text: &String| EventFilter::parse(text).ok_or_else(|| strange("events"));
    Ok(Endpoint {
        url: reader.text("url")?,
        events: reader.words("events")?.iter().map(filter).collect::<Result<_, _>>()?,
        description: reader.maybe_text("about")?,
        is_active: !reader.flag("inactive")?,
        enabled_at: reader.maybe_moment("enabled")?,
        secrets: decode_secrets(reader)?,
        made: decode_made(reader, "made")?,
    })
}

fn encode_secrets(secrets: &[SealedSecret]) -> Vec<Attribute> {
    secrets.iter().map(|secret| encode_secret(secret).into()).collect()
}

/// None where there is no list.
fn decode_secrets(reader: &mut Reader) -> Result<Vec<SealedSecret>, Unreadable> {
    reader.maps("secrets")?.into_iter().map(|map| decode_secret(&mut Reader::new(map))).collect()
}

fn encode_secret(secret: &SealedSecret) -> Item {
    Item::new()
        .with("by", secret.sealed.key.as_str().to_owned())
        .with("sealed", secret.sealed.bytes.clone())
        .with_some("created", secret.created_at.map(Timestamp::as_millis))
        .with_some("until", secret.until.map(Timestamp::as_millis))
        .with_some("made", secret.made.map(encode_made))
}

fn decode_secret(reader: &mut Reader) -> Result<SealedSecret, Unreadable> {
    let bytes = reader.maybe_bytes("sealed")?.ok_or_else(|| strange("sealed"))?;
    let sealed = Sealed { key: reader.parsed("by", KeyId::parse)?, bytes };
    Ok(SealedSecret {
        sealed,
        created_at: reader.maybe_moment("created")?,
        until: reader.maybe_moment("until")?,
        made: decode_made(reader, "made")?,
    })
}

fn encode_change(change: &LastChange) -> Item {
    let by = match change.by {
        Who::Key(id) => id.as_str().to_owned(),
        Who::CommandLine => change.by.to_string(),
    };
    Item::new()
        .with("at", change.at.as_millis())
        .with("by", by)
        .with("action", &change.action)
        .with("subject", change.subject.as_str().to_owned())
        .with("about", &change.description)
}

fn decode_change(reader: &mut Reader) -> Result<LastChange, Unreadable> {
    Ok(LastChange {
        at: reader.moment("at")?,
        by: reader.parsed("by", Who::parse)?,
        action: reader.text("action")?,
        subject: reader.parsed("subject", Id::parse)?,
        description: reader.text("about")?,
    })
}

/// Both hashes, one behind the other.
pub(super) fn encode_made(made: Made) -> Vec<u8> {
    [made.under.to_be_bytes(), made.content.to_be_bytes()].concat()
}

pub(super) fn decode_made(reader: &mut Reader, name: &str) -> Result<Option<Made>, Unreadable> {
    let Some(bytes) = reader.maybe_bytes(name)? else { return Ok(None) };
    let half = |bytes: &[u8]| bytes.try_into().ok().map(u128::from_be_bytes);
    let halves = bytes.split_at_checked(16).and_then(|(under, content)| Some((half(under)?, half(content)?)));
    let (under, content) = halves.ok_or_else(|| strange(name))?;
    Ok(Some(Made { under, content }))
}
