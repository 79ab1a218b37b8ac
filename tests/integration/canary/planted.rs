//! The search itself is proven: in a copy of each kind of place that was collected, one of each kind of secret is planted
//! in each form, and must be found. A place that was not collected cannot be planted in, so that fails as well.

use std::collections::BTreeMap;
use std::path::Path;

use kessai_shared::stored::{Attribute, Item};

use super::places::{EXCEPTIONS, Kind, Place, files, is_excepted};
use super::search::{GROUPED, Of, Search, Secret, forms};
use crate::harness::Scratch;

/// As much of a place as is copied: plants are found wherever they stand.
const COPY: usize = 2_000;

/// One secret of each kind, by its place in the list, in each form.
fn plants(search: &Search) -> Vec<(usize, &'static str, Vec<u8>)> {
    let one_of_each: BTreeMap<Of, usize> =
        search.secrets.iter().enumerate().map(|(place, secret)| (secret.of, place)).collect();
    assert!(one_of_each.len() >= 4, "{one_of_each:?}");
    let mut plants = Vec::new();
    for (of, place) in one_of_each {
        for bytes in &search.secrets[place].bytes {
            plants.extend(forms(bytes).into_iter().map(|(form, planted)| (place, form, planted)));
            if [Of::Card, Of::BankAccount].contains(&of) {
                let (start, rest) = bytes.split_at(3);
                let (middle, end) = rest.split_at(5);
                plants.push((place, GROUPED, [start, b".", middle, b" / ", end].concat()));
            }
        }
    }
    plants
}

fn finds(search: &Search, secret: usize, place: &Place) -> bool {
    search.find(&place.bytes).iter().any(|(found, _)| *found == secret)
}

/// In a copy of one place of each kind that is text: a log line, a message, an answer, what was printed.
pub fn check_texts(search: &Search, places: &[Place]) {
    let is_clean = |place: &&Place| search.find(&place.bytes).is_empty();
    let one_of_each: BTreeMap<Kind, &Place> = places.iter().filter(is_clean).map(|place| (place.kind, place)).collect();
    let kinds: std::collections::BTreeSet<Kind> = places.iter().map(|place| place.kind).collect();
    assert_eq!(one_of_each.len(), kinds.len(), "of each kind of place one is clean");
    for (secret, form, planted) in plants(search) {
        for place in one_of_each.values() {
            let copied = &place.bytes[..place.bytes.len().min(COPY)];
            let (before, after) = copied.split_at(copied.len() / 2);
            let bytes = [before, b" ", &planted, b" ", after].concat();
            let copy = Place { bytes, ..(*place).clone() };
            let name = &search.secrets[secret].name;
            assert!(finds(search, secret, &copy), "{name} ({form}) is not found in {:?}", place.kind);
        }
    }
}

/// In an item of each table: deep within, as a text, as bytes, and as a name; and in what the stream shows of it.
pub fn check_items(search: &Search, tables: &[(Kind, Vec<Item>)]) {
    for (kind, items) in tables {
        let item = items.last().unwrap_or_else(|| panic!("{kind:?} holds nothing"));
        for (secret, form, planted) in plants(search) {
            let Secret { name, of, .. } = &search.secrets[secret];
            for value in values(&planted) {
                let nested = Item::new().with("n", Attribute::List(vec![Attribute::Map(Item::new().with("d", value))]));
                let item = item.clone().with("planted", Attribute::Map(nested));
                assert!(finds(search, secret, &Place::of_item(*kind, &item)), "{name} ({form}) in {kind:?}");
                // There bytes are in base 64, and a text is one of a JSON.
                let is_searched = form == "plain" || !(holds_bytes(&item) || form.eq_ignore_ascii_case("json in json"));
                assert!(
                    !is_searched || finds(search, secret, &Place::of_stream(&item)),
                    "{name} ({form}) in the stream"
                );
            }
            // Wherever base 64 cuts.
            for before in ["a", "ab"].iter().filter(|_| form == "plain" && *of != Of::Cvv) {
                let item = item.clone().with("planted", [before.as_bytes(), &planted].concat());
                assert!(finds(search, secret, &Place::of_stream(&item)), "{name} after {before:?} in the stream");
            }
        }
    }
}

/// The planted as each kind of value that can hold it, and as a name.
fn values(planted: &[u8]) -> Vec<Attribute> {
    let mut values = vec![Attribute::Bytes(planted.to_vec())];
    if let Ok(text) = String::from_utf8(planted.to_vec()) {
        let mut named = Item::new();
        named.insert(text.clone(), 1);
        values.extend([Attribute::Text(text.into()), Attribute::Map(named)]);
    }
    values
}

fn holds_bytes(item: &Item) -> bool {
    let Some(Attribute::Map(nested)) = item.get("planted") else { return false };
    let [Attribute::Map(deep)] = nested.list("n") else { return false };
    deep.bytes("d").is_some()
}

/// In a file of the data directory, somewhere in the database, and in a name.
pub fn check_files(search: &Search, data: &Path) {
    let database = std::fs::read(data.join("kessai.db")).expect("the database");
    let (before, after) = database[..database.len().min(16 * 1024)].split_at(4_096);
    for (secret, form, planted) in plants(search) {
        let scratch = Scratch::new();
        let deep = scratch.path().join("a");
        std::fs::create_dir_all(&deep).expect("a directory");
        std::fs::write(deep.join("kessai.db"), [before, b" ", &planted, b" ", after].concat()).expect("a file");
        let found = files(Kind::File, scratch.path());
        let name = &search.secrets[secret].name;
        assert!(found.iter().any(|place| finds(search, secret, place)), "{name} ({form}) is not found in a file");
    }
}

/// Each exception is one: a list that allows what is not there would hide what comes.
pub fn check_exceptions(search: &Search, places: &[Place]) {
    for (of, kind, name, why) in EXCEPTIONS.iter().filter(|(_, kind, ..)| *kind != Kind::Wreck) {
        let is_there = places.iter().filter(|place| place.kind == *kind && place.name.ends_with(name)).any(|place| {
            let found = search.find(&place.bytes);
            found
                .iter()
                .any(|(secret, _)| search.secrets[*secret].of == *of && is_excepted(&search.secrets[*secret], place))
        });
        assert!(is_there, "{of:?} is not in {kind:?} {name}: {why}");
    }
    for secret in search.secrets.iter().filter(|secret| secret.shown_in.is_some()) {
        let shown = places.iter().filter(|place| secret.shown_in.as_ref() == Some(&place.name));
        let index = search.secrets.iter().position(|known| known.name == secret.name).expect("it is one of them");
        assert_eq!(shown.filter(|place| finds(search, index, place)).count(), 1, "{}", secret.name);
    }
}
