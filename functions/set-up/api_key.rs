//! API keys: made, replaced and revoked. The key itself is shown once, to whoever makes it; what rests is its hash.
//!
//! What leads from the key to the merchant is written before the merchant lists it: a key that is listed works, and one
//! that is not opens nothing, wherever it was left off.

use std::collections::BTreeSet;
use std::time::Duration;

use kessai_shared::ids::{ApiKeyId, MerchantId};
use kessai_shared::merchant::set_up::{Change, LONGEST_OVERLAP, RollKey};
use kessai_shared::merchant::{ApiKey, ListedKey, Merchant, Scope};
use kessai_shared::stored::merchant::Pointer;
use serde::Serialize;

use super::view::{ShownKey, shown_key};
use super::{Desk, LABEL, Making, done, hindered, shown_once};
use crate::event::HttpAnswer;
use crate::problem::Problem;
use crate::wire::members::Members;

/// How long an old key works beside the new one where nothing is said: a day to replace it.
const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);

/// A limit beyond this is none: the API as a whole takes less.
const MOST_PER_SECOND: u16 = 10_000;

/// A key with its secret.
#[derive(Serialize)]
pub(super) struct NewKey<'a> {
    key: &'a str,
    #[serde(flatten)]
    shown: ShownKey<'a>,
}

pub(super) async fn create(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let text = desk.body()?;
    let mut members = Members::parse(&text)?;
    let making = Making::of(desk, &mut members, &text)?;
    let secret = fresh(desk);
    let now = desk.now();
    let key = ListedKey {
        name: members.text("name", LABEL)?.ok_or_else(|| Problem::missing("name"))?,
        hash: secret.hash(),
        scopes: scopes(&mut members)?,
        created_at: now,
        expires_at: members.moment("expiresAt")?,
        revoked_at: None,
        requests_per_second: members.integer("requestsPerSecond", 1..=MOST_PER_SECOND)?,
        made: making.made,
    };
    if key.expires_at.is_some_and(|end| end <= now) {
        return Err(Problem::invalid("expiresAt", "must lie in the future"));
    }
    members.finish()?;
    let id = making.id(desk, ApiKeyId::made_under, ApiKeyId::from_random);
    list(desk, id, &secret, Change::AddKey(id, key)).await
}

pub(super) async fn roll(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let old = desk.named("apiKeyId", ApiKeyId::parse)?;
    let text = desk.body()?;
    let mut members = Members::parse(&text)?;
    let making = Making::of(desk, &mut members, &text)?;
    let overlap = overlap(&mut members)?;
    members.finish()?;
    let secret = fresh(desk);
    let new = making.id(desk, ApiKeyId::made_under, ApiKeyId::from_random);
    let change = RollKey { old, new, hash: secret.hash(), overlap, made: making.made };
    list(desk, new, &secret, Change::RollKey(change)).await
}

pub(super) async fn revoke(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let id = desk.named("apiKeyId", ApiKeyId::parse)?;
    desk.change(Change::RevokeKey(id)).await?;
    Ok(done())
}

/// Makes the key lead to its merchant, then makes the change that lists it.
async fn list(desk: &Desk<'_>, id: ApiKeyId, secret: &ApiKey, change: Change) -> Result<HttpAnswer, Problem> {
    // What is refused anyway leaves nothing behind.
    desk.merchant.after(&change, desk.now(), desk.by).map_err(|refused| hindered(refused.into()))?;
    point(desk, desk.merchant.id, id, secret).await?;
    let merchant = desk.change(change).await?;
    let key = merchant.api_keys.get(&id).ok_or_else(Problem::not_found)?;
    Ok(shown_once(&new_key(desk, id, key, secret)))
}

pub(super) async fn point(desk: &Desk<'_>, merchant: MerchantId, id: ApiKeyId, secret: &ApiKey) -> Result<(), Problem> {
    let to = Pointer { merchant, key: Some(id) };
    Ok(desk.registry().point(&secret.hash(), to).await?)
}

pub(super) fn new_key<'a>(desk: &Desk<'_>, id: ApiKeyId, key: &'a ListedKey, secret: &'a ApiKey) -> NewKey<'a> {
    NewKey { key: secret.reveal(), shown: shown_key(id, key, desk.now()) }
}

pub(super) fn fresh(desk: &Desk<'_>) -> ApiKey {
    ApiKey::from_random(desk.random(), desk.random())
}

/// The first key of a new merchant: it sets up the rest.
pub(super) fn first(desk: &Desk<'_>, merchant: &mut Merchant, id: ApiKeyId, secret: &ApiKey, making: &Making) {
    let key = ListedKey {
        name: "Set-up".to_owned(),
        hash: secret.hash(),
        scopes: BTreeSet::from([Scope::SetUp]),
        created_at: desk.now(),
        expires_at: None,
        revoked_at: None,
        requests_per_second: None,
        made: making.made,
    };
    merchant.api_keys.insert(id, key);
}

/// How long the old works beside the new.
pub(super) fn overlap(members: &mut Members<'_>) -> Result<Duration, Problem> {
    match members.duration("overlap")?.unwrap_or(OVERLAP) {
        overlap if overlap > LONGEST_OVERLAP => Err(Problem::invalid("overlap", "must not be longer than P30D")),
        overlap => Ok(overlap),
    }
}

fn scopes(members: &mut Members<'_>) -> Result<BTreeSet<Scope>, Problem> {
    let names = Scope::ALL.map(Scope::name).join(", ");
    let given = members.list("scopes", Scope::ALL.len(), &format!("some of {names}"), Scope::parse)?;
    let scopes: BTreeSet<Scope> = given.unwrap_or_default().into_iter().collect();
    if scopes.is_empty() { Err(Problem::missing("scopes")) } else { Ok(scopes) }
}
