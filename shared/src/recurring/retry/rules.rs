//! What a merchant sets up: sets of rules, and which rule is for which failure.

use std::fmt;

use super::{Category, Failure, Interval, IntervalType, IntervalUnit, Plan};
use crate::choice::choice;
use crate::ids::GatewayId;

/// Rules of a set: some for each category, at some gateways.
pub const MOST_RULES: usize = 100;

/// Characters of a set's name and of a rule's code.
const TEXT: usize = 255;

/// When it is tried again. In a rule, what is not said is inherited from the set; a set must say the first three.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    pub interval_type: Option<IntervalType>,
    /// 1 to 60; of the staggered type several, rising, with commas between.
    pub interval_value: Option<String>,
    pub interval_unit: Option<IntervalUnit>,
    /// 1 to 10 of the fixed type. Of the staggered type the number of values, and need not be said.
    pub maximum_retry_count: Option<i64>,
}

/// How failures of one kind are tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryRule {
    pub category: Category,
    /// None means any.
    pub gateway: Option<GatewayId>,
    /// The gateway's own code (1 to 255 characters), to the letter. None means any.
    pub code: Option<String>,
    pub timing: Timing,
}

choice! {
    RuleSetStatus { Draft = "Draft", Active = "Active" }
}

/// A set of rules as somebody says it, right or wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryRuleSetParts {
    /// 1 to 255 characters.
    pub name: String,
    pub is_default: bool,
    pub status: RuleSetStatus,
    /// Whether the last retry is made with another of the payer's methods.
    pub can_use_other_method: bool,
    /// For whatever no rule is about.
    pub defaults: Timing,
    /// At most [`MOST_RULES`], no two of them for the same category, gateway and code.
    pub rules: Vec<RetryRule>,
}

/// A set of rules, each of which makes a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryRuleSet {
    parts: RetryRuleSetParts,
    by_default: Plan,
    /// One for each rule, in their order.
    plans: Vec<Plan>,
}

/// Why something is no set of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The place of the rule among its set's, from 0; none where it is the set's own member.
    pub rule: Option<usize>,
    /// The wire's member.
    pub member: &'static str,
    /// What it must be.
    pub limit: &'static str,
}

impl fmt::Display for Misfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.member, self.limit)
    }
}

/// What the wire calls the members of a timing.
pub(super) struct Members {
    pub(super) interval_type: &'static str,
    pub(super) interval_value: &'static str,
    pub(super) interval_unit: &'static str,
    pub(super) maximum_retry_count: &'static str,
}

pub(super) const OF_RULE: Members = Members {
    interval_type: "retryIntervalType",
    interval_value: "intervalValue",
    interval_unit: "intervalUnit",
    maximum_retry_count: "maximumRetryCount",
};

pub(super) const OF_SET: Members = Members {
    interval_type: "defaultRetryIntervalType",
    interval_value: "defaultIntervalValue",
    interval_unit: "defaultIntervalUnit",
    maximum_retry_count: "defaultMaximumRetryCount",
};

impl RetryRuleSet {
    /// The set of these parts. A rule is looked at with what it inherits: what is changed of the set may be wrong of a
    /// rule.
    pub fn parse(parts: RetryRuleSetParts) -> Result<Self, Misfit> {
        let of_set = |member, limit| Misfit { rule: None, member, limit };
        if !fits(&parts.name) {
            return Err(of_set("name", "must have 1 to 255 characters"));
        }
        if parts.rules.len() > MOST_RULES {
            return Err(of_set("rules", "must be at most 100"));
        }
        let nothing = Timing::default();
        let by_default = plan(&parts.defaults, &nothing, parts.can_use_other_method, &OF_SET)?;
        let mut plans = Vec::with_capacity(parts.rules.len());
        for (place, rule) in parts.rules.iter().enumerate() {
            let in_place = |misfit| Misfit { rule: Some(place), ..misfit };
            let earlier = parts.rules.iter().take(place);
            rule.check(earlier).map_err(in_place)?;
            let made = plan(&rule.timing, &parts.defaults, parts.can_use_other_method, &OF_RULE);
            plans.push(made.map_err(in_place)?);
        }
        Ok(Self { parts, by_default, plans })
    }

    pub fn parts(&self) -> &RetryRuleSetParts {
        &self.parts
    }

    /// Whether it is the one by which payments are tried again.
    pub fn is_in_use(&self) -> bool {
        self.parts.is_default && self.parts.status == RuleSetStatus::Active
    }

    /// How a payment that failed like this is tried again. The most particular rule counts: category, gateway and code;
    /// category and gateway; category and code; the category alone; else the set itself.
    pub fn plan_for(&self, failure: &Failure<'_>) -> &Plan {
        let rules = || self.parts.rules.iter().zip(&self.plans).filter(|(rule, _)| rule.is_about(failure));
        let found = rules().max_by_key(|(rule, _)| (rule.gateway.is_some(), rule.code.is_some()));
        found.map_or(&self.by_default, |(_, plan)| plan)
    }
}

impl RetryRule {
    fn check<'a>(&self, mut earlier: impl Iterator<Item = &'a Self>) -> Result<(), Misfit> {
        let wrong = |limit| Err(Misfit { rule: None, member: "paymentGatewayErrorCode", limit });
        if self.code.as_deref().is_some_and(|code| !fits(code)) {
            return wrong("must have 1 to 255 characters");
        }
        let is_same =
            |other: &Self| (other.category, other.gateway, &other.code) == (self.category, self.gateway, &self.code);
        if earlier.any(is_same) {
            return wrong("another rule of the set is for the same category, gateway and code");
        }
        Ok(())
    }

    fn is_about(&self, failure: &Failure<'_>) -> bool {
        self.category == failure.category
            && self.gateway.is_none_or(|gateway| failure.gateway == Some(gateway))
            && self.code.as_deref().is_none_or(|code| failure.code == Some(code))
    }
}

fn fits(text: &str) -> bool {
    (1..=TEXT).contains(&text.chars().count())
}

/// The plan of a timing that inherits what it does not say. A number of retries is inherited by the fixed type only: the
/// staggered one has it in its values.
fn plan(own: &Timing, inherited: &Timing, can_use_other_method: bool, members: &Members) -> Result<Plan, Misfit> {
    let missing = |member| Misfit { rule: None, member, limit: "is missing" };
    let value = own.interval_value.as_deref().or(inherited.interval_value.as_deref());
    let interval_type = own.interval_type.or(inherited.interval_type).ok_or(missing(members.interval_type))?;
    let value = value.ok_or(missing(members.interval_value))?;
    let unit = own.interval_unit.or(inherited.interval_unit).ok_or(missing(members.interval_unit))?;
    let interval = match interval_type {
        IntervalType::Fixed => {
            Interval::fixed(value, own.maximum_retry_count.or(inherited.maximum_retry_count), members)?
        }
        IntervalType::Staggered => Interval::staggered(value, own.maximum_retry_count, members)?,
    };
    Ok(Plan { interval, unit, can_use_other_method })
}
