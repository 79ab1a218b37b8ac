//! What a newer version of Kessai stored of a merchant and of what it has set up, and this one cannot read: it is written
//! back as it was, so that a change made by this version takes nothing of it away.

use std::collections::BTreeMap;

use super::item::{Attribute, Item};
use super::payment::carry;
use super::reader::Reader;

/// Attributes that this version does not know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    merchant: Item,
    /// Of the things in the merchant's lists, by list and id.
    things: BTreeMap<&'static str, BTreeMap<String, Item>>,
}

impl Unread {
    /// Everything known of the merchant was taken.
    pub(super) fn keep(&mut self, left: Reader) {
        self.merchant = left.rest();
    }

    /// Everything known of this thing in a list was taken.
    pub(super) fn keep_of(&mut self, list: &'static str, id: &str, left: Reader) {
        let left = left.rest();
        if left.iter().next().is_some() {
            self.things.entry(list).or_default().insert(id.to_owned(), left);
        }
    }

    /// The merchant's item with what was kept. What is there no more comes back by none of it.
    pub(super) fn carried(&self, mut item: Item) -> Item {
        for (list, kept) in &self.things {
            let Some(Attribute::List(things)) = item.get_mut(list) else { continue };
            for thing in things {
                let Attribute::Map(known) = thing else { continue };
                if let Some(kept) = known.text("id").and_then(|id| kept.get(id)) {
                    *known = carry(std::mem::take(known), kept);
                }
            }
        }
        carry(item, &self.merchant)
    }
}
