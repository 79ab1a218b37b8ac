//! Changes of webhook endpoints.

use std::time::Duration;

use super::{Edited, MOST_ENDPOINTS, MOST_SECRETS, Noted, Refused, is_again, noted, room};
use crate::ids::{EndpointId, Id};
use crate::merchant::address::origin;
use crate::merchant::{Endpoint, EndpointSecret, EventFilter, Merchant};
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

pub(super) fn edit(merchant: &mut Merchant, id: EndpointId, edit: &EndpointEdit) -> Result<Noted, Refused> {
    let endpoint = merchant.endpoints.get_mut(&id).ok_or(Refused::NotFound)?;
    let mut edited = Edited::default();
    edited.set("url", &mut endpoint.url, &edit.url);
    edited.set("events", &mut endpoint.events, &edit.events);
    edited.set("description", &mut endpoint.description, &edit.description);
    edited.set("status", &mut endpoint.is_active, &edit.is_active);
    Ok(edited.noted("webhook-endpoint.changed", id))
}

/// The old secret signs beside the new one for a while. One that was replaced before is gone.
pub(super) fn roll(
    merchant: &mut Merchant,
    id: EndpointId,
    secret: &EndpointSecret,
    overlap: Duration,
    now: Timestamp,
) -> Result<Noted, Refused> {
    let endpoint = merchant.endpoints.get_mut(&id).ok_or(Refused::NotFound)?;
    if endpoint.secrets.iter().any(|known| known.sealed == secret.sealed) {
        return Ok(None);
    }
    let same_key =
        |known: &&EndpointSecret| known.made.zip(secret.made).is_some_and(|(known, asked)| known.under == asked.under);
    if let Some(known) = endpoint.secrets.iter().find(same_key) {
        let is_again = is_again(known.made, secret.made);
        return Err(if is_again { Refused::ShownOnce(Id::from(id)) } else { Refused::Reused });
    }
    let ends = now.plus(overlap);
    if let Some(old) = endpoint.secrets.first_mut() {
        old.until = Some(ends);
    }
    endpoint.secrets.insert(0, secret.clone());
    endpoint.secrets.truncate(MOST_SECRETS);
    Ok(noted("webhook-endpoint.rolled", id, format!("the old secret ends {ends}")))
}

pub(super) fn delete(merchant: &mut Merchant, id: EndpointId) -> Result<Noted, Refused> {
    let endpoint = merchant.endpoints.remove(&id).ok_or(Refused::NotFound)?;
    Ok(noted("webhook-endpoint.deleted", id, format!("at {}", origin(&endpoint.url))))
}
