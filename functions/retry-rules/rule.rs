//! `PaymentRetryRule`: when failures of one kind are tried again. What a rule does not say, its set does.

use kessai_shared::ids::GatewayId;
use kessai_shared::merchant::set_up::{Change, RuleEdit};
use kessai_shared::merchant::{ListedRule, Merchant};
use kessai_shared::recurring::ids::{RuleId, RuleSetId};
use kessai_shared::recurring::retry::{Category, IntervalType, IntervalUnit, OF_RULE, RetryRule, Timing};
use serde::Serialize;

use super::{TEXT, choice, record, timing};
use crate::event::HttpAnswer;
use crate::problem::Problem;
use crate::set_up::{Desk, ID, Making, created, done, json};
use crate::wire::members::Members;

const SET: &str = "PaymentRetryRuleSetId";
const CATEGORY: &str = "PaymentGatewayErrorCategory";
const GATEWAY: &str = "PaymentGatewayId";
const CODE: &str = "PaymentGatewayErrorCode";

pub(super) async fn create(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let text = desk.body()?;
    let mut members = Members::parse_any_case(&text)?;
    let making = Making::of(desk, &mut members, &text)?;
    let set = members.parsed(SET, ID, "the id of a PaymentRetryRuleSet (1bR…)", RuleSetId::parse)?;
    let rule = RetryRule {
        category: category(&mut members)?.ok_or_else(|| Problem::missing(CATEGORY))?,
        gateway: gateway(&mut members)?,
        code: members.text(CODE, TEXT)?,
        timing: Timing::from(timing(&mut members, &OF_RULE)?),
    };
    let description = members.text("Description", TEXT)?;
    members.finish()?;
    let set = set.ok_or_else(|| Problem::missing(SET))?;
    let id = making.id(desk, RuleId::made_under, RuleId::from_random);
    desk.change(Change::AddRule(id, ListedRule { set, rule, description, made: making.made })).await?;
    Ok(created(id))
}

/// The set stays, as the wire has it.
pub(super) async fn edit(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let id = named(desk)?;
    let text = desk.body()?;
    let mut members = Members::parse_any_case(&text)?;
    if members.has(SET) {
        return Err(Problem::invalid(SET, "cannot be changed; add a rule to the other set instead"));
    }
    let edit = RuleEdit {
        category: category(&mut members)?,
        gateway: members.edited(GATEWAY, gateway)?,
        code: members.edited(CODE, |members| members.text(CODE, TEXT))?,
        timing: timing(&mut members, &OF_RULE)?,
        description: members.edited("Description", |members| members.text("Description", TEXT))?,
    };
    members.finish()?;
    desk.change(Change::EditRule(id, edit)).await?;
    Ok(done())
}

pub(super) async fn delete(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    desk.change(Change::DeleteRule(named(desk)?)).await?;
    Ok(done())
}

pub(super) fn show(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let id = named(desk)?;
    let listed = desk.merchant.retry_rules.get(&id).ok_or_else(Problem::not_found)?;
    Ok(json(200, &record(&shown(id, listed))))
}

fn named(desk: &Desk<'_>) -> Result<RuleId, Problem> {
    desk.named("ruleId", RuleId::parse)
}

fn category(members: &mut Members<'_>) -> Result<Option<Category>, Problem> {
    choice(members, CATEGORY, Category::ALL, Category::literal)
}

fn gateway(members: &mut Members<'_>) -> Result<Option<GatewayId>, Problem> {
    members.parsed(GATEWAY, ID, "an id of 15 or 18 characters", GatewayId::parse)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShownRule<'a> {
    id: String,
    payment_retry_rule_number: String,
    payment_retry_rule_set_id: String,
    payment_gateway_error_category: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_gateway_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_gateway_error_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_interval_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval_value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval_unit: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum_retry_count: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

pub(crate) fn shown_rules(merchant: &Merchant) -> Vec<ShownRule<'_>> {
    merchant.retry_rules.iter().map(|(id, listed)| shown(*id, listed)).collect()
}

fn shown(id: RuleId, listed: &ListedRule) -> ShownRule<'_> {
    let RetryRule { category, gateway, code, timing } = &listed.rule;
    ShownRule {
        id: id.to_string(),
        payment_retry_rule_number: id.number(),
        payment_retry_rule_set_id: listed.set.to_string(),
        payment_gateway_error_category: category.literal(),
        payment_gateway_id: gateway.map(|gateway| gateway.to_string()),
        payment_gateway_error_code: code.as_deref(),
        retry_interval_type: timing.interval_type.map(IntervalType::literal),
        interval_value: timing.interval_value.as_deref(),
        interval_unit: timing.interval_unit.map(IntervalUnit::literal),
        maximum_retry_count: timing.maximum_retry_count,
        description: listed.description.as_deref(),
    }
}
