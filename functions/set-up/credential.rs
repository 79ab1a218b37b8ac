//! What we are known by at a gateway, and whether it works.
//!
//! A credential is given whole, as the table of the gateway's adapter has it, and is never shown: it takes the place of the
//! former at once, because the gateway takes the one or the other. A gateway's adapter and address never change, so it is
//! sent nowhere but where it was set for.
//!
//! Another credential may be another account, where nobody has seen what is open: that is not sent or asked about under it
//! (docs/decisions/0023), unless the merchant says `sameAccount`.

use std::collections::BTreeMap;

use kessai_shared::card::Secret;
use kessai_shared::gateways::{Adapter, Credential, Misfit, Offer};
use kessai_shared::ids::GatewayId;
use kessai_shared::merchant::set_up::{Change, Refused};
use kessai_shared::merchant::{Gateway, GatewayMode, SharedWith};
use kessai_shared::rejection::Fault;
use serde::Serialize;

use super::{Desk, done, json, refuse};
use crate::door::route;
use crate::event::HttpAnswer;
use crate::key;
use crate::problem::Problem;
use crate::wire::members::Members;

const MEMBER: &str = "Credential";

/// That the account is the one that the former credential was of.
const SAME_ACCOUNT: &str = "SameAccount";

/// How mode and credential become others one after the other.
const BY_WAY_OF_CONNECTED: &str = "make the gateway's mode Connected first, which takes either, then set both";

/// Members of a credential at most: no adapter knows as many.
const MEMBERS: usize = 16;

/// The credential that is there already is set once, under an idempotency key or without one.
pub(super) async fn set(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let id = desk.named("gatewayId", GatewayId::parse)?;
    let text = desk.body()?;
    let mut members = Members::parse_any_case(&text)?;
    key::given(desk.event, &mut members)?;
    let given = members.secrets(MEMBER, MEMBERS)?.ok_or_else(|| Problem::missing(MEMBER))?;
    let is_said = members.flag(SAME_ACCOUNT)?.unwrap_or_default();
    members.finish()?;
    let gateway = desk.merchant.gateways.get(&id).ok_or_else(|| refuse(&Refused::NotFound))?;
    let credential = fitting(gateway, given)?;
    let Known { is_same, is_sealed_well } = known(desk, id, gateway, &credential)?;
    // The one that counts may be older than what its form tells: it is set again as it is.
    if !is_same {
        suiting(gateway, &credential)?;
    }
    if is_same && is_sealed_well {
        if is_said {
            let why = "comes too late: this credential counts already, and what was said when it was set stands";
            return Err(Problem::invalid(SAME_ACCOUNT, why));
        }
    } else {
        let sealed = match credential.is_empty() {
            false => Some(desk.seal(SharedWith::Gateway(id), &credential.to_secret())?),
            true => None,
        };
        let same_account_as = gateway.sealed_credential.clone().filter(|_| is_same || is_said);
        desk.change(Change::SetCredential { gateway: id, sealed, same_account_as }).await?;
    }
    Ok(done())
}

/// As the gateway's adapter wants it. What is said of one that does not fit names the member and repeats nothing.
fn fitting(gateway: &Gateway, given: BTreeMap<String, Secret>) -> Result<Credential, Problem> {
    let unknown = || Fault::SetUp(format!("this version has no adapter {:?}", gateway.adapter));
    let table = Adapter::named(&gateway.adapter).ok_or_else(unknown)?.credential;
    if let (Some(_), []) = (given.keys().next(), table) {
        return Err(Problem::invalid(MEMBER, "must be empty: this gateway wants to know nobody"));
    }
    let misfit = |Misfit { member, why }| match table.iter().find(|known| known.name == member) {
        Some(known) => Problem::invalid(&format!("{MEMBER}.{}", known.name), why),
        // It may be a value in the wrong place.
        None => {
            let known: Vec<&str> = table.iter().map(|member| member.name).collect();
            Problem::invalid(MEMBER, format!("has a member that is none of {}", known.join(", ")))
        }
    };
    Credential::of(given, table).map_err(misfit)
}

