//! What came after an operation's verdict, one map each.
//!
//! | attribute | holds |
//! |---|---|
//! | `i` `w` | the gateway's id of it, what it is |
//! | `a` `c` | how much, in minor units; the gateway's code |
//! | `t` | when it was heard |

use super::item::{Attribute, Item};
use super::reader::{Reader, Unreadable};
use crate::payment::sequel::{Heard, Sequel, What};

pub(super) fn encode(sequels: &[Heard]) -> Option<Vec<Attribute>> {
    let encode = |Heard { sequel, at }: &Heard| {
        Item::new()
            .with("i", &sequel.id)
            .with("w", sequel.what.name())
            .with_some("a", sequel.minor)
            .with_some("c", sequel.code.as_ref())
            .with("t", at.as_millis())
    };
    (!sequels.is_empty()).then(|| sequels.iter().map(|heard| Attribute::Map(encode(heard))).collect())
}

pub(super) fn decode(items: Vec<Item>) -> Result<Vec<Heard>, Unreadable> {
    items.into_iter().map(decode_one).collect()
}

fn decode_one(item: Item) -> Result<Heard, Unreadable> {
    let mut reader = Reader::new(item);
    let sequel = Sequel {
        id: reader.text("i")?,
        what: reader.parsed("w", |text| What::ALL.into_iter().find(|what| what.name() == text))?,
        minor: reader.maybe_number("a")?,
        code: reader.maybe_text("c")?,
    };
    Ok(Heard { sequel, at: reader.moment("t")? })
}
