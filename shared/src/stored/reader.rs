//! Takes an item apart by name, so that what is left over is what nobody asked for.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use super::item::{Attribute, Item, Name, compare};
use crate::time::Timestamp;

/// A stored item that this version cannot read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl fmt::Display for Unreadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "stored item: {}", self.0)
    }
}

impl Error for Unreadable {}

/// The attributes of an item; none where one was taken. In the order of their names, as in the item.
pub(super) struct Reader(Vec<(Name, Option<Attribute>)>);

impl Reader {
    pub(super) fn new(item: Item) -> Self {
        Self(item.into_iter().map(|(name, value)| (name, Some(value))).collect())
    }

    /// What was not taken.
    pub(super) fn rest(self) -> Item {
        self.0.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    pub(super) fn maybe_text(&mut self, name: &str) -> Result<Option<String>, Unreadable> {
        Ok(self.maybe_word(name)?.map(Cow::into_owned))
    }

    /// A text that is compared or parsed, and not kept.
    pub(super) fn maybe_word(&mut self, name: &str) -> Result<Option<Cow<'static, str>>, Unreadable> {
        self.take(name, "text", |value| if let Attribute::Text(text) = value { Some(text) } else { None })
    }

    pub(super) fn maybe_number(&mut self, name: &str) -> Result<Option<i64>, Unreadable> {
        self.take(name, "a number", |value| if let Attribute::Number(number) = value { Some(number) } else { None })
    }

    pub(super) fn maybe_bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, Unreadable> {
        self.take(name, "bytes", |value| if let Attribute::Bytes(bytes) = value { Some(bytes) } else { None })
    }

    pub(super) fn maybe_map(&mut self, name: &str) -> Result<Option<Item>, Unreadable> {
        self.take(name, "a map", |value| if let Attribute::Map(map) = value { Some(map) } else { None })
    }

    pub(super) fn maybe_moment(&mut self, name: &str) -> Result<Option<Timestamp>, Unreadable> {
        Ok(self.maybe_number(name)?.map(Timestamp::from_millis))
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<bool, Unreadable> {
        Ok(self.maybe_flag(name)?.unwrap_or(false))
    }

    pub(super) fn maybe_flag(&mut self, name: &str) -> Result<Option<bool>, Unreadable> {
        self.take(name, "a flag", |value| if let Attribute::Flag(flag) = value { Some(flag) } else { None })
    }

    /// The maps in a list; none where there is no list.
    pub(super) fn maps(&mut self, name: &str) -> Result<Vec<Item>, Unreadable> {
        let list =
            self.take(name, "a list", |value| if let Attribute::List(list) = value { Some(list) } else { None })?;
        let as_map = |value| {
            if let Attribute::Map(map) = value { Ok(map) } else { Err(Unreadable(format!("{name} must hold maps"))) }
        };
        list.unwrap_or_default().into_iter().map(as_map).collect()
    }

    /// The texts in a list; none where there is no list.
    pub(super) fn words(&mut self, name: &str) -> Result<Vec<String>, Unreadable> {
        let list =
            self.take(name, "a list", |value| if let Attribute::List(list) = value { Some(list) } else { None })?;
        let as_text = |value| {
            if let Attribute::Text(text) = value {
                Ok(text.into_owned())
            } else {
                Err(Unreadable(format!("{name} must hold texts")))
            }
        };
        list.unwrap_or_default().into_iter().map(as_text).collect()
    }

    /// The numbers in a list; none where there is no list.
    pub(super) fn numbers(&mut self, name: &str) -> Result<Vec<i64>, Unreadable> {
        let list =
            self.take(name, "a list", |value| if let Attribute::List(list) = value { Some(list) } else { None })?;
        let as_number = |value| {
            if let Attribute::Number(number) = value {
                Ok(number)
            } else {
                Err(Unreadable(format!("{name} must hold numbers")))
            }
        };
        list.unwrap_or_default().into_iter().map(as_number).collect()
    }

    /// The texts in a map; none where there is no map.
    pub(super) fn texts(&mut self, name: &str) -> Result<BTreeMap<String, String>, Unreadable> {
        let as_text = |(name, value): (Name, _)| {
            if let Attribute::Text(text) = value {
                Ok((name.into_owned(), text.into_owned()))
            } else {
                Err(wrong(&name, "text"))
            }
        };
        self.maybe_map(name)?.unwrap_or_default().into_iter().map(as_text).collect()
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String, Unreadable> {
        self.maybe_text(name)?.ok_or_else(|| missing(name))
    }

    pub(super) fn word(&mut self, name: &str) -> Result<Cow<'static, str>, Unreadable> {
        self.maybe_word(name)?.ok_or_else(|| missing(name))
    }

    pub(super) fn number(&mut self, name: &str) -> Result<i64, Unreadable> {
        self.maybe_number(name)?.ok_or_else(|| missing(name))
    }

    /// A count.
    pub(super) fn small(&mut self, name: &str) -> Result<u32, Unreadable> {
        u32::try_from(self.number(name)?).map_err(|_| strange(name))
    }

    pub(super) fn maybe_small(&mut self, name: &str) -> Result<Option<u32>, Unreadable> {
        self.maybe_number(name)?.map(|number| u32::try_from(number).map_err(|_| strange(name))).transpose()
    }

    /// A hash.
    pub(super) fn sixteen(&mut self, name: &str) -> Result<[u8; 16], Unreadable> {
        let bytes = self.maybe_bytes(name)?.ok_or_else(|| missing(name))?;
        bytes.try_into().map_err(|_| Unreadable(format!("{name} must be 16 bytes")))
    }

    pub(super) fn moment(&mut self, name: &str) -> Result<Timestamp, Unreadable> {
        self.number(name).map(Timestamp::from_millis)
    }

    pub(super) fn map(&mut self, name: &str) -> Result<Item, Unreadable> {
        self.maybe_map(name)?.ok_or_else(|| missing(name))
    }

    /// A text that stands for something.
    pub(super) fn parsed<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Unreadable> {
        let text = self.word(name)?;
        parse(&text).ok_or_else(|| strange(name))
    }

    pub(super) fn maybe_parsed<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Unreadable> {
        let text = self.maybe_word(name)?;
        text.map(|text| parse(&text).ok_or_else(|| strange(name))).transpose()
    }

    fn take<T>(
        &mut self,
        name: &str,
        what: &str,
        convert: impl Fn(Attribute) -> Option<T>,
    ) -> Result<Option<T>, Unreadable> {
        let place = self.0.binary_search_by(|(known, _)| compare(known, name)).ok();
        let value = place.and_then(|place| self.0.get_mut(place)?.1.take());
        value.map(|value| convert(value).ok_or_else(|| wrong(name, what))).transpose()
    }
}

fn wrong(name: &str, what: &str) -> Unreadable {
    Unreadable(format!("{name} must be {what}"))
}

fn missing(name: &str) -> Unreadable {
    Unreadable(format!("{name} is missing"))
}

/// The value itself may be a caller's, and what cannot be read is logged.
pub(super) fn strange(name: &str) -> Unreadable {
    Unreadable(format!("{name} has a value that this version does not know"))
}