/// Of the gateway's mode, as far as it tells one.
fn suiting(gateway: &Gateway, credential: &Credential) -> Result<(), Problem> {
    let misfit = |Misfit { member, why }| {
        Problem::invalid(&format!("{MEMBER}.{member}"), format!("{why}; {BY_WAY_OF_CONNECTED}"))
    };
    credential.suits(gateway.mode).map_err(misfit)
}

/// How a credential compares to the one that counts.
struct Known {
    /// What does not open, because its key is lost, is another one.
    is_same: bool,
    /// That one is sealed under the newest key, so that an older one can go.
    is_sealed_well: bool,
}

fn known(desk: &Desk<'_>, id: GatewayId, gateway: &Gateway, credential: &Credential) -> Result<Known, Problem> {
    let Some(sealed) = &gateway.sealed_credential else {
        return Ok(Known { is_same: credential.is_empty(), is_sealed_well: true });
    };
    let keys = desk.sealing_keys()?;
    let opened = SharedWith::Gateway(id).open_one(&desk.merchant.id, sealed, keys);
    let is_same = opened.is_ok_and(|known| known.is_same(&credential.to_secret()));
    Ok(Known { is_same, is_sealed_well: keys.is_current(sealed) })
}

/// Whether a gateway may become one of this mode: what we are known by there may tell another. One that does not open tells
/// nothing, and is set anew.
pub(super) fn check_mode(desk: &Desk<'_>, id: GatewayId, mode: GatewayMode) -> Result<(), Problem> {
    let Some(gateway) = desk.merchant.gateways.get(&id) else { return Ok(()) };
    let (Some(sealed), Some(adapter)) = (&gateway.sealed_credential, Adapter::named(&gateway.adapter)) else {
        return Ok(());
    };
    let opened = SharedWith::Gateway(id).open_one(&desk.merchant.id, sealed, desk.sealing_keys()?);
    let credential = opened.ok().and_then(|secret| Credential::from_secret(&secret, adapter.credential));
    let told = credential.map_or(Ok(()), |credential| credential.suits(mode));
    told.map_err(|Misfit { member, .. }| {
        let why = format!("must be that of the credential's {member}, which is of another mode; {BY_WAY_OF_CONNECTED}");
        Problem::invalid("GatewayMode", why)
    })
}

#[derive(Serialize)]
struct Checked {
    ok: bool,
    #[serde(rename = "paymentMethods", skip_serializing_if = "Option::is_none")]
    payment_methods: Option<Vec<Offered>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Serialize)]
struct Offered {
    name: String,
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
}

/// Asks the gateway, once and now, for what changes nothing there.
pub(super) async fn check(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let id = desk.named("gatewayId", GatewayId::parse)?;
    let text = desk.body()?;
    let mut members = Members::parse_any_case(&text)?;
    key::given(desk.event, &mut members)?;
    members.finish()?;
    if !desk.merchant.gateways.contains_key(&id) {
        return Err(refuse(&Refused::NotFound));
    }
    let route = route(desk.app, &desk.merchant, id)?;
    let no_check =
        || Problem::new(422, "NOT_SUPPORTED", "gatewayId: nothing can be asked of this gateway that changes nothing");
    let check = route.adapter.check.ok_or_else(no_check)?;
    let told = desk.app.shell.check(route, check, desk.deadline).await?;
    let checked = match told {
        Ok(offers) => {
            let offered = |Offer { name, label, currency }| Offered { name, label, currency };
            Checked { ok: true, payment_methods: Some(offers.into_iter().map(offered).collect()), message: None }
        }
        Err(why) => Checked { ok: false, payment_methods: None, message: Some(why) },
    };
    Ok(json(200, &checked))
}
