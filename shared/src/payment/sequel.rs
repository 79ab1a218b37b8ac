//! What a gateway tells of an operation after its verdict: that it did not stand after all, or that its buyer disputes
//! it.
//!
//! A sequel is a fact of its own. It is kept beside the operation, once, in whatever order sequels come; what the
//! operation was settled to never changes by it, but what is left does ([`balance`](super::balance)). One that comes
//! before the verdict waits for it: only what was approved can fail afterwards, or be disputed.

use super::{Operation, State, Verdict};
use crate::money::{Currency, Money};
use crate::time::Timestamp;

/// Sequels that one operation may have. A dispute has four stages, and few operations have two disputes.
pub const MAX_SEQUELS: usize = 16;

/// The same of a whole payment: all of them, and the events of them, must fit into its item.
pub const MAX_SEQUELS_OF_ALL: usize = 128;

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
        // Nothing is about less than something.
        let minor = self.minor.filter(|minor| *minor > 0);
        Self { id: cut(self.id), code: self.code.map(mask), minor, ..self }
    }

    /// The same for a payment of this currency. What is told of an amount in another is told of no amount: nobody can say
    /// how much of the payment that is.
    #[must_use]
    pub fn counted_in(self, currency: Currency, said: Option<Money>) -> Self {
        let is_another = said.is_some_and(|said| said.currency != currency);
        Self { minor: self.minor.filter(|_| !is_another), ..self }
    }
}

impl Operation {
    /// Whether it was approved and did not stand.
    pub fn has_failed_since(&self) -> bool {
        self.sequels.iter().any(|heard| heard.sequel.what == What::Failed)
    }

    /// What its buyers' banks have taken back of it: of each dispute what its greatest stage says, and never more than
    /// all of it.
    pub fn charged_back(&self) -> Money {
        let taken = self.sequels.iter().filter_map(|Heard { sequel, .. }| {
            let What::Dispute(stage) = sequel.what else { return None };
            let of_it = |heard: &&Heard| heard.sequel.id == sequel.id;
            let is_last = self.sequels.iter().filter(of_it).all(|heard| heard.sequel.what.stage() <= Some(stage));
            is_last.then(|| self.taken_by(&sequel.id, stage))
        });
        let minor = taken.fold(0_i64, i64::saturating_add);
        self.amount.with(minor.clamp(0, self.amount.minor))
    }

    /// What a dispute at this stage has taken.
    fn taken_by(&self, dispute: &str, last: Stage) -> i64 {
        let all = self.amount.minor;
        // What is said of no amount is said of all of it.
        let amount = |stage: Stage| {
            let is_it = |heard: &&Heard| heard.sequel.id == dispute && heard.sequel.what == What::Dispute(stage);
            let said = self.sequels.iter().find(is_it).map(|heard| heard.sequel.minor.unwrap_or(all));
            said.map(|minor| minor.clamp(0, all))
        };
        match last {
            Stage::Opened => 0,
            Stage::ChargedBack | Stage::Lost => amount(last).unwrap_or(all),
            Stage::Reversed => {
                let taken = amount(Stage::ChargedBack).unwrap_or_default();
                taken.saturating_sub(amount(Stage::Reversed).unwrap_or(all)).max(0)
            }
        }
    }

    /// `room`: whether the payment has room for one more.
    pub(super) fn follow(&mut self, sequel: &Sequel, room: bool, now: Timestamp) -> Taken {
        let is_same = |known: &Heard| known.sequel.id == sequel.id && known.sequel.what == sequel.what;
        if self.sequels.iter().any(is_same) {
            return Taken::Known;
        }
        if self.sequels.len() >= MAX_SEQUELS || !room {
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
