//! Changes of retry rules and their sets.
//!
//! A set that comes into use takes the place of the one that was: that one stays active, and is the default no more. Both
//! are one change, so at no moment is there none, and no payment that fails meanwhile goes without its retry.

use super::accounts::same;
use super::{Edited, MOST_RULE_SETS, MOST_RULES, Noted, Refused, noted, room};
use crate::ids::GatewayId;
use crate::merchant::{ListedRule, ListedRuleSet, Merchant};
use crate::recurring::ids::{RuleId, RuleSetId};
use crate::recurring::retry::{
    Category, IntervalType, IntervalUnit, OF_RULE, OF_SET, RuleSetStatus, Timing, TimingMembers,
};

/// Other values for what is named; a value that may be absent is taken away by none within.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSetEdit {
    pub name: Option<String>,
    pub status: Option<RuleSetStatus>,
    pub is_default: Option<bool>,
    pub can_use_other_method: Option<bool>,
    pub defaults: TimingEdit,
    pub description: Option<Option<String>>,
}

/// The set stays: what is of another set is another rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleEdit {
    pub category: Option<Category>,
    pub gateway: Option<Option<GatewayId>>,
    pub code: Option<Option<String>>,
    pub timing: TimingEdit,
    pub description: Option<Option<String>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimingEdit {
    pub interval_type: Option<Option<IntervalType>>,
    pub interval_value: Option<Option<String>>,
    pub interval_unit: Option<Option<IntervalUnit>>,
    pub maximum_retry_count: Option<Option<i64>>,
}

/// What is said of a timing where there was none before.
impl From<TimingEdit> for Timing {
    fn from(said: TimingEdit) -> Self {
        Self {
            interval_type: said.interval_type.flatten(),
            interval_value: said.interval_value.flatten(),
            interval_unit: said.interval_unit.flatten(),
            maximum_retry_count: said.maximum_retry_count.flatten(),
        }
    }
}

/// What no two rules of a set may have the same.
const SAME: &str = "PaymentGatewayErrorCategory with PaymentGatewayId and PaymentGatewayErrorCode";

pub(super) fn add_set(merchant: &mut Merchant, id: RuleSetId, set: &ListedRuleSet) -> Result<Noted, Refused> {
    if let Some(known) = merchant.retry_rule_sets.get(&id) {
        return same(known == set || super::is_again(known.made, set.made));
    }
    room("PaymentRetryRuleSet", merchant.retry_rule_sets.len(), MOST_RULE_SETS)?;
    merchant.retry_rule_sets.insert(id, set.clone());
    check(merchant, id, None)?;
    let former = take_place(merchant, id);
    let description = format!("{:?}, {}{}", set.name, set.status.literal(), in_place(former));
    Ok(noted("retry-rule-set.created", id, description))
}

pub(super) fn edit_set(merchant: &mut Merchant, id: RuleSetId, edit: &RuleSetEdit) -> Result<Noted, Refused> {
    let set = merchant.retry_rule_sets.get_mut(&id).ok_or(Refused::NotFound)?;
    let was_in_use = set.is_in_use();
    let mut edited = Edited::default();
    edited.set("Name", &mut set.name, &edit.name);
    edited.set("Status", &mut set.status, &edit.status);
    edited.set("IsDefaultRuleSet", &mut set.is_default, &edit.is_default);
    edited.set("CanUseAltrnPaymentMethod", &mut set.can_use_other_method, &edit.can_use_other_method);
    edit_timing(&mut edited, &OF_SET, &mut set.defaults, &edit.defaults);
    edited.set("Description", &mut set.description, &edit.description);
    let comes_into_use = !was_in_use && set.is_in_use();
    check(merchant, id, None)?;
    let former = if comes_into_use { take_place(merchant, id) } else { None };
    let mut noted = edited.noted("retry-rule-set.changed", id);
    if let Some(note) = &mut noted {
        note.description.push_str(&in_place(former));
    }
    Ok(noted)
}

/// Only an empty one: nobody loses rules unawares.
pub(super) fn delete_set(merchant: &mut Merchant, id: RuleSetId) -> Result<Noted, Refused> {
    let set = merchant.retry_rule_sets.remove(&id).ok_or(Refused::NotFound)?;
    if merchant.retry_rules.values().any(|rule| rule.set == id) {
        return Err(Refused::NotEmpty { what: "PaymentRetryRuleSet", of: "PaymentRetryRule" });
    }
    Ok(noted("retry-rule-set.deleted", id, format!("{:?}", set.name)))
}

