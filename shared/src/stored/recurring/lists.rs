//! Lists of what recurs. An item that is on one carries the list and its place there, and an index has both; so it is on
//! a list exactly as long as what is written says so, and there are no lists to be kept.
//!
//! | attributes | index | list | place |
//! |---|---|---|---|
//! | `li` `la` | `agenda` | `ready/{merchant}/{lane}`: schedules with something to charge | the day of the first of it |
//! | | | `active/{merchant}`: schedulers that start runs | when it was made |
//! | `ri` `ra` | `again` | `open/{run}/{lane}`: schedules of which an item is being charged | when to look at it |
//! | | | `retry/{merchant}/{lane}`: schedules of which an item is to be tried again | when |
//! | `of` `on` | `all` | `{merchant}/schedulers`, `{merchant}/runs`, `{merchant}/schedules/{account}` | when it was made |
//!
//! Behind a `#` each place ends in the id, so that no two are the same. A moment is its milliseconds in fifteen digits:
//! texts sort as moments do.

use super::super::item::Item;
use crate::ids::{Id, MerchantId, short_form};
use crate::payment::asked::AccountId;
use crate::recurring::ids::RunId;
use crate::recurring::schedule::agenda::{millis, open_list, ready_list, retry_list};
use crate::time::Timestamp;

/// The moment of a place that is one.
pub fn moment(place: &str) -> Option<Timestamp> {
    place.split_once('#')?.0.parse().ok().map(Timestamp::from_millis)
}

/// An index of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index {
    Agenda,
    Again,
    Of,
}

impl Index {
    pub const ALL: [Self; 3] = [Self::Agenda, Self::Again, Self::Of];

    pub fn name(self) -> &'static str {
        match self {
            Self::Agenda => "agenda",
            Self::Again => "again",
            Self::Of => "all",
        }
    }

    /// The attribute that says on which list an item is.
    pub fn list(self) -> &'static str {
        match self {
            Self::Agenda => "li",
            Self::Again => "ri",
            Self::Of => "of",
        }
    }

    /// The attribute that says where on it.
    pub fn place(self) -> &'static str {
        match self {
            Self::Agenda => "la",
            Self::Again => "ra",
            Self::Of => "on",
        }
    }
}

/// A list, and the index that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    pub index: Index,
    pub name: String,
}

impl List {
    /// Schedules with something to charge, by the first day that it is meant for.
    pub fn ready(merchant: &MerchantId, lane: u8) -> Self {
        Self { index: Index::Agenda, name: ready_list(merchant, lane) }
    }

    /// Schedules of which a run is charging an item, by when to look at it.
    pub fn open(run: RunId, lane: u8) -> Self {
        Self { index: Index::Again, name: open_list(run, lane) }
    }

    /// Schedules of which an item is to be tried again, by when.
    pub fn retries(merchant: &MerchantId, lane: u8) -> Self {
        Self { index: Index::Again, name: retry_list(merchant, lane) }
    }

    /// Schedulers that start runs, by when they were made.
    pub fn active_schedulers_of(merchant: &MerchantId) -> Self {
        Self { index: Index::Agenda, name: format!("active/{}", merchant.as_str()) }
    }

    pub fn schedulers_of(merchant: &MerchantId) -> Self {
        Self { index: Index::Of, name: format!("{}/schedulers", merchant.as_str()) }
    }

    pub fn runs_of(merchant: &MerchantId) -> Self {
        Self { index: Index::Of, name: format!("{}/runs", merchant.as_str()) }
    }

    /// Those of an account, whether its id has 15 characters or 18; those that belong to none.
    pub fn schedules_of(merchant: &MerchantId, account: Option<&AccountId>) -> Self {
        let account = account.map(|account| format!("/{}", short_form(account.as_str()))).unwrap_or_default();
        Self { index: Index::Of, name: format!("{}/schedules{account}", merchant.as_str()) }
    }

    /// The place of something made then on a list of what a merchant has.
    pub fn made_at(at: Timestamp, id: Id) -> String {
        format!("{}#{}", millis(at), id.as_str())
    }

    /// The item, on this list at that place.
    pub(super) fn with(self, mut item: Item, place: String) -> Item {
        let Self { index, name } = self;
        item.insert(index.list(), name);
        item.insert(index.place(), place);
        item
    }
}
