//! What recurs, as items of one table.
//!
//! | attribute | of each of them |
//! |---|---|
//! | `pk` | merchant, and what it is: a schedule, a scheduler, a run, or a lane of one |
//! | `v` `f` | version, format |
//! | `d` | when somebody must look at it next; only then |
//! | `lt` `le` `xr` | not ours: as of a payment, written by whoever stores the item |
//!
//! Their own attributes are described where each is written, and what the [indexes](lists) are made of there. Like a
//! payment, each carries along the attributes that this version does not know.

mod criteria;
pub mod lane;
pub mod lists;
pub mod run;
pub mod schedule;
pub mod scheduler;
mod timing;

use super::item::Item;
use super::payment::{DUE, KEY, VERSION};
use super::reader::{Reader, Unreadable, strange};
use crate::ids::{ItemKey, MerchantId};
use crate::recurring::ids::RecurringKey;
use crate::time::Timestamp;

/// The format that this version reads and writes. There is no older one.
pub const FORMAT: i64 = 1;

/// What every item has.
struct Head {
    merchant: MerchantId,
    key: RecurringKey,
    version: u64,
    due: Option<Timestamp>,
}

impl Head {
    fn to_item(&self) -> Item {
        let Self { merchant, key, version, due } = self;
        Item::new()
            .with(KEY, ItemKey::Recurring(*merchant, *key).to_string())
            .with(VERSION, i64::try_from(*version).unwrap_or(i64::MAX))
            .with("f", FORMAT)
            .with_some(DUE, due.map(Timestamp::as_millis))
    }

    /// Takes it off an item, and what follows from the rest, whatever it is.
    fn take(reader: &mut Reader) -> Result<Self, Unreadable> {
        let format = reader.number("f")?;
        if format != FORMAT {
            return Err(Unreadable(format!("format {format} is not {FORMAT}, the one this version knows")));
        }
        let (merchant, key) = reader.parsed(KEY, |text| match ItemKey::parse(text)? {
            ItemKey::Recurring(merchant, key) => Some((merchant, key)),
            ItemKey::Payment(_) | ItemKey::Method(..) => None,
        })?;
        let version = u64::try_from(reader.number(VERSION)?).map_err(|_| strange(VERSION))?;
        for index in lists::Index::ALL {
            reader.maybe_word(index.list())?;
            reader.maybe_word(index.place())?;
        }
        Ok(Self { merchant, key, version, due: reader.maybe_moment(DUE)? })
    }
}

/// The item under this key is something else.
fn another(what: &str) -> Unreadable {
    Unreadable(format!("this is the key of no {what}"))
}
