//! An item as the store sees it, and what it costs.

use std::collections::BTreeMap;

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    Text(String),
    Number(i64),
    Bytes(Vec<u8>),
    Flag(bool),
    List(Vec<Attribute>),
    Map(Item),
}

/// Named values. Ordered, so that the same payment is always the same item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item(pub BTreeMap<String, Attribute>);

/// Bytes of one write unit.
const WRITE_UNIT: usize = 1024;

/// What a list or map costs beside its members, and each member beside its value.
const CONTAINER: usize = 3;
const MEMBER: usize = 1;

impl Item {
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Attribute>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves the name out where there is no value.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Into<Attribute>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Leaves the name out where the flag is false.
    #[must_use]
    pub fn with_flag(self, name: &str, value: bool) -> Self {
        self.with_some(name, value.then_some(true))
    }

    /// The size by which the store bills, in bytes (DynamoDB Developer Guide, "item sizes and formats").
    pub fn size_bytes(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.size_bytes()).sum()
    }

    /// What writing it costs.
    pub fn write_units(&self) -> u64 {
        self.size_bytes().max(1).div_ceil(WRITE_UNIT) as u64
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some(Attribute::Text(text)) = self.0.get(name) { Some(text) } else { None }
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        if let Some(Attribute::Number(number)) = self.0.get(name) { Some(*number) } else { None }
    }
}

impl Attribute {
    fn size_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Number(number) => number_size(*number),
            Self::Bytes(bytes) => bytes.len(),
            Self::Flag(_) => 1,
            Self::List(list) => CONTAINER + list.iter().map(|value| MEMBER + value.size_bytes()).sum::<usize>(),
            Self::Map(map) => CONTAINER + MEMBER * map.0.len() + map.size_bytes(),
        }
    }
}

/// About one byte for two significant digits, and one more; one more again for a sign.
fn number_size(number: i64) -> usize {
    let digits = number.unsigned_abs().to_string();
    let significant = digits.trim_end_matches('0').len();
    1 + significant.div_ceil(2) + usize::from(number < 0)
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Attribute {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<i64> for Attribute {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Attribute {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Vec<u8>> for Attribute {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Vec<Attribute>> for Attribute {
    fn from(list: Vec<Attribute>) -> Self {
        Self::List(list)
    }
}

impl From<Item> for Attribute {
    fn from(item: Item) -> Self {
        Self::Map(item)
    }
}
