//! How failed payments are tried again, as a merchant has set it up: sets of rules, and the rules of each.
//!
//! Both are records of their own, which name each other by id. What counts is what they make together, a
//! [`RetryRuleSet`]: every set must make one, also while it is a draft. At most one is both active and the default, and by
//! that one payments are tried again. Where there is none, none is.

use super::Merchant;
use super::set_up::Made;
use crate::recurring::ids::{RuleId, RuleSetId};
use crate::recurring::retry::{Misfit, RetryRule, RetryRuleSet, RetryRuleSetParts, RuleSetStatus, Timing};

/// A set without its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRuleSet {
    pub name: String,
    pub status: RuleSetStatus,
    pub is_default: bool,
    /// Whether the last retry is made with another of the payer's methods.
    pub can_use_other_method: bool,
    /// For whatever no rule is about, and for what a rule does not say.
    pub defaults: Timing,
    pub description: Option<String>,
    pub made: Option<Made>,
}

impl ListedRuleSet {
    /// Whether it is the one by which payments are tried again.
    pub fn is_in_use(&self) -> bool {
        self.is_default && self.status == RuleSetStatus::Active
    }
}

/// A rule, and which set's it is for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRule {
    pub set: RuleSetId,
    pub rule: RetryRule,
    pub description: Option<String>,
    pub made: Option<Made>,
}

impl Merchant {
    /// By what failed payments are tried again: the active default set with its rules. None where they are not. It is made
    /// of them when it is asked for, because most functions never ask.
    pub fn retry_rules(&self) -> Option<RetryRuleSet> {
        let (id, set) = self.retry_rule_sets.iter().find(|(_, set)| set.is_in_use())?;
        self.with_its_rules(*id, set).ok()
    }

    /// What a set and its rules make together, or what of them will not do: of a rule, which one.
    pub(super) fn with_its_rules(
        &self,
        id: RuleSetId,
        set: &ListedRuleSet,
    ) -> Result<RetryRuleSet, (Option<RuleId>, Misfit)> {
        let own = || self.retry_rules.iter().filter(|(_, listed)| listed.set == id);
        let parts = RetryRuleSetParts {
            name: set.name.clone(),
            is_default: set.is_default,
            status: set.status,
            can_use_other_method: set.can_use_other_method,
            defaults: set.defaults.clone(),
            rules: own().map(|(_, listed)| listed.rule.clone()).collect(),
        };
        RetryRuleSet::parse(parts).map_err(|misfit| {
            let rule = misfit.rule.and_then(|place| own().nth(place)).map(|(id, _)| *id);
            (rule, misfit)
        })
    }
}
