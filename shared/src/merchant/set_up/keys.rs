//! Changes of API keys. A key is never forgotten while it works.

use std::time::Duration;

use super::{MOST_API_KEYS, Made, Noted, Refused, is_again, noted, room};
use crate::ids::{ApiKeyId, Id};
use crate::merchant::{ApiKeyHash, ListedKey, Merchant, Scope};
use crate::time::Timestamp;

/// A new key in place of an old one, which works a while longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollKey {
    pub old: ApiKeyId,
    pub new: ApiKeyId,
    pub hash: ApiKeyHash,
    pub overlap: Duration,
    pub made: Option<Made>,
}

pub(super) fn add(merchant: &mut Merchant, id: ApiKeyId, key: &ListedKey, now: Timestamp) -> Result<Noted, Refused> {
    if !is_new(merchant, id, key.hash, key.made)? {
        return Ok(None);
    }
    make_room(merchant, now)?;
    merchant.api_keys.insert(id, key.clone());
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.name()).collect();
    Ok(noted("api-key.created", id, format!("{:?}: {}", key.name, scopes.join(", "))))
}

/// The new key has the old one's name, scopes and limit, and no end.
pub(super) fn roll(merchant: &mut Merchant, roll: &RollKey, now: Timestamp) -> Result<Noted, Refused> {
    let old = merchant.api_keys.get(&roll.old).ok_or(Refused::NotFound)?.clone();
    if !is_new(merchant, roll.new, roll.hash, roll.made)? {
        return Ok(None);
    }
    if !old.works(now) {
        return Err(Refused::DeadKey);
    }
    make_room(merchant, now)?;
    let ends = now.plus(roll.overlap);
    let ends = old.expires_at.map_or(ends, |end| end.min(ends));
    let new = ListedKey { hash: roll.hash, created_at: now, expires_at: None, made: roll.made, ..old.clone() };
    merchant.api_keys.insert(roll.new, new);
    merchant.api_keys.insert(roll.old, ListedKey { expires_at: Some(ends), ..old });
    Ok(noted("api-key.rolled", roll.old, format!("replaced by {}, ends {ends}", roll.new)))
}

/// What is revoked already stays so.
pub(super) fn revoke(merchant: &mut Merchant, id: ApiKeyId, now: Timestamp) -> Result<Noted, Refused> {
    let key = merchant.api_keys.get(&id).ok_or(Refused::NotFound)?;
    if key.revoked_at.is_some() {
        return Ok(None);
    }
    let sets_up = |key: &ListedKey| key.works(now) && key.scopes.contains(&Scope::SetUp);
    // One that will end by itself is no replacement.
    let stays = |key: &ListedKey| sets_up(key) && key.expires_at.is_none();
    let is_needed = sets_up(key) && !merchant.api_keys.iter().any(|(other, key)| *other != id && stays(key));
    if is_needed {
        return Err(Refused::LastKey);
    }
    let description = format!("{:?}", key.name);
    if let Some(key) = merchant.api_keys.get_mut(&id) {
        key.revoked_at = Some(now);
    }
    Ok(noted("api-key.revoked", id, description))
}

/// The very same key is there where it was written and that was not acknowledged.
fn is_new(merchant: &Merchant, id: ApiKeyId, hash: ApiKeyHash, made: Option<Made>) -> Result<bool, Refused> {
    match merchant.api_keys.get(&id) {
        Some(known) if known.hash == hash => Ok(false),
        Some(known) if is_again(known.made, made) => Err(Refused::ShownOnce(Id::from(id))),
        Some(_) => Err(Refused::Reused),
        None => Ok(true),
    }
}

/// The key that has not worked for longest makes room; its story stays in the trail.
fn make_room(merchant: &mut Merchant, now: Timestamp) -> Result<(), Refused> {
    let keys = &mut merchant.api_keys;
    if keys.len() >= MOST_API_KEYS {
        let dead = keys.iter().filter_map(|(id, key)| Some((key.dead_since(now)?, *id)));
        dead.min().and_then(|(_, id)| keys.remove(&id));
    }
    room("apiKeys", keys.len(), MOST_API_KEYS)
}
