//! Whatever lies in the table is read or refused, and what can be read can be written and read again.

use std::sync::LazyLock;

use bolero::TypeGenerator;
use bolero::generator::produce;
use kessai_shared::stored::item::Name;
use kessai_shared::stored::payment::Stored;
use kessai_shared::stored::{Attribute, Item};

use crate::world::World;

/// An item, as what is done to one that is whole or to an empty one.
#[derive(Debug, TypeGenerator)]
struct Strange {
    start: u8,
    #[generator(produce::<Vec<_>>().with().len(0..6_usize))]
    changes: Vec<Change>,
}

#[derive(Debug, TypeGenerator)]
struct Change {
    /// Which of the maps and lists to go down into, level by level.
    #[generator(produce::<Vec<_>>().with().len(0..4_usize))]
    path: Vec<u8>,
    how: How,
}

#[derive(Debug, TypeGenerator)]
enum How {
    Remove { which: u8 },
    Replace { which: u8, by: Value },
    Insert { name: u8, value: Value },
    InsertUnknown { name: String, value: Value },
}

#[derive(Debug, TypeGenerator)]
enum Value {
    Word(u8),
    Text(String),
    Small(i8),
    Number(i64),
    Bytes(Vec<u8>),
    Flag(bool),
    Nonce([u8; 8]),
    Fingerprint([u8; 16]),
    NoMap,
    NoList,
    Lists { empty_maps: bool },
}

#[test]
fn what_can_be_read_can_be_written_and_read_again() {
    fuzz!(20_000, produce::<Strange>(), |strange: &Strange| {
        let starts = &*STARTS;
        let mut item = starts[usize::from(strange.start) % starts.len()].clone();
        for change in &strange.changes {
            change.apply(&mut item, &change.path);
        }
        if let Ok(stored) = Stored::from_item(item.clone()) {
            let written = stored.to_item();
            assert_eq!(Stored::from_item(written.clone()).as_ref(), Ok(&stored), "{item:?}");
            assert_eq!(stored.payment.due_at().is_some(), written.get("d").is_some());
        }
    });
}

/// Payments in all states that a gateway can bring about, and nothing at all.
static STARTS: LazyLock<Vec<Item>> = LazyLock::new(|| {
    let says = [
        (200, r#"{"id":"1","reference":"@","status":"approved","code":"00","message":"Thanks","date":"2026-08-01"}"#),
        (200, r#"{"id":"1","reference":"@","status":"accepted","code":"09"}"#),
        (200, r#"{"id":"1","reference":"@","status":"declined","code":"43"}"#),
        (429, ""),
        (500, ""),
    ];
    let items = says.into_iter().flat_map(|says| {
        let world = World::new(says);
        for function in [0, 1, 1, 2, 3, 4, 5] {
            world.ask_sample(function);
        }
        world.items()
    });
    let starts: Vec<Item> = items.chain([Item::new()]).collect();
    assert_eq!(starts.len(), 16, "three payments for each thing that a gateway says");
    starts
});

impl Change {
    fn apply(&self, item: &mut Item, path: &[u8]) {
        let Some((step, path)) = path.split_first() else { return self.apply_here(item) };
        let is_container = |value: &Attribute| matches!(value, Attribute::Map(_) | Attribute::List(_));
        let names: Vec<_> =
            item.iter().filter(|(_, value)| is_container(value)).map(|(name, _)| name.clone()).collect();
        let down = pick(&names, *step).and_then(|name| item.get_mut(name));
        match down {
            Some(Attribute::Map(inner)) => self.apply(inner, path),
            Some(Attribute::List(members)) => {
                let place = path.first().map_or(0, |step| usize::from(*step)) % members.len().max(1);
                if let Some(Attribute::Map(inner)) = members.get_mut(place) {
                    self.apply(inner, path);
                }
            }
            Some(_) | None => self.apply_here(item),
        }
    }

    fn apply_here(&self, item: &mut Item) {
        let names: Vec<_> = item.iter().map(|(name, _)| name.clone()).collect();
        match &self.how {
            How::Remove { which } => {
                if let Some(name) = pick(&names, *which) {
                    item.remove(name);
                }
            }
            How::Replace { which, by } => {
                if let Some(name) = pick(&names, *which) {
                    item.insert(name.clone(), by.attribute());
                }
            }
            How::Insert { name, value } => {
                item.insert(Name::from(word(NAMES, *name)), value.attribute());
            }
            How::InsertUnknown { name, value } => item.insert(Name::from(name.clone()), value.attribute()),
        }
    }
}

fn pick<T>(from: &[T], which: u8) -> Option<&T> {
    from.get(usize::from(which) % from.len().max(1))
}

/// Every name of the format, and some that it does not know.
const NAMES: &str = "pk f v d g c x mc o k on fin why y a all t fp m ac ef co cx em ip ma ph ad gr mi s ud l n id alt \
    nm bin l4 ex ty cu so no dl tr un du an r rd de me au av w i zz O";

/// Words of the format, and some that it does not know.
const WORDS: &str = "open unsent accepted approved declined voided lapsed authorize post-authorize sale capture reverse \
    refund duplicate USD JPY XXX Visa answer notice silence ok 00D000000000001/1 0b0000000000001";

fn word(words: &'static str, which: u8) -> &'static str {
    words.split(' ').cycle().nth(usize::from(which)).unwrap_or_default()
}

impl Value {
    fn attribute(&self) -> Attribute {
        match self {
            Self::Word(which) => word(WORDS, *which).into(),
            Self::Text(text) => text.clone().into(),
            Self::Small(number) => i64::from(*number).into(),
            Self::Number(number) => (*number).into(),
            Self::Bytes(bytes) => bytes.clone().into(),
            Self::Flag(flag) => (*flag).into(),
            Self::Nonce(bytes) => bytes.to_vec().into(),
            Self::Fingerprint(bytes) => bytes.to_vec().into(),
            Self::NoMap => Item::new().into(),
            Self::NoList => Vec::<Attribute>::new().into(),
            Self::Lists { empty_maps: true } => vec![Attribute::from(Item::new())].into(),
            Self::Lists { empty_maps: false } => vec![Attribute::from(0), Attribute::from("")].into(),
        }
    }
}
