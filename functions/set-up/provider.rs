//! `PaymentGatewayProvider`: which adapter speaks to a kind of gateway, and by what name.
//!
//! The wire's adapter is a class of its caller's, named by `ApexAdapterId`. Ours are built in: `Adapter` names one, and
//! so may `ApexAdapterId`. The id of a class says nothing here and is taken beside `Adapter` only.
//!
//! What leads from a provider to its merchant is written before the merchant has it, as for API keys.

use kessai_shared::gateways::{ADAPTERS, Adapter};
use kessai_shared::ids::{Id, ProviderId};
use kessai_shared::merchant::set_up::{Change, ProviderEdit};
use kessai_shared::merchant::{DeveloperName, Provider};

use super::{COMMENTS, Desk, LABEL, Making, created_by_tooling, done, refuse};
use crate::event::HttpAnswer;
use crate::problem::Problem;
use crate::wire::members::Members;

pub(super) const NAME_FORM: &str = "a letter, then letters, digits and single underscores, the last no underscore";

const IDEMPOTENCY: [(&str, bool); 2] = [("Yes", true), ("No", false)];

pub(super) async fn create(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let text = desk.body()?;
    let mut members = Members::parse_any_case(&text)?;
    let making = Making::of(desk, &mut members, &text)?;
    let provider = Provider {
        adapter: adapter(&mut members)?,
        developer_name: developer_name(&mut members)?.ok_or_else(|| Problem::missing("DeveloperName"))?,
        master_label: members.text("MasterLabel", LABEL)?.ok_or_else(|| Problem::missing("MasterLabel"))?,
        idempotency_supported: members.literal("IdempotencySupported", &IDEMPOTENCY)?.unwrap_or(true),
        comments: members.text("Comments", COMMENTS)?,
        notice_secrets: Vec::new(),
        made: making.made,
    };
    members.finish()?;
    let id = making.id(desk, ProviderId::made_under, ProviderId::from_random);
    let change = Change::AddProvider(id, provider);
    // What is refused anyway leaves nothing behind.
    desk.merchant.after(&change, desk.now(), desk.by).map_err(|refused| refuse(&refused))?;
    desk.registry().point_provider(id, desk.merchant.id).await?;
    desk.change(change).await?;
    Ok(created_by_tooling(id))
}

/// The adapter stays: payments are under way that it began.
pub(super) async fn edit(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let id = desk.named("providerId", ProviderId::parse)?;
    let text = desk.body()?;
    let mut members = Members::parse_any_case(&text)?;
    let edit = ProviderEdit {
        developer_name: developer_name(&mut members)?,
        master_label: members.text("MasterLabel", LABEL)?,
        idempotency_supported: members.literal("IdempotencySupported", &IDEMPOTENCY)?,
        comments: members.edited("Comments", |members| members.text("Comments", COMMENTS))?,
    };
    members.finish()?;
    desk.change(Change::EditProvider(id, edit)).await?;
    Ok(done())
}

pub(super) fn developer_name(members: &mut Members<'_>) -> Result<Option<DeveloperName>, Problem> {
    members.parsed("DeveloperName", DeveloperName::MAX, NAME_FORM, DeveloperName::parse)
}

fn adapter(members: &mut Members<'_>) -> Result<String, Problem> {
    let known: Vec<&str> = ADAPTERS.iter().map(|adapter| adapter.name).collect();
    let known = format!("one of {}", known.join(", "));
    let named = |name: &str| Adapter::named(name).map(|adapter| adapter.name);
    let ours = members.parsed("Adapter", LABEL, &known, named)?;
    let theirs = members.text("ApexAdapterId", LABEL)?;
    match (ours, theirs.as_deref().map(|text| (named(text), Id::parse_foreign(text)))) {
        (Some(ours), None | Some((None, Some(_)))) => Ok(ours.to_owned()),
        (Some(ours), Some((Some(theirs), _))) if ours == theirs => Ok(ours.to_owned()),
        (Some(_), Some((Some(_), _))) => Err(Problem::invalid("ApexAdapterId", "names another adapter than Adapter")),
        (Some(_), Some((None, None))) => Err(Problem::invalid("ApexAdapterId", "must be an id of 15 or 18 characters")),
        (None, Some((Some(theirs), _))) => Ok(theirs.to_owned()),
        (None, Some((None, _))) => {
            Err(Problem::invalid("ApexAdapterId", format!("must be {known}, or stand beside Adapter, which is")))
        }
        (None, None) => Err(Problem::missing("Adapter")),
    }
}
