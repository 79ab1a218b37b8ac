//! What a schedule's items come to, in minor units.
//!
//! The sums are those that the wire documents for its record, with the items that are no longer kept. What is canceled
//! stays among what was requested, as it does there; but it gives back what it took from the total: who cancels an item
//! that failed may ask for it anew.

use std::time::Duration;

use super::{Item, KEPT, Past, Schedule, State, Status};
use crate::ids::MethodId;
use crate::recurring::ids::RunId;
use crate::time::Timestamp;

/// After so long whoever tried an item has counted it ([`crate::recurring::run`]).
const COUNTED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// What all items ever asked for.
    pub requested: i64,
    /// `TotalProcessedAmount`: what was taken.
    pub processed: i64,
    /// `TotalCanceledAmount`: what canceled items asked for.
    pub canceled: i64,
    /// `TotalRequestedAmount`: what the items may come to; of a schedule that has no such limit, what they come to.
    pub total_requested: i64,
}

impl Amounts {
    /// `TotalPaymentScheduleItemAmount`: what was requested and not canceled.
    pub fn items(self) -> i64 {
        self.requested.saturating_sub(self.canceled)
    }

    /// `AvailableRequestedAmount`: the total less whatever was requested, canceled or not. Below 0 where an item was
    /// canceled and asked for anew.
    pub fn available(self) -> i64 {
        self.total_requested.saturating_sub(self.requested)
    }

    /// `RemainingAmountToBeProcessed`: what was requested, canceled or not, less what was taken.
    pub fn remaining(self) -> i64 {
        self.requested.saturating_sub(self.processed)
    }
}

impl Item {
    /// What was taken.
    pub fn processed_amount(&self) -> i64 {
        if let State::Processed { .. } = self.state { self.amount } else { 0 }
    }

    /// What it is not charged for any more.
    pub fn canceled_amount(&self) -> i64 {
        if let State::Canceled { .. } = self.state { self.amount } else { 0 }
    }
}

impl Past {
    fn with(self, item: &Item) -> Self {
        Self {
            items: self.items.saturating_add(1),
            requested: self.requested.saturating_add(item.amount),
            processed: self.processed.saturating_add(item.processed_amount()),
            canceled: self.canceled.saturating_add(item.canceled_amount()),
        }
    }
}

impl Schedule {
    pub fn amounts(&self) -> Amounts {
        let Past { requested, processed, canceled, .. } = self.items.iter().fold(self.past, Past::with);
        let total_requested = self.total_requested.unwrap_or(requested);
        Amounts { requested, processed, canceled, total_requested }
    }

    /// How much more items may ask for; none where there is no limit.
    pub fn left(&self) -> Option<i64> {
        self.total_requested.map(|total| total.saturating_sub(self.amounts().items()))
    }

    /// How many items there ever were.
    pub fn item_count(&self) -> u64 {
        u64::from(self.past.items).saturating_add(self.items.len() as u64)
    }

    /// The items that are past due: they failed, and are not tried again.
    pub fn past_due(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| matches!(item.state, State::Failed { retry: None, .. }))
    }

    /// Nothing is left to do.
    pub(super) fn has_ended(&self) -> bool {
        let recurs = self.recurrence.as_ref().is_some_and(|recurrence| recurrence.next.is_some());
        !recurs && self.items.iter().all(|item| item.state.ended_at().is_some())
    }

    /// Only counts the oldest of the items that ended, and keeps the last [`KEPT`]; also those that may yet be counted by
    /// whoever tried them: all of the last day, and whatever `run` tried, which is going on.
    pub(super) fn fold(&mut self, run: Option<RunId>, now: Timestamp) {
        let ended = self.items.iter().filter(|item| item.state.ended_at().is_some()).count();
        let mut surplus = ended.saturating_sub(KEPT);
        let mut past = self.past;
        self.items.retain(|item| {
            let Some(at) = item.state.ended_at() else { return true };
            let is_counted = item.tried_by.is_none_or(|tried| Some(tried.run) != run && now >= at.plus(COUNTED_AFTER));
            if surplus == 0 || !is_counted {
                return true;
            }
            surplus = surplus.saturating_sub(1);
            past = past.with(item);
            false
        });
        self.past = past;
    }

    pub(super) fn is_open(&self) -> bool {
        self.status == Status::Open
    }

    /// What an item is paid with now.
    pub fn method_of(&self, item: &Item) -> MethodId {
        item.method.unwrap_or(self.method)
    }
}
