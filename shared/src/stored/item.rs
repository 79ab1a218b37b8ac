//! An item as the store sees it, and what it costs.

use std::borrow::Cow;
use std::cmp::Ordering;

/// What an attribute is called. Our own names are borrowed: writing an item allocates none of them.
pub type Name = Cow<'static, str>;

/// One value. Our own words are borrowed, as names are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    Text(Cow<'static, str>),
    Number(i64),
    Bytes(Vec<u8>),
    Flag(bool),
    List(Vec<Attribute>),
    Map(Item),
}

/// Named values. Ordered by name, so that the same payment is always the same item. An item has some
/// twenty attributes: to keep so few in order, a list is cheaper than a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item(Vec<(Name, Attribute)>);

/// Bytes of one write unit.
const WRITE_UNIT: usize = 1024;

/// As many attributes as most payments and operations have.
const ROOM: usize = 12;

/// What a list or map costs beside its members, and each member beside its value.
const CONTAINER: usize = 3;
const MEMBER: usize = 1;

impl Item {
    /// Empty, with the room that most items need, so that none grows while it is filled.
    pub fn new() -> Self {
        Self(Vec::with_capacity(ROOM))
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Attribute>) -> Self {
        self.insert(name, value);
        self
    }

    /// Leaves the name out where there is no value.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Into<Attribute>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Leaves the name out where the flag is false.
    #[must_use]
    pub fn with_flag(self, name: &'static str, value: bool) -> Self {
        self.with_some(name, value.then_some(true))
    }

    /// In the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Attribute)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    pub fn get(&self, name: &str) -> Option<&Attribute> {
        let (_, value) = self.0.get(self.place(name).ok()?)?;
        Some(value)
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut Attribute> {
        let place = self.place(name).ok()?;
        self.0.get_mut(place).map(|(_, value)| value)
    }

    /// Takes the place of the value that has this name already.
    pub fn insert(&mut self, name: impl Into<Name>, value: impl Into<Attribute>) {
        let (name, value) = (name.into(), value.into());
        match self.place(&name) {
            Ok(place) => self.0[place].1 = value,
            Err(place) => self.0.insert(place, (name, value)),
        }
    }

    pub fn remove(&mut self, name: &str) -> Option<Attribute> {
        let (_, value) = self.0.remove(self.place(name).ok()?);
        Some(value)
    }

    /// Where the name is, or else where it would be.
    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| compare(known, name))
    }

    /// The size by which the store bills, in bytes (DynamoDB Developer Guide, "item sizes and formats").
    pub fn size_bytes(&self) -> usize {
        self.iter().map(|(name, value)| name.len() + value.size_bytes()).sum()
    }

    /// What writing it costs.
    pub fn write_units(&self) -> u64 {
        self.size_bytes().max(1).div_ceil(WRITE_UNIT) as u64
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some(Attribute::Text(text)) = self.get(name) { Some(text) } else { None }
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        if let Some(Attribute::Number(number)) = self.get(name) { Some(*number) } else { None }
    }

    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        if let Some(Attribute::Bytes(bytes)) = self.get(name) { Some(bytes) } else { None }
    }

    /// The members of a list; none where there is no list.
    pub fn list(&self, name: &str) -> &[Attribute] {
        if let Some(Attribute::List(list)) = self.get(name) { list } else { &[] }
    }
}

/// The order of names. They are a letter or two, for which a loop is cheaper than a call that compares memory.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    left.bytes().cmp(right.bytes())
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
    let mut rest = number.unsigned_abs();
    while rest != 0 && rest.is_multiple_of(10) {
        rest /= 10;
    }
    let significant = rest.checked_ilog10().map_or(0, |below_first| below_first as usize + 1);
    1 + significant.div_ceil(2) + usize::from(number < 0)
}

impl FromIterator<(Name, Attribute)> for Item {
    fn from_iter<T: IntoIterator<Item = (Name, Attribute)>>(attributes: T) -> Self {
        let mut attributes: Vec<_> = attributes.into_iter().collect();
        attributes.sort_by(|(left, _), (right, _)| left.cmp(right));
        // As with insertion, the last of those that bear a name stays.
        attributes.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        Self(attributes)
    }
}

impl IntoIterator for Item {
    type Item = (Name, Attribute);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<&'static str> for Attribute {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&String> for Attribute {
    fn from(text: &String) -> Self {
        Self::Text(text.clone().into())
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
