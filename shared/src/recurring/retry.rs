//! When a payment that failed is tried again.
//!
//! A [`Failure`] says why it failed, in the words of its gateway's table. The merchant's [`RetryRuleSet`] makes a [`Plan`]
//! of that, and [`Plan::next`] says when the payment is tried again, or that it is not:
//!
//! - Only a failure is tried again. An outcome that is unknown or pending is none, whatever time has passed.
//! - No rule has that tried again which the gateway's table calls hopeless, which will never work with this instrument,
//!   which a bank wants to review, or whose data are wrong.
//! - [Card networks' limits](limits) are kept whatever the rules say.

mod interval;
mod limits;
mod plan;
mod rules;
#[cfg(test)]
mod tests;

pub use self::interval::{Interval, IntervalType, IntervalUnit};
pub use self::plan::{History, Plan, Retry};
pub use self::rules::{
    MOST_RULES, Misfit, OF_RULE, OF_SET, RetryRule, RetryRuleSet, RetryRuleSetParts, RuleSetStatus, Timing,
    TimingMembers,
};

use crate::choice::choice;
use crate::ids::GatewayId;
use crate::payment::{Answer, Decline, State, Verdict};

choice! {
    /// What kind of failure it is (`PaymentGatewayErrorCategory`).
    Category {
        /// Too little money, or more than a limit.
        CardLimit = "CardLimit",
        /// The account is invalid or closed, or the bank says no without saying why.
        PaymentProcessing = "PaymentProcessing",
        /// The data of the card, the address or the currency are wrong.
        PaymentInformation = "PaymentInformation",
        /// Fraud, or the payer was not authenticated.
        Security = "Security",
        /// The gateway, or who is behind it, was not reached.
        GatewayConnection = "GatewayConnection",
        /// It failed before it was sent.
        ValidationFailure = "ValidationFailure",
        Unknown = "Unknown",
    }
}

choice! {
    /// Whether trying again may help (`RetryDecision`).
    Decision { Retriable = "Retriable", NonRetriable = "NonRetriable" }
}

impl Decision {
    /// What follows of how it was declined, where the gateway says nothing more of it.
    pub fn of(decline: Decline) -> Self {
        match decline {
            Decline::Soft => Self::Retriable,
            Decline::Permanent | Decline::RequiresReview | Decline::InvalidData => Self::NonRetriable,
        }
    }
}

/// A gateway's table of what its ways of saying no mean for whoever might try again, by what rests of an answer. What
/// stands in no table is [`Category::Unknown`], and as [`Decision::of`] has it.
pub type Judge = fn(Decline, &Answer) -> (Category, Decision);

/// Why a payment failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure<'a> {
    pub category: Category,
    pub decision: Decision,
    /// How the gateway or the issuer said no; none where nobody did.
    pub decline: Option<Decline>,
    /// Through which gateway, if it came to that.
    pub gateway: Option<GatewayId>,
    /// The gateway's own code.
    pub code: Option<&'a str>,
}

impl<'a> Failure<'a> {
    /// Why an operation through this gateway failed, by what became of it; none where it did not, or where that is not
    /// known yet. What one answer says is not enough: that a request was not sent tells nothing of an earlier one. That a
    /// gateway has never heard of it, has undone whatever it did, or never told before the hold ran out, is a matter of the
    /// connection.
    pub fn of(state: &'a State, gateway: GatewayId, judge: Judge) -> Option<Self> {
        let connection = (Category::GatewayConnection, Decision::Retriable, None);
        let ((category, decision, decline), answer) = match state {
            State::Unsent => (connection, None),
            State::Settled(settled) => match settled.verdict {
                Verdict::Declined(decline) => {
                    let (category, decision) = judge(decline, &settled.answer);
                    ((category, decision, Some(decline)), Some(&settled.answer))
                }
                Verdict::Voided | Verdict::NeverReceived | Verdict::Lapsed => (connection, Some(&settled.answer)),
                Verdict::Approved => return None,
            },
            State::Open(_) | State::Accepted(_) => return None,
        };
        let code = answer.and_then(|answer| answer.code.as_deref());
        Some(Self { category, decision, decline, gateway: Some(gateway), code })
    }

    /// Whether trying again is allowed at all.
    pub fn is_retriable(&self) -> bool {
        let may_work = |decline| Decision::of(decline) == Decision::Retriable;
        self.decision == Decision::Retriable && self.decline.is_none_or(may_work)
    }
}
