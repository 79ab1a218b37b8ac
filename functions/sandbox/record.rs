//! What the gateway writes down, and what it shows of that.
//!
//! Records are stored: a change that older lines do not fit needs the next version of the ledger.
//! They hold no card and no token, only the code that a token carries.

use std::ops::Not;

use serde::{Deserialize, Serialize};

use super::behaviour::{Decline, Ending};
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

/// What the gateway made of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Outcome {
    Approved,
    Accepted { ends: Ending, settles_at_ms: i64 },
    Declined { because: Decline },
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
            Self::Approved | Self::Accepted { .. } | Self::Declined { .. } => self,
        }
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Accepted { .. } => "accepted",
            Self::Declined { .. } => "declined",
        }
    }

    /// Whether what was asked for is done, or on its way.
    #[must_use]
    pub fn stands(self) -> bool {
        match self {
            Self::Approved | Self::Accepted { .. } => true,
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
    pub at: String,
}
