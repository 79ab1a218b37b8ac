//! What the gateway writes down, and what it shows of that.
//!
//! Records are stored: a change that older lines do not fit needs the next version of the ledger.
//! They hold no card and no token, only the code that a token carries.

use std::ops::Not;

use serde::{Deserialize, Serialize};

use super::behaviour::{Decline, Ending};
use super::notice::Stage;
use super::route::{Class, Kind};

/// Something that the gateway has to remember.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// An operation, carried out or declined.
    Operation(Operation),
    /// An operation that arrived, was struck by a fault, and was not carried out.
    Unacted(Unacted),
    /// A reference that was reversed.
    Reversal(Reversal),
    /// A payer has acted.
    Act(Act),
    /// A notice was taken.
    Taken(Taken),
    /// Everything is to be told again.
    Resend(Resend),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    pub id: String,
    pub class: Class,
    pub kind: Kind,
    /// Missing where a browser asked.
    pub reference: Option<String>,
    /// In minor units; 0 where no money moves.
    pub amount: u64,
    /// Empty where no money moves.
    pub currency: String,
    /// The id of the operation that this one acts on.
    pub on: Option<String>,
    /// The code of the magic table that a token carries; nothing else has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carries: Option<u16>,
    /// The merchant asked for the token, not the buyer.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub saved_by_merchant: bool,
    /// What the merchant calls the type of the method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method_type: Option<String>,
    /// The buyer was not there.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub merchant_initiated: bool,
    pub key: Option<String>,
    pub fingerprint: u64,
    pub outcome: Outcome,
    /// What comes after it was approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequel: Option<Sequel>,
    /// What is told of it unasked overtakes the answer.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub tells_first: bool,
    pub at_ms: i64,
    /// When the answer was due to leave; until then the same key is in progress.
    pub answers_at_ms: i64,
}

impl Operation {
    /// Whether money moves by it, or is on its way.
    #[must_use]
    pub fn is_effect(&self, now_ms: i64) -> bool {
        self.kind.moves_money() && self.outcome.at(now_ms).stands()
    }

    /// Whether it turned out not to stand after it was approved.
    #[must_use]
    pub fn has_failed(&self, now_ms: i64) -> bool {
        match self.sequel {
            Some(Sequel::Fails { at_ms }) => now_ms >= at_ms,
            Some(Sequel::Disputed { .. }) | None => false,
        }
    }

    /// What the payer has back by a dispute, in minor units.
    #[must_use]
    pub fn charged_back(&self, now_ms: i64) -> Option<u64> {
        let is_charged_back = match self.sequel {
            Some(Sequel::Disputed { charged_back_at_ms, reversed_at_ms, .. }) => {
                now_ms >= charged_back_at_ms && reversed_at_ms.is_none_or(|reversed_at_ms| now_ms < reversed_at_ms)
            }
            Some(Sequel::Fails { .. }) | None => false,
        };
        is_charged_back.then_some(self.amount)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unacted {
    pub class: Class,
    pub reference: Option<String>,
    pub key: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversal {
    pub id: String,
    pub reference: String,
    /// Whether there was anything to reverse.
    pub reversed: bool,
    pub at_ms: i64,
}

/// What a payer did where an operation needed one. The operation's own record stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    pub class: Class,
    pub id: String,
    pub decision: Decision,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub approved: bool,
    pub at_ms: i64,
}

/// Whom a notice was sent to has said that it was taken, so that it is not sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The place of the operation among all, from 0.
    pub operation: usize,
    pub stages: Vec<Stage>,
    pub at_ms: i64,
}

/// Somebody wants to be told everything again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resend {
    pub at_ms: i64,
}

/// What comes after an operation was approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Sequel {
    /// It turns out not to stand.
    Fails { at_ms: i64 },
    /// The payer wants all of the money back, and has it for a while or for good.
    Disputed { opened_at_ms: i64, charged_back_at_ms: i64, reversed_at_ms: Option<i64> },
}

/// What the gateway made of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Outcome {
    Approved,
    Accepted {
        ends: Ending,
        settles_at_ms: i64,
    },
    Declined {
        because: Decline,
    },
    /// Waits for the payer. What the payer decided is a record of its own.
    ActionRequired {
        expires_at_ms: i64,
        #[serde(skip)]
        decision: Option<Decision>,
    },
}

impl Outcome {
    /// What has become of it.
    #[must_use]
    pub fn at(self, now_ms: i64) -> Self {
        match self {
            Self::Accepted { ends, settles_at_ms } if now_ms >= settles_at_ms => match ends {
                Ending::Approved => Self::Approved,
                Ending::Declined => Self::Declined { because: Decline::DoNotHonour },
            },
            Self::ActionRequired { expires_at_ms, decision } => match decision {
                Some(Decision { approved, at_ms }) if now_ms >= at_ms => {
                    if approved {
                        Self::Approved
                    } else {
                        Self::Declined { because: Decline::DoNotHonour }
                    }
                }
                Some(_) | None if now_ms >= expires_at_ms => Self::Declined { because: Decline::PayerDidNotAct },
                Some(_) | None => self,
            },
            Self::Approved | Self::Accepted { .. } | Self::Declined { .. } => self,
        }
    }

    /// What it was before any payer acted.
    #[must_use]
    pub fn undecided(self) -> Self {
        match self {
            Self::ActionRequired { expires_at_ms, .. } => Self::ActionRequired { expires_at_ms, decision: None },
            Self::Approved | Self::Accepted { .. } | Self::Declined { .. } => self,
        }
    }

    /// When that of [`Outcome::at`] changes, where it does.
    #[must_use]
    pub fn changes_at_ms(self) -> Option<i64> {
        match self {
            Self::Approved | Self::Declined { .. } => None,
            Self::Accepted { settles_at_ms, .. } => Some(settles_at_ms),
            Self::ActionRequired { expires_at_ms, decision } => {
                Some(decision.map_or(expires_at_ms, |decision| decision.at_ms))
            }
        }
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Accepted { .. } => "accepted",
            Self::Declined { .. } => "declined",
            Self::ActionRequired { .. } => "action_required",
        }
    }

    /// Whether what was asked for is done, or on its way.
    #[must_use]
    pub fn stands(self) -> bool {
        match self {
            Self::Approved | Self::Accepted { .. } => true,
            Self::Declined { .. } | Self::ActionRequired { .. } => false,
        }
    }

    /// Whether what was asked for is done, or may be yet.
    #[must_use]
    pub fn is_alive(self) -> bool {
        match self {
            Self::Approved | Self::Accepted { .. } | Self::ActionRequired { .. } => true,
            Self::Declined { .. } => false,
        }
    }
}

/// One line of the ledger: money that moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Effect<'books> {
    pub id: &'books str,
    pub class: Class,
    pub kind: Kind,
    pub reference: Option<&'books str>,
    /// In minor units.
    pub amount: u64,
    pub currency: &'books str,
    pub on: Option<&'books str>,
    pub key: Option<&'books str>,
    #[serde(rename = "methodType", skip_serializing_if = "Option::is_none")]
    pub method_type: Option<&'books str>,
    #[serde(rename = "merchantInitiated", skip_serializing_if = "Not::not")]
    pub merchant_initiated: bool,
    pub status: &'static str,
    pub voided: bool,
    /// Whether it turned out not to stand after it was approved.
    #[serde(skip_serializing_if = "Not::not")]
    pub failed: bool,
    /// What the payer has back by a dispute, in minor units.
    #[serde(rename = "chargedBack", skip_serializing_if = "Option::is_none")]
    pub charged_back: Option<u64>,
    pub at: String,
}
