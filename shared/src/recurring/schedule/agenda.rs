//! The lists on which a schedule is found when there is anything to do for it.
//!
//! | list | place within it | who is on it |
//! |---|---|---|
//! | `ready/{merchant}/{lane}` | target date, schedule | schedules that are open and have an item that is ready |
//! | `open/{run}/{lane}` | when to look next, schedule | those with an item that is being charged |
//! | `retry/{merchant}/{lane}` | time of the retry, schedule | those that are open and have an item that waits for one |
//!
//! One item at a time is charged: whoever is on the second is not on the third, but stays on the first, so that another
//! run sees that there is something to come back for.

use super::{Item, Processing, Schedule, State};
use crate::ids::MerchantId;
use crate::recurring::calendar::Date;
use crate::recurring::ids::RunId;
use crate::time::Timestamp;

/// A place on a list. Places sort as what is due first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub list: String,
    pub place: String,
}

/// On which lists a schedule is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agenda {
    /// What is to be charged.
    pub ready: Option<Place>,
    /// What is to be looked at again: it is being charged, or to be tried again.
    pub again: Option<Place>,
}

/// The list of what is ready.
pub fn ready_list(merchant: &MerchantId, lane: u8) -> String {
    format!("ready/{}/{lane:02}", merchant.as_str())
}

/// The list of what a run is charging.
pub fn open_list(run: RunId, lane: u8) -> String {
    format!("open/{}/{lane:02}", run.as_str())
}

/// The list of what is to be tried again.
pub fn retry_list(merchant: &MerchantId, lane: u8) -> String {
    format!("retry/{}/{lane:02}", merchant.as_str())
}

/// What every place of that day or an earlier one sorts before: `$` comes after the `#` that ends a date.
pub fn through_date(date: Date) -> String {
    format!("{date}$")
}

/// What every place of that time or an earlier one sorts before.
pub fn through_time(at: Timestamp) -> String {
    format!("{}$", millis(at))
}

/// A moment in a place: as many digits whenever it is, so that texts sort as moments do.
pub(crate) fn millis(at: Timestamp) -> String {
    format!("{:015}", at.as_millis().max(0))
}

impl Schedule {
    pub fn agenda(&self) -> Agenda {
        let (id, lane) = (self.id.id(), self.id.lane());
        let at = |list, place: String| Place { list, place: format!("{place}#{}", id.as_str()) };
        let ready = self.earliest_ready().map(|date| at(ready_list(&self.merchant, lane), date.to_string()));
        let again = match self.processing() {
            Some((item, Processing { due, .. })) => {
                item.tried_by.map(|tried| at(open_list(tried.run, lane), millis(due)))
            }
            None => self.earliest_retry().map(|time| at(retry_list(&self.merchant, lane), millis(time))),
        };
        Agenda { ready, again }
    }

    fn earliest_ready(&self) -> Option<Date> {
        let ready = self.items.iter().filter(|item| self.is_open() && item.state == State::Ready);
        ready.map(|item| item.target).min()
    }

    /// When a run must come that tries again; none while an item is being charged.
    pub fn earliest_retry(&self) -> Option<Timestamp> {
        if !self.is_open() || self.processing().is_some() {
            return None;
        }
        self.items.iter().filter_map(Item::retry).map(|retry| retry.at).min()
    }
}
