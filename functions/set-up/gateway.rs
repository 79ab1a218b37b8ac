//! `PaymentGateway`: a merchant account at a gateway.
//!
//! Ours beside the wire's members: `BaseUrl`, where it listens; `BalanceCheck`, whether Kessai or the gateway says what is
//! left (`strict`, `gateway`); `AuthorizationLifetime`, how long a hold lasts, as an ISO 8601 duration or in seconds.

use std::time::Duration;

use kessai_shared::ids::{GatewayId, ProviderId};
use kessai_shared::merchant::address::{Plain, check, origin};
use kessai_shared::merchant::set_up::{Change, GatewayEdit, Refused};
use kessai_shared::merchant::{AUTHORIZATION_LIFETIME, Gateway, GatewayMode};
use kessai_shared::payment::BalanceCheck;

use super::{COMMENTS, Desk, ID, Making, created, done, refuse};
use crate::event::HttpAnswer;
use crate::problem::Problem;
use crate::wire::members::Members;

/// Characters of a gateway's name and of an external reference, as of the wire's names of records.
const NAME: usize = 255;

/// Characters of an address: those of gateways are short.
const ADDRESS: usize = 255;

/// Characters of a parameter's name. SSM allows 1,011; nobody needs them.
const PARAMETER: usize = 255;

/// No scheme holds for less than an hour or longer than a year.
const LIFETIME: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(60 * 60)..=Duration::from_secs(366 * 24 * 60 * 60);

const STATUS: [(&str, bool); 2] = [("Active", true), ("Inactive", false)];

const BALANCE: [(&str, BalanceCheck); 2] = [("strict", BalanceCheck::Strict), ("gateway", BalanceCheck::Gateway)];

pub(super) async fn create(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let text = desk.body()?;
    let mut members = Members::parse_any_case(&text)?;
    let making = Making::of(desk, &mut members, &text)?;
    let provider = provider(&mut members)?;
    let base_url = base_url(desk, &mut members)?.ok_or_else(|| Problem::missing("BaseUrl"))?;
    let known = desk.merchant.providers.get(&provider);
    let known = known.ok_or_else(|| refuse(&Refused::Unknown("PaymentGatewayProviderId")))?;
    let gateway = Gateway {
        name: members.text("PaymentGatewayName", NAME)?.ok_or_else(|| Problem::missing("PaymentGatewayName"))?,
        provider: Some(provider),
        balance_check: members.literal("BalanceCheck", &BALANCE)?.unwrap_or(BalanceCheck::Strict),
        authorization_lifetime: lifetime(&mut members)?.unwrap_or(AUTHORIZATION_LIFETIME),
        credential: credential(&mut members)?,
        mode: mode(&mut members)?.unwrap_or(GatewayMode::Live),
        is_active: members.literal("Status", &STATUS)?.unwrap_or(true),
        comments: members.text("Comments", COMMENTS)?,
        external_reference: members.text("ExternalReference", NAME)?,
        made: making.made,
        ..Gateway::at(&known.adapter, base_url)
    };
    members.finish()?;
    let id = making.id(desk, GatewayId::made_under, GatewayId::from_random);
    let base_url = gateway.base_url.clone();
    desk.change(Change::AddGateway(id, gateway)).await?;
    remember(desk, &base_url).await;
    Ok(created(id))
}

/// The provider and the address stay: operations may be under way there, and elsewhere nobody knows them. Asked again under
/// its key at another address, a sale would be made a second time.
pub(super) async fn edit(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let id = desk.named("gatewayId", GatewayId::parse)?;
    let text = desk.body()?;
    let mut members = Members::parse_any_case(&text)?;
    if let Some(member) = ["BaseUrl", "PaymentGatewayProviderId"].into_iter().find(|member| members.has(member)) {
        let why = "cannot be changed, because operations may be under way there; add another gateway instead";
        return Err(Problem::invalid(member, why));
    }
    let edit = GatewayEdit {
        name: members.text("PaymentGatewayName", NAME)?,
        balance_check: members.literal("BalanceCheck", &BALANCE)?,
        authorization_lifetime: lifetime(&mut members)?,
        credential: members.edited("MerchantCredentialId", credential)?,
        mode: mode(&mut members)?,
        is_active: members.literal("Status", &STATUS)?,
        comments: members.edited("Comments", |members| members.text("Comments", COMMENTS))?,
        external_reference: members.edited("ExternalReference", |members| members.text("ExternalReference", NAME))?,
    };
    members.finish()?;
    if let Some(mode) = edit.mode {
        super::credential::check_mode(desk, id, mode)?;
    }
    desk.change(Change::EditGateway(id, edit)).await?;
    Ok(done())
}

/// So that functions open connections there while they start. It is done without, where this fails.
async fn remember(desk: &Desk<'_>, base_url: &str) {
    drop(desk.registry().remember_origin(origin(base_url)).await);
}

fn provider(members: &mut Members<'_>) -> Result<ProviderId, Problem> {
    let id = members.parsed("PaymentGatewayProviderId", ID, "an id of 15 or 18 characters", ProviderId::parse)?;
    id.ok_or_else(|| Problem::missing("PaymentGatewayProviderId"))
}

fn base_url(desk: &Desk<'_>, members: &mut Members<'_>) -> Result<Option<String>, Problem> {
    let Some(url) = members.text("BaseUrl", ADDRESS)? else { return Ok(None) };
    let plain = if desk.app.takes_loopback { Plain::Loopback } else { Plain::Nowhere };
    check(&url, plain).map_err(|error| Problem::invalid("BaseUrl", error))?;
    match url.contains('?') {
        true => Err(Problem::invalid("BaseUrl", "must not hold a query")),
        false => Ok(Some(url.trim_end_matches('/').to_owned())),
    }
}

fn lifetime(members: &mut Members<'_>) -> Result<Option<Duration>, Problem> {
    match members.duration("AuthorizationLifetime")? {
        Some(lifetime) if !LIFETIME.contains(&lifetime) => {
            Err(Problem::invalid("AuthorizationLifetime", "must be from PT1H to P366D"))
        }
        lifetime => Ok(lifetime),
    }
}

fn mode(members: &mut Members<'_>) -> Result<Option<GatewayMode>, Problem> {
    members.literal("GatewayMode", &GatewayMode::ALL.map(|mode| (mode.name(), mode)))
}

fn credential(members: &mut Members<'_>) -> Result<Option<String>, Problem> {
    let form = "the name of a parameter: letters, digits and . _ - / after a first /";
    members.parsed("MerchantCredentialId", PARAMETER, form, |text| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
        (text.starts_with('/') && text.bytes().all(fits)).then(|| text.to_owned())
    })
}
