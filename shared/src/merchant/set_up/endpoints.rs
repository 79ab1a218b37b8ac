//! Changes of webhook endpoints.

use std::time::Duration;

use super::{Edited, MOST_ENDPOINTS, Noted, Refused, is_again, noted, old_ends, room};
use crate::ids::{EndpointId, Id};
use crate::merchant::address::origin;
use crate::merchant::secret::replace;
use crate::merchant::{Endpoint, EventFilter, Merchant, SealedSecret};
use crate::time::Timestamp;

/// Other values for what is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointEdit {
    pub url: Option<String>,
    pub events: Option<Vec<EventFilter>>,
    pub description: Option<Option<String>>,
    pub is_active: Option<bool>,
}

pub(super) fn add(merchant: &mut Merchant, id: EndpointId, endpoint: &Endpoint) -> Result<Noted, Refused> {
    if let Some(known) = merchant.endpoints.get(&id) {
        // Written by us and not acknowledged.
        if known == endpoint {
            return Ok(None);
        }
        let is_again = is_again(known.made, endpoint.made);
        return Err(if is_again { Refused::ShownOnce(Id::from(id)) } else { Refused::Reused });
    }
    room("webhookEndpoints", merchant.endpoints.len(), MOST_ENDPOINTS)?;
    let description = format!("at {}", origin(&endpoint.url));
    merchant.endpoints.insert(id, endpoint.clone());
    Ok(noted("webhook-endpoint.created", id, description))
}

/// Whoever sets it active starts it anew, even where it is active already: what was held against it before does not count
/// any more.
pub(super) fn edit(
    merchant: &mut Merchant,
    id: EndpointId,
    edit: &EndpointEdit,
    now: Timestamp,
) -> Result<Noted, Refused> {
    let endpoint = merchant.endpoints.get_mut(&id).ok_or(Refused::NotFound)?;
    let mut edited = Edited::default();
    edited.set("url", &mut endpoint.url, &edit.url);
    edited.set("events", &mut endpoint.events, &edit.events);
    edited.set("description", &mut endpoint.description, &edit.description);
    let status = edit.is_active.map(|is_active| (is_active, if is_active { Some(now) } else { endpoint.enabled_at }));
    let mut is_active = (endpoint.is_active, endpoint.enabled_at);
    edited.set("status", &mut is_active, &status);
    (endpoint.is_active, endpoint.enabled_at) = is_active;
    Ok(edited.noted("webhook-endpoint.changed", id))
}

/// The old secret signs beside the new one for a while. One that was replaced before is gone.
pub(super) fn roll(
    merchant: &mut Merchant,
    id: EndpointId,
    secret: &SealedSecret,
    overlap: Duration,
    now: Timestamp,
) -> Result<Noted, Refused> {
    let endpoint = merchant.endpoints.get_mut(&id).ok_or(Refused::NotFound)?;
    if endpoint.secrets.iter().any(|known| known.sealed == secret.sealed) {
        return Ok(None);
    }
    let same_key =
        |known: &&SealedSecret| known.made.zip(secret.made).is_some_and(|(known, asked)| known.under == asked.under);
    if let Some(known) = endpoint.secrets.iter().find(same_key) {
        let is_again = is_again(known.made, secret.made);
        return Err(if is_again { Refused::ShownOnce(Id::from(id)) } else { Refused::Reused });
    }
    let ends = replace(&mut endpoint.secrets, secret.clone(), overlap, now);
    Ok(noted("webhook-endpoint.rolled", id, old_ends(ends)))
}

pub(super) fn delete(merchant: &mut Merchant, id: EndpointId) -> Result<Noted, Refused> {
    let endpoint = merchant.endpoints.remove(&id).ok_or(Refused::NotFound)?;
    Ok(noted("webhook-endpoint.deleted", id, format!("at {}", origin(&endpoint.url))))
}
