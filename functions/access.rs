//! Who comes to the door: the API key, what it may be used for, and how often.
//!
//! A key works if its merchant lists it, and it is neither revoked nor expired; whatever is wrong with one looks the same
//! from outside. What is known of merchants may be a minute old, so a key that is revoked stops to work within a minute.
//! A key that was made just now works at once: where its merchant is not known to list it, somebody looks again. And
//! only who sets up is always looked at as it is now.
//!
//! Gateways come without a key. They name the provider that they are of, and [`provider_of`] finds whose it is.

use kessai_shared::ids::{ApiKeyId, MerchantId, ProviderId};
use kessai_shared::merchant::{ApiKey, Merchant, Scope};
use kessai_shared::rate::Rate;
use kessai_shared::rejection::Fault;
use kessai_shared::stored::Item;
use kessai_shared::stored::merchant::{
    api_key_key, decode_api_key, decode_merchant, decode_provider_pointer, merchant_key, provider_key,
};
use kessai_shared::time::Timestamp;

use crate::door::{App, Function, Subject};
use crate::event::HttpEvent;
use crate::problem::Problem;

/// Who asks.
pub struct Caller {
    pub merchant: Merchant,
    /// None of a key that was made before merchants listed theirs.
    pub key: Option<ApiKeyId>,
    /// What it may be used for.
    scopes: Vec<Scope>,
}

impl Caller {
    pub fn must_have(&self, scope: Scope) -> Result<(), Problem> {
        if self.scopes.contains(&scope) { Ok(()) } else { Err(out_of_scope(scope)) }
    }
}

/// Whose key it is, if it may be used for this function now.
pub async fn authenticate(
    app: &App,
    function: &Function,
    event: &HttpEvent,
    deadline: Timestamp,
    subject: &mut Subject,
) -> Result<Caller, Problem> {
    let hash = api_key(event).ok_or_else(Problem::unauthorized)?.hash();
    let item = find(app, function.needs.merchants_now, &api_key_key(&hash), deadline)
        .await?
        .ok_or_else(Problem::unauthorized)?;
    let pointer = decode_api_key(item).map_err(Fault::from)?;
    let merchant = merchant_of(app, function.needs.merchants_now, &pointer.merchant, deadline)
        .await?
        .ok_or_else(Problem::unauthorized)?;
    let merchant = match (merchant.key_with(&hash), pointer.key) {
        (None, Some(_)) => merchant_of(app, true, &merchant.id, deadline).await?.ok_or_else(Problem::unauthorized)?,
        (Some(_), _) | (None, None) => merchant,
    };
    let now = app.shell.clock.now();
    let (key, scopes, limit) = match (merchant.key_with(&hash), pointer.key) {
        (Some((id, key)), _) if key.works(now) => {
            (Some(id), key.scopes.iter().copied().collect(), key.requests_per_second)
        }
        (None, None) => (None, Scope::ALL.into_iter().filter(|scope| scope.is_granted_to_unlisted()).collect(), None),
        (Some(_), _) | (None, Some(_)) => return Err(Problem::unauthorized()),
    };
    subject.merchant = Some(merchant.id);
    let caller = Caller { merchant, key, scopes };
    if let Some((key, limit)) = key.zip(limit) {
        app.rates.admit(&*app.merchants, key, Rate::of_caller(limit), now).await.map_err(too_many)?;
    }
    function.scopes.iter().try_for_each(|scope| caller.must_have(*scope))?;
    Ok(caller)
}

fn api_key(event: &HttpEvent) -> Option<ApiKey> {
    let (scheme, token) = event.header("authorization")?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") { ApiKey::parse(token.trim()) } else { None }
}

fn out_of_scope(scope: Scope) -> Problem {
    Problem::new(403, "INSUFFICIENT_ACCESS", format!("The API key lacks the scope {}", scope.name()))
}

fn too_many(wait: std::time::Duration) -> Problem {
    let message = "The API key made as many requests as it may for now";
    Problem { retry_after: Some(wait), ..Problem::new(429, "REQUEST_LIMIT_EXCEEDED", message) }
}

/// A merchant, as it is `now` or as it was a minute ago.
pub async fn merchant_of(
    app: &App,
    now: bool,
    id: &MerchantId,
    deadline: Timestamp,
) -> Result<Option<Merchant>, Fault> {
    let item = find(app, now, &merchant_key(id), deadline).await?;
    Ok(item.map(decode_merchant).transpose()?)
}

/// The merchant that has this provider, as it was a minute ago at most; none where nobody has it. What leads to a merchant
/// may be older than the provider there, or be left behind: then somebody looks again.
pub async fn provider_of(
    app: &App,
    id: ProviderId,
    deadline: Timestamp,
) -> Result<Option<(Merchant, ProviderId)>, Fault> {
    let Some(item) = find(app, false, &provider_key(&id), deadline).await? else { return Ok(None) };
    let owner = decode_provider_pointer(item)?;
    let has_it = |merchant: &Merchant| merchant.providers.contains_key(&id);
    let merchant = match merchant_of(app, false, &owner, deadline).await? {
        Some(merchant) if has_it(&merchant) => Some(merchant),
        Some(_) | None => merchant_of(app, true, &owner, deadline).await?.filter(has_it),
    };
    Ok(merchant.map(|merchant| (merchant, id)))
}

async fn find(app: &App, now: bool, key: &str, deadline: Timestamp) -> Result<Option<Item>, Fault> {
    match now {
        true => app.shell.patiently(deadline, || app.merchants.read(key)).await,
        false => app.shell.patiently(deadline, || app.directory.find(key)).await,
    }
}
