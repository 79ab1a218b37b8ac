//! Our items as DynamoDB's, and back.
//!
//! The way out always succeeds. On the way back an attribute may be of a kind that we have no shape for:
//! a null, a set, a number that is no `i64`. Nothing we write is, and carrying on without it would lose it
//! with the next write, so the whole item is refused.

use std::error::Error;
use std::fmt;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use kessai_shared::stored::{Attribute, Item};

/// An item as the SDK has it.
#[expect(clippy::disallowed_types, reason = "the SDK's own type; what becomes of it is ordered")]
pub(super) type Attributes = std::collections::HashMap<String, AttributeValue>;

/// An attribute that we have no shape for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Foreign {
    /// The way to it: a name after each dot, a place in each pair of brackets.
    path: String,
    kind: &'static str,
}

impl Foreign {
    fn new(kind: &'static str) -> Self {
        Self { path: String::new(), kind }
    }

    fn within(self, outer: &str) -> Self {
        Self { path: format!("{outer}{}", self.path), ..self }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "attribute {} holds {}, which this version cannot keep", self.path, self.kind)
    }
}

impl Error for Foreign {}

pub(super) fn to_attributes(item: Item) -> Attributes {
    item.into_iter().map(|(name, value)| (name.into_owned(), to_attribute_value(value))).collect()
}

fn to_attribute_value(value: Attribute) -> AttributeValue {
    match value {
        Attribute::Text(text) => AttributeValue::S(text.into_owned()),
        Attribute::Number(number) => AttributeValue::N(number.to_string()),
        Attribute::Bytes(bytes) => AttributeValue::B(Blob::new(bytes)),
        Attribute::Flag(flag) => AttributeValue::Bool(flag),
        Attribute::List(list) => AttributeValue::L(list.into_iter().map(to_attribute_value).collect()),
        Attribute::Map(map) => AttributeValue::M(to_attributes(map)),
    }
}

/// Items are nested 32 levels deep at most, by DynamoDB's limit, so recursion is safe.
pub(super) fn to_item(attributes: Attributes) -> Result<Item, Foreign> {
    let convert = |(name, value): (String, _)| {
        let value = to_attribute(value).map_err(|foreign| foreign.within(&name))?;
        Ok((name.into(), value))
    };
    attributes.into_iter().map(convert).collect()
}

fn to_attribute(value: AttributeValue) -> Result<Attribute, Foreign> {
    match value {
        AttributeValue::S(text) => Ok(Attribute::Text(text.into())),
        AttributeValue::N(digits) => {
            digits.parse().map(Attribute::Number).map_err(|_| Foreign::new("a number that is no i64"))
        }
        AttributeValue::B(bytes) => Ok(Attribute::Bytes(bytes.into_inner())),
        AttributeValue::Bool(flag) => Ok(Attribute::Flag(flag)),
        AttributeValue::L(list) => to_list(list).map(Attribute::List),
        AttributeValue::M(map) => to_item(map).map(Attribute::Map).map_err(|foreign| foreign.within(".")),
        AttributeValue::Null(_) => Err(Foreign::new("a null")),
        AttributeValue::Ss(_) | AttributeValue::Ns(_) | AttributeValue::Bs(_) => Err(Foreign::new("a set")),
        // The enum is the SDK's, and open.
        _ => Err(Foreign::new("a kind unknown to the SDK")),
    }
}

fn to_list(list: Vec<AttributeValue>) -> Result<Vec<Attribute>, Foreign> {
    let convert = |(place, value)| to_attribute(value).map_err(|foreign| foreign.within(&format!("[{place}]")));
    list.into_iter().enumerate().map(convert).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(digits: &str) -> AttributeValue {
        AttributeValue::N(digits.to_owned())
    }

    #[test]
    fn an_attribute_without_a_shape_is_named() {
        let within = |value| {
            let map = AttributeValue::M(Attributes::from([("deep".to_owned(), value)]));
            AttributeValue::L(vec![number("1"), map])
        };
        let rows = [
            (AttributeValue::Null(true), "attribute new holds a null"),
            (AttributeValue::Ss(vec!["a".to_owned()]), "attribute new holds a set"),
            (AttributeValue::Ns(vec!["1".to_owned()]), "attribute new holds a set"),
            (AttributeValue::Bs(vec![Blob::new("a")]), "attribute new holds a set"),
            (number("1.5"), "attribute new holds a number that is no i64"),
            (number("9223372036854775808"), "attribute new holds a number that is no i64"),
            (within(AttributeValue::Null(true)), "attribute new[1].deep holds a null"),
        ];
        for (value, message) in rows {
            let attributes = Attributes::from([("pk".to_owned(), number("1")), ("new".to_owned(), value)]);
            let foreign = to_item(attributes).unwrap_err().to_string();
            assert_eq!(foreign, format!("{message}, which this version cannot keep"));
        }
    }
}
