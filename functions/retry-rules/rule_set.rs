//! `PaymentRetryRuleSet`: when failed payments are tried again where no rule says otherwise. Payments are tried again by the
//! one that is both `Active` and the default. A set that comes to be both takes the place of the one that was.

use kessai_shared::merchant::set_up::{Change, RuleSetEdit};
use kessai_shared::merchant::{ListedRuleSet, Merchant};
use kessai_shared::recurring::ids::RuleSetId;
use kessai_shared::recurring::retry::{IntervalType, IntervalUnit, OF_SET, RuleSetStatus, Timing};
use serde::Serialize;

use super::{TEXT, choice, record, timing};
use crate::event::HttpAnswer;
use crate::problem::Problem;
use crate::set_up::{Desk, Making, created, done, json};
use crate::wire::members::Members;

pub(super) async fn create(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let text = desk.body()?;
    let mut members = Members::parse_any_case(&text)?;
    let making = Making::of(desk, &mut members, &text)?;
    let set = ListedRuleSet {
        name: members.text("Name", TEXT)?.ok_or_else(|| Problem::missing("Name"))?,
        status: status(&mut members)?.unwrap_or(RuleSetStatus::Draft),
        is_default: members.flag("IsDefaultRuleSet")?.unwrap_or(false),
        can_use_other_method: members.flag("CanUseAltrnPaymentMethod")?.unwrap_or(false),
        defaults: Timing::from(timing(&mut members, &OF_SET)?),
        description: members.text("Description", TEXT)?,
        made: making.made,
    };
    members.finish()?;
    let Timing { interval_type, interval_value, interval_unit, .. } = &set.defaults;
    let needed = [
        (interval_type.is_some(), OF_SET.interval_type),
        (interval_value.is_some(), OF_SET.interval_value),
        (interval_unit.is_some(), OF_SET.interval_unit),
    ];
    if let Some((_, missing)) = needed.into_iter().find(|(is_there, _)| !is_there) {
        return Err(Problem::missing(missing));
    }
    let id = making.id(desk, RuleSetId::made_under, RuleSetId::from_random);
    desk.change(Change::AddRuleSet(id, set)).await?;
    Ok(created(id))
}

pub(super) async fn edit(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let id = named(desk)?;
    let text = desk.body()?;
    let mut members = Members::parse_any_case(&text)?;
    let edit = RuleSetEdit {
        name: members.text("Name", TEXT)?,
        status: status(&mut members)?,
        is_default: members.flag("IsDefaultRuleSet")?,
        can_use_other_method: members.flag("CanUseAltrnPaymentMethod")?,
        defaults: timing(&mut members, &OF_SET)?,
        description: members.edited("Description", |members| members.text("Description", TEXT))?,
    };
    members.finish()?;
    desk.change(Change::EditRuleSet(id, edit)).await?;
    Ok(done())
}

pub(super) async fn delete(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    desk.change(Change::DeleteRuleSet(named(desk)?)).await?;
    Ok(done())
}

pub(super) fn show(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let id = named(desk)?;
    let set = desk.merchant.retry_rule_sets.get(&id).ok_or_else(Problem::not_found)?;
    Ok(json(200, &record(&shown(id, set))))
}

fn named(desk: &Desk<'_>) -> Result<RuleSetId, Problem> {
    desk.named("ruleSetId", RuleSetId::parse)
}

fn status(members: &mut Members<'_>) -> Result<Option<RuleSetStatus>, Problem> {
    choice(members, "Status", RuleSetStatus::ALL, RuleSetStatus::literal)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShownRuleSet<'a> {
    id: String,
    name: &'a str,
    status: &'static str,
    is_default_rule_set: bool,
    can_use_altrn_payment_method: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_retry_interval_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_interval_value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_interval_unit: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_maximum_retry_count: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

pub(crate) fn shown_rule_sets(merchant: &Merchant) -> Vec<ShownRuleSet<'_>> {
    merchant.retry_rule_sets.iter().map(|(id, set)| shown(*id, set)).collect()
}

fn shown(id: RuleSetId, set: &ListedRuleSet) -> ShownRuleSet<'_> {
    ShownRuleSet {
        id: id.to_string(),
        name: &set.name,
        status: set.status.literal(),
        is_default_rule_set: set.is_default,
        can_use_altrn_payment_method: set.can_use_other_method,
        default_retry_interval_type: set.defaults.interval_type.map(IntervalType::literal),
        default_interval_value: set.defaults.interval_value.as_deref(),
        default_interval_unit: set.defaults.interval_unit.map(IntervalUnit::literal),
        default_maximum_retry_count: set.defaults.maximum_retry_count,
        description: set.description.as_deref(),
    }
}
