//! What a provider's gateways sign their notices with: made in the gateway's own dashboard, given to us, and never shown.
//!
//! While one secret replaces another both count. A notice names only the provider, so whoever sets a secret first makes
//! sure that the provider leads to its merchant: a provider that is older than this leads nowhere yet.

use std::time::Duration;

use kessai_shared::card::Secret;
use kessai_shared::ids::ProviderId;
use kessai_shared::merchant::set_up::{Change, Refused};
use kessai_shared::merchant::{SealedSecret, SharedWith};

use super::api_key::overlap;
use super::{Desk, done, refuse};
use crate::event::HttpAnswer;
use crate::key;
use crate::problem::Problem;
use crate::wire::members::Members;

/// Characters of a secret: those of gateways have some dozens.
const SECRET: usize = 255;

/// The secret that counts already is set once, under an idempotency key or without one.
pub(super) async fn set(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let id = desk.named("providerId", ProviderId::parse)?;
    let text = desk.body()?;
    let mut members = Members::parse(&text)?;
    key::given(desk.event, &mut members)?;
    let secret = secret(&mut members)?.ok_or_else(|| Problem::missing("secret"))?;
    let overlap = overlap(&mut members)?;
    members.finish()?;
    let provider = desk.merchant.providers.get(&id).ok_or_else(|| refuse(&Refused::NotFound))?;
    desk.registry().point_provider(id, desk.merchant.id).await?;
    let keys = desk.sealing_keys()?;
    let opened = provider.opened_notice_secrets(&desk.merchant.id, id, keys, desk.now());
    // What does not open, because the key that sealed it is lost, cannot count beside the new one.
    let overlap = if opened.is_ok() { overlap } else { Duration::ZERO };
    let counts = opened.is_ok_and(|known| known.first().is_some_and(|newest| newest.is_same(&secret)));
    // One that is set again is sealed anew, so that an older key can go.
    let is_current = provider.notice_secrets.first().is_some_and(|newest| keys.is_current(&newest.sealed));
    if !(counts && is_current) {
        let sealed = desk.seal(SharedWith::Provider(id), &secret)?;
        let secret = SealedSecret { sealed, created_at: Some(desk.now()), until: None, made: None };
        desk.change(Change::SetNoticeSecret { provider: id, secret, overlap }).await?;
    }
    Ok(done())
}

pub(super) async fn remove(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let id = desk.named("providerId", ProviderId::parse)?;
    desk.change(Change::RemoveNoticeSecrets(id)).await?;
    Ok(done())
}

fn secret(members: &mut Members<'_>) -> Result<Option<Secret>, Problem> {
    members.parsed("secret", SECRET, "visible characters of ASCII", |text| {
        text.bytes().all(|byte| byte.is_ascii_graphic()).then(|| Secret::new(text.to_owned()))
    })
}
