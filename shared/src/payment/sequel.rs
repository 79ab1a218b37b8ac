//! What a gateway tells of an operation after its verdict: that it did not stand after all, or that its buyer disputes
//! it.
//!
//! A sequel is a fact of its own. It is kept beside the operation, once, in whatever order sequels come; what the
//! operation was settled to never changes by it, but what is left does ([`balance`](super::balance)). One that comes
//! before the verdict waits for it: only what was approved can fail afterwards, or be disputed.

use super::{Operation, State, Verdict};
use crate::money::Money;
use crate::time::Timestamp;

/// Sequels that one operation may have. A dispute has four stages, and few operations have two disputes.
pub const MAX_SEQUELS: usize = 32;

/// Characters of the gateway's id of a sequel, and of its code.
const ID: usize = 64;

/// Something that came after the verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequel {
    /// The gateway's id of it: of the dispute, or of the failure. The same id tells the same thing again.
    pub id: String,
    pub what: What,
    /// How much of the operation it is about; none where that is all of it.
    pub minor: Option<i64>,
    /// The gateway's own code.
    pub code: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It was approved, and did not stand.
    Failed,
    Dispute(Stage),
}

/// How far a dispute has come. A later stage is greater: of several that were told the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Announced: no money has moved.
    Opened,
    /// The money was taken back.
    ChargedBack,
    /// It was given again.
    Reversed,
    /// It was taken back for good.
    Lost,
}

impl What {
    pub const ALL: [Self; 5] = [
        Self::Failed,
        Self::Dispute(Stage::Opened),
        Self::Dispute(Stage::ChargedBack),
        Self::Dispute(Stage::Reversed),
        Self::Dispute(Stage::Lost),
    ];

    /// As the store and the log have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Dispute(Stage::Opened) => "dispute.opened",
            Self::Dispute(Stage::ChargedBack) => "dispute.charged_back",
            Self::Dispute(Stage::Reversed) => "dispute.reversed",
            Self::Dispute(Stage::Lost) => "dispute.lost",
        }
    }
}

/// A sequel, and when it was heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub sequel: Sequel,
    pub at: Timestamp,
}

/// What came of a sequel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was known.
    Known,
    New,
    /// It is about something that never took effect, or there is no room for it.
    Strange,
}

impl Sequel {
    /// As it may rest.
    #[must_use]
    pub fn within_limits(self) -> Self {
        let cut = |text: String| text.chars().take(ID).collect::<String>();
        let mask = |text| cut(super::outcome::mask_card_numbers(text));
        Self { id: cut(self.id), code: self.code.map(mask), ..self }
    }
}

impl Operation {
    /// Whether it was approved and did not stand.
    pub fn has_failed_since(&self) -> bool {
        self.sequels.iter().any(|heard| heard.sequel.what == What::Failed)
    }

    /// What its buyer's bank has taken back of it, in minor units.
    pub fn charged_back(&self) -> Money {
        let disputes = self.sequels.iter().filter_map(|heard| match heard.sequel.what {
            What::Dispute(stage) => Some((stage, &heard.sequel)),
            What::Failed => None,
        });
        let is_last = |stage: Stage, id: &str| {
            let later = |heard: &Heard| heard.sequel.id == id && heard.sequel.what.stage() > Some(stage);
            !self.sequels.iter().any(later)
        };
        let taken = disputes.filter(|(stage, sequel)| match stage {
            Stage::ChargedBack | Stage::Lost => is_last(*stage, &sequel.id),
            Stage::Opened | Stage::Reversed => false,
        });
        let minor = taken.fold(0_i64, |sum, (_, sequel)| sum.saturating_add(sequel.minor.unwrap_or(self.amount.minor)));
        self.amount.with(minor)
    }

    pub(super) fn follow(&mut self, sequel: &Sequel, now: Timestamp) -> Taken {
        let is_same = |known: &Heard| known.sequel.id == sequel.id && known.sequel.what == sequel.what;
        if self.sequels.iter().any(is_same) {
            return Taken::Known;
        }
        if self.sequels.len() >= MAX_SEQUELS {
            return Taken::Strange;
        }
        self.sequels.push(Heard { sequel: sequel.clone(), at: now });
        match &self.state {
            State::Settled(settled) if settled.verdict != Verdict::Approved => Taken::Strange,
            State::Open(_) | State::Unsent | State::Accepted(_) | State::Settled(_) => Taken::New,
        }
    }
}

impl What {
    fn stage(self) -> Option<Stage> {
        match self {
            Self::Failed => None,
            Self::Dispute(stage) => Some(stage),
        }
    }
}
