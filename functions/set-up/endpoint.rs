//! Webhook endpoints: where a merchant wants to hear of events. Only their set-up is here.
//!
//! An endpoint's secret is made here, shown once and kept sealed. While one replaces another both are valid.

use data_encoding::BASE64;
use kessai_shared::card::Secret;
use kessai_shared::ids::EndpointId;
use kessai_shared::merchant::address::{Plain, check_endpoint};
use kessai_shared::merchant::set_up::{Change, EndpointEdit, MOST_FILTERS};
use kessai_shared::merchant::{Endpoint, EventFilter, Merchant, SealedSecret, SharedWith};
use kessai_shared::webhook::SECRET_PREFIX;
use serde::Serialize;
use zeroize::Zeroizing;

use super::api_key::overlap;
use super::view::{ShownEndpoint, shown_endpoint};
use super::{Desk, Making, done, shown_once};
use crate::event::HttpAnswer;
use crate::problem::Problem;
use crate::wire::members::Members;

/// Characters of an address, as browsers and servers take them.
const ADDRESS: usize = 2_048;

/// Characters of a description: a line.
const DESCRIPTION: usize = 255;

const STATUS: [(&str, bool); 2] = [("Active", true), ("Inactive", false)];

/// An endpoint with its secret.
#[derive(Serialize)]
struct NewEndpoint<'a> {
    secret: &'a str,
    #[serde(flatten)]
    shown: ShownEndpoint<'a>,
}

pub(super) async fn create(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let text = desk.body()?;
    let mut members = Members::parse(&text)?;
    let making = Making::of(desk, &mut members, &text)?;
    let url = url(desk, &mut members)?.ok_or_else(|| Problem::missing("url"))?;
    let events = events(&mut members)?.ok_or_else(|| Problem::missing("events"))?;
    let description = members.text("description", DESCRIPTION)?;
    members.finish()?;
    let id = making.id(desk, EndpointId::made_under, EndpointId::from_random);
    let secret = fresh(desk);
    let secrets = vec![sealed(desk, id, &secret, &making)?];
    let enabled_at = Some(desk.now());
    let endpoint = Endpoint { url, events, description, is_active: true, enabled_at, secrets, made: making.made };
    let merchant = desk.change(Change::AddEndpoint(id, endpoint)).await?;
    reveal(&merchant, id, &secret)
}

pub(super) async fn roll(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let id = desk.named("endpointId", EndpointId::parse)?;
    let text = desk.body()?;
    let mut members = Members::parse(&text)?;
    let making = Making::of(desk, &mut members, &text)?;
    let overlap = overlap(&mut members)?;
    members.finish()?;
    let secret = fresh(desk);
    let sealed = sealed(desk, id, &secret, &making)?;
    let merchant = desk.change(Change::RollSecret { endpoint: id, secret: sealed, overlap }).await?;
    reveal(&merchant, id, &secret)
}

pub(super) async fn edit(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let id = desk.named("endpointId", EndpointId::parse)?;
    let text = desk.body()?;
    let mut members = Members::parse(&text)?;
    let edit = EndpointEdit {
        url: url(desk, &mut members)?,
        events: events(&mut members)?,
        description: members.edited("description", |members| members.text("description", DESCRIPTION))?,
        is_active: members.literal("status", &STATUS)?,
    };
    members.finish()?;
    desk.change(Change::EditEndpoint(id, edit)).await?;
    Ok(done())
}

pub(super) async fn delete(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let id = desk.named("endpointId", EndpointId::parse)?;
    desk.change(Change::DeleteEndpoint(id)).await?;
    Ok(done())
}

fn url(desk: &Desk<'_>, members: &mut Members<'_>) -> Result<Option<String>, Problem> {
    let Some(url) = members.text("url", ADDRESS)? else { return Ok(None) };
    let plain = if desk.app.takes_loopback { Plain::Loopback } else { Plain::Nowhere };
    check_endpoint(&url, plain).map_err(|error| Problem::invalid("url", error))?;
    Ok(Some(url))
}

fn events(members: &mut Members<'_>) -> Result<Option<Vec<EventFilter>>, Problem> {
    let form = "names of events such as refund.created, or payment.*, or *";
    match members.list("events", MOST_FILTERS, form, EventFilter::parse)? {
        Some(events) if events.is_empty() => Err(Problem::invalid("events", "must not be empty")),
        events => Ok(events),
    }
}

/// 256 random bits.
fn fresh(desk: &Desk<'_>) -> Secret {
    let bytes = Zeroizing::new([desk.random(), desk.random()].concat());
    let text = Zeroizing::new(BASE64.encode(&bytes));
    Secret::new(format!("{SECRET_PREFIX}{}", *text))
}

fn sealed(desk: &Desk<'_>, id: EndpointId, secret: &Secret, making: &Making) -> Result<SealedSecret, Problem> {
    let sealed = desk.seal(SharedWith::Endpoint(id), secret)?;
    Ok(SealedSecret { sealed, created_at: Some(desk.now()), until: None, made: making.made })
}

fn reveal(merchant: &Merchant, id: EndpointId, secret: &Secret) -> Result<HttpAnswer, Problem> {
    let endpoint = merchant.endpoints.get(&id).ok_or_else(Problem::not_found)?;
    Ok(shown_once(&NewEndpoint { secret: secret.reveal(), shown: shown_endpoint(id, endpoint) }))
}
