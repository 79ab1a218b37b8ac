//! Which items a run charges, as a map.
//!
//! | attribute | holds |
//! |---|---|
//! | `no` | no filter may hold; where it is not there, one must |
//! | `fs` | the filters, one map each: `o` operation, `v` value, `s` sequence |

use crate::recurring::scheduler::{Criteria, Filter, FilterOperation, Matches};
use crate::stored::item::{Attribute, Item};
use crate::stored::reader::{Reader, Unreadable, strange};

/// None where every item is charged.
pub(super) fn encode(criteria: &Criteria) -> Option<Item> {
    let Criteria { matches, filters } = criteria;
    let filters: Vec<_> = filters.iter().map(|filter| Attribute::Map(encode_filter(filter))).collect();
    (*criteria != Criteria::default()).then(|| {
        Item::new().with_flag("no", *matches == Matches::None).with_some("fs", (!filters.is_empty()).then_some(filters))
    })
}

pub(super) fn decode(item: Option<Item>) -> Result<Criteria, Unreadable> {
    let Some(item) = item else { return Ok(Criteria::default()) };
    let mut reader = Reader::new(item);
    Ok(Criteria {
        matches: if reader.flag("no")? { Matches::None } else { Matches::Any },
        filters: reader.maps("fs")?.into_iter().map(decode_filter).collect::<Result<_, _>>()?,
    })
}

fn encode_filter(filter: &Filter) -> Item {
    let Filter { operation, value, sequence } = filter;
    Item::new().with("o", name(*operation)).with("v", value).with("s", i64::from(*sequence))
}

fn decode_filter(item: Item) -> Result<Filter, Unreadable> {
    const OPERATIONS: [FilterOperation; 3] =
        [FilterOperation::Equals, FilterOperation::NotEquals, FilterOperation::InList];
    let mut reader = Reader::new(item);
    Ok(Filter {
        operation: reader.parsed("o", |text| OPERATIONS.into_iter().find(|known| name(*known) == text))?,
        value: reader.text("v")?,
        sequence: u16::try_from(reader.number("s")?).map_err(|_| strange("s"))?,
    })
}

fn name(operation: FilterOperation) -> &'static str {
    match operation {
        FilterOperation::Equals => "equals",
        FilterOperation::NotEquals => "not",
        FilterOperation::InList => "in",
    }
}
