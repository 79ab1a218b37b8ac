//! What must not rest: looked for in whole items, as it is and as bytes are written.

use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};

use super::super::world::World;
use super::NUMBER;
use crate::method::tests::fixtures::full;
use crate::stored::method::StoredMethod;
use crate::stored::{Attribute, Item};

/// Nothing in the vault, and nothing that was noted, tells a card's number or a token, whoever gave it out.
pub(super) fn assert_nothing_rests_in_the_clear(world: &World) {
    let items = world.vault.items();
    assert!(!items.is_empty(), "nothing to look through");
    let tokens = items.iter().map(|item| StoredMethod::from_item(item.clone()).expect("an item of ours").method);
    let tokens: Vec<String> = tokens.filter_map(|method| world.token(&method.id)).collect();
    let notes = world.notes.read().join("\n");
    for secret in tokens.iter().map(String::as_str).chain(["tok_", NUMBER]) {
        for item in &items {
            assert!(!tells(item, secret), "{secret} rests in {item:?}");
        }
        assert!(!notes.contains(secret), "{secret} is noted: {notes}");
    }
}

fn tells(item: &Item, secret: &str) -> bool {
    let mut text = String::new();
    collect(item, &mut text);
    ways_to_write(secret.as_bytes()).iter().any(|written| text.contains(written))
}

/// Everything that the item holds, names and all, each byte as a character.
fn collect(item: &Item, text: &mut String) {
    for (name, value) in item.iter() {
        text.push_str(name);
        collect_value(value, text);
    }
}

fn collect_value(value: &Attribute, text: &mut String) {
    match value {
        Attribute::Text(more) => text.push_str(more),
        Attribute::Number(number) => text.push_str(&number.to_string()),
        Attribute::Bytes(bytes) => text.extend(bytes.iter().copied().map(char::from)),
        Attribute::Flag(_) => {}
        Attribute::List(list) => list.iter().for_each(|value| collect_value(value, text)),
        Attribute::Map(item) => collect(item, text),
    }
    // Two values that stand beside each other are not one.
    text.push('\n');
}

/// As it is, in hexadecimal digits, and in base 64 wherever in a longer text it may stand.
fn ways_to_write(secret: &[u8]) -> Vec<String> {
    let as_it_is = secret.iter().copied().map(char::from).collect();
    let mut ways = vec![as_it_is, HEXLOWER.encode(secret), HEXUPPER.encode(secret)];
    for before in 0..3 {
        let bytes = [&vec![0; before][..], secret].concat();
        // The characters that depend on nothing but the secret.
        let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        ways.extend([BASE64, BASE64URL].map(|base| base.encode(&bytes)[from..to].to_owned()));
    }
    ways
}

#[test]
fn a_secret_is_found_wherever_it_stands_and_however_it_is_written() {
    let secret = "tok_of_the_gateway_0";
    let clean = StoredMethod::following(None, full()).to_item();
    assert!(!tells(&clean, secret));
    let hidden = |more: &str| format!("{more}{secret}{more}");
    let ways = [
        secret.to_owned(),
        hidden("x"),
        HEXLOWER.encode(hidden("y").as_bytes()),
        HEXUPPER.encode(secret.as_bytes()),
        BASE64.encode(hidden("").as_bytes()),
        BASE64.encode(hidden("a").as_bytes()),
        BASE64URL.encode(hidden("ab").as_bytes()),
    ];
    for way in ways {
        let bytes = Attribute::Bytes(way.clone().into_bytes());
        let places = [
            clean.clone().with("t", way.clone()),
            clean.clone().with("m", Item::new().with("an", Item::new().with("me", way.clone()))),
            clean.clone().with("l", vec![bytes.clone()]),
            clean.clone().with("b", bytes),
            [(way.clone().into(), Attribute::from(true))].into_iter().collect(),
        ];
        for item in places {
            assert!(tells(&item, secret), "{way} went unnoticed");
        }
    }
}
