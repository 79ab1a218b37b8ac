//! Lists of what recurs. An item that is on one carries the list and its place there, and an index has both; so it is on
//! a list exactly as long as what is written says so, and there are no lists to be kept.
//!
//! | attributes | index | list | place |
//! |---|---|---|---|
//! | `li` `la` | `agenda` | `ready/{merchant}/{lane}`: schedules with something to charge | the day of the first of it |
//! | | | `open/{run}/{lane}`: schedules of which an item is being charged | when to look at it |
//! | `ri` `ra` | `again` | `retry/{merchant}/{lane}`: schedules of which an item is to be tried again | when |
//! | `of` `on` | `of` | `{merchant}/schedulers`, `{merchant}/runs`, `{merchant}/schedules/{account}` | when it was made |
//!
//! Behind a `#` each place ends in the id, so that no two are the same. A moment is its milliseconds in fifteen digits:
//! texts sort as moments do.

use super::super::item::Item;
use crate::ids::{Id, MerchantId, short_form};
use crate::payment::asked::AccountId;
use crate::time::Timestamp;

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
            Self::Of => "of",
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

/// Where something is on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub index: Index,
    pub list: String,
    pub place: String,
}

impl Entry {
    /// Among a merchant's others of its kind, in the order in which they were made.
    pub(super) fn made(list: String, at: Timestamp, id: Id) -> Self {
        Self { index: Index::Of, list, place: format!("{:015}#{}", at.as_millis().max(0), id.as_str()) }
    }

    pub(super) fn onto(self, mut item: Item) -> Item {
        let Self { index, list, place } = self;
        item.insert(index.list(), list);
        item.insert(index.place(), place);
        item
    }
}

/// The list of a merchant's schedulers.
pub fn schedulers_of(merchant: &MerchantId) -> String {
    format!("{}/schedulers", merchant.as_str())
}

/// The list of a merchant's runs.
pub fn runs_of(merchant: &MerchantId) -> String {
    format!("{}/runs", merchant.as_str())
}

/// The list of an account's schedules, whether its id has 15 characters or 18; of those that belong to none.
pub fn schedules_of(merchant: &MerchantId, account: Option<&AccountId>) -> String {
    let account = account.map(|account| format!("/{}", short_form(account.as_str()))).unwrap_or_default();
    format!("{}/schedules{account}", merchant.as_str())
}