pub(super) fn add(merchant: &mut Merchant, id: RuleId, rule: &ListedRule) -> Result<Noted, Refused> {
    if let Some(known) = merchant.retry_rules.get(&id) {
        return same(known == rule || super::is_again(known.made, rule.made));
    }
    room("PaymentRetryRule", merchant.retry_rules.len(), MOST_RULES)?;
    merchant.retry_rules.insert(id, rule.clone());
    check_rule(merchant, id)?;
    Ok(noted("retry-rule.created", id, said(rule)))
}

pub(super) fn edit(merchant: &mut Merchant, id: RuleId, edit: &RuleEdit) -> Result<Noted, Refused> {
    let listed = merchant.retry_rules.get_mut(&id).ok_or(Refused::NotFound)?;
    let mut edited = Edited::default();
    edited.set("PaymentGatewayErrorCategory", &mut listed.rule.category, &edit.category);
    edited.set("PaymentGatewayId", &mut listed.rule.gateway, &edit.gateway);
    edited.set("PaymentGatewayErrorCode", &mut listed.rule.code, &edit.code);
    edit_timing(&mut edited, &OF_RULE, &mut listed.rule.timing, &edit.timing);
    edited.set("Description", &mut listed.description, &edit.description);
    check_rule(merchant, id)?;
    Ok(edited.noted("retry-rule.changed", id))
}

pub(super) fn delete(merchant: &mut Merchant, id: RuleId) -> Result<Noted, Refused> {
    let rule = merchant.retry_rules.remove(&id).ok_or(Refused::NotFound)?;
    Ok(noted("retry-rule.deleted", id, said(&rule)))
}

fn edit_timing(edited: &mut Edited, names: &TimingMembers, timing: &mut Timing, edit: &TimingEdit) {
    edited.set(names.interval_type, &mut timing.interval_type, &edit.interval_type);
    edited.set(names.interval_value, &mut timing.interval_value, &edit.interval_value);
    edited.set(names.interval_unit, &mut timing.interval_unit, &edit.interval_unit);
    edited.set(names.maximum_retry_count, &mut timing.maximum_retry_count, &edit.maximum_retry_count);
}

/// Whether the set makes one of rules, as the rule that is changed would have it.
fn check(merchant: &Merchant, id: RuleSetId, changed: Option<RuleId>) -> Result<(), Refused> {
    let set = merchant.retry_rule_sets.get(&id).ok_or(Refused::NotFound)?;
    let made = merchant.with_its_rules(id, set);
    made.map(drop).map_err(|(rule, misfit)| Refused::Misfit {
        member: misfit.member,
        limit: misfit.limit,
        rule: rule.filter(|rule| changed != Some(*rule)),
    })
}

fn check_rule(merchant: &Merchant, id: RuleId) -> Result<(), Refused> {
    let listed = merchant.retry_rules.get(&id).ok_or(Refused::NotFound)?;
    if !merchant.retry_rule_sets.contains_key(&listed.set) {
        return Err(Refused::Unknown("PaymentRetryRuleSetId"));
    }
    if listed.rule.gateway.is_some_and(|gateway| !merchant.gateways.contains_key(&gateway)) {
        return Err(Refused::Unknown("PaymentGatewayId"));
    }
    let about = |listed: &ListedRule| (listed.set, listed.rule.category, listed.rule.gateway, listed.rule.code.clone());
    let is_taken = |(other, known): (&RuleId, &ListedRule)| *other != id && about(known) == about(listed);
    if merchant.retry_rules.iter().any(is_taken) {
        return Err(Refused::Taken(SAME));
    }
    check(merchant, listed.set, Some(id))
}

/// Has the set, if it is in use now, take the place of the one that was; which one that is.
fn take_place(merchant: &mut Merchant, id: RuleSetId) -> Option<RuleSetId> {
    if !merchant.retry_rule_sets.get(&id)?.is_in_use() {
        return None;
    }
    let (former, set) = merchant.retry_rule_sets.iter_mut().find(|(other, set)| **other != id && set.is_in_use())?;
    set.is_default = false;
    Some(*former)
}

fn in_place(former: Option<RuleSetId>) -> String {
    former.map_or_else(String::new, |former| format!(", in the place of {former}"))
}

fn said(rule: &ListedRule) -> String {
    format!("{} of the set {}", rule.rule.category.literal(), rule.set)
}

#[cfg(test)]
mod tests;
