//! Takes an item apart by name, so that what is left over is what nobody asked for.

use std::error::Error;
use std::fmt;

use super::item::{Attribute, Item};
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

pub(super) struct Reader(Item);

impl Reader {
    pub(super) fn new(item: Item) -> Self {
        Self(item)
    }

    /// What was not taken.
    pub(super) fn rest(self) -> Item {
        self.0
    }

    /// Every name in it.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.0.keys().cloned().collect()
    }

    pub(super) fn maybe_text(&mut self, name: &str) -> Result<Option<String>, Unreadable> {
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
        let flag =
            self.take(name, "a flag", |value| if let Attribute::Flag(flag) = value { Some(flag) } else { None })?;
        Ok(flag.unwrap_or(false))
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

    pub(super) fn text(&mut self, name: &str) -> Result<String, Unreadable> {
        self.maybe_text(name)?.ok_or_else(|| missing(name))
    }

    pub(super) fn number(&mut self, name: &str) -> Result<i64, Unreadable> {
        self.maybe_number(name)?.ok_or_else(|| missing(name))
    }

    pub(super) fn moment(&mut self, name: &str) -> Result<Timestamp, Unreadable> {
        self.number(name).map(Timestamp::from_millis)
    }

    pub(super) fn map(&mut self, name: &str) -> Result<Item, Unreadable> {
        self.maybe_map(name)?.ok_or_else(|| missing(name))
    }

    /// A text that stands for something.
    pub(super) fn parsed<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Unreadable> {
        let text = self.text(name)?;
        parse(&text).ok_or_else(|| strange(name, &text))
    }

    pub(super) fn maybe_parsed<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Unreadable> {
        let text = self.maybe_text(name)?;
        text.map(|text| parse(&text).ok_or_else(|| strange(name, &text))).transpose()
    }

    fn take<T>(
        &mut self,
        name: &str,
        what: &str,
        convert: impl Fn(Attribute) -> Option<T>,
    ) -> Result<Option<T>, Unreadable> {
        let value = self.0.0.remove(name);
        value.map(|value| convert(value).ok_or_else(|| Unreadable(format!("{name} must be {what}")))).transpose()
    }
}

fn missing(name: &str) -> Unreadable {
    Unreadable(format!("{name} is missing"))
}

pub(super) fn strange(name: &str, text: &str) -> Unreadable {
    Unreadable(format!("{name} is {text:?}, which this version does not know"))
}
