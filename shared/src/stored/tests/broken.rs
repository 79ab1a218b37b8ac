//! An item that cannot be read says which attribute is to blame, and nothing of it is guessed.

use super::{item, payment, sale};
use crate::ids::Ordinal;
use crate::payment::tests::fixtures::{START, capture};
use crate::payment::{Interaction, Source};
use crate::payment::{Kind, Log, Nonce, Open, Operation, State};
use crate::stored::payment::Stored;
use crate::stored::{Attribute, Item};

/// What is done to an item before it is read.
enum Break {
    Set(&'static str, Attribute),
    Drop(&'static str),
}

use Break::{Drop, Set};

fn set(name: &'static str, value: impl Into<Attribute>) -> Break {
    Set(name, value.into())
}

fn apply(item: &mut Item, change: &Break) {
    match change {
        Set(name, value) => item.insert(*name, value.clone()),
        Drop(name) => drop(item.remove(name)),
    }
}

/// The map behind these names; a list is entered at its first member.
fn inside<'a>(item: &'a mut Item, path: &[&str]) -> &'a mut Item {
    path.iter().fold(item, |item, name| match item.get_mut(name) {
        Some(Attribute::Map(map)) => map,
        Some(Attribute::List(list)) => match list.first_mut() {
            Some(Attribute::Map(map)) => map,
            other => panic!("{name}: {other:?}"),
        },
        other => panic!("{name}: {other:?}"),
    })
}

fn check(kind: Kind, state: State, path: &[&str], change: &Break, says: &str) {
    let log = || Log { at: START, source: Source::Answer, interaction: Interaction::Success, code: None };
    let mut operation = Operation { state, logs: vec![log()], contradictions: vec![log()], ..sale() };
    operation.asked.kind = kind;
    let mut item = item(&payment(vec![operation]));
    Stored::from_item(item.clone()).expect("it is sound before it is broken");
    apply(inside(&mut item, path), change);
    let unreadable = Stored::from_item(item).expect_err(says);
    assert_eq!(unreadable.to_string(), format!("stored item: {says}"));
}

fn check_sale(path: &[&str], rows: &[(Break, &str)]) {
    for (change, says) in rows {
        check(Kind::Sale, sale().state, path, change, says);
    }
}

fn strange(name: &str) -> String {
    format!("{name} has a value that this version does not know")
}

#[test]
fn a_payment_without_what_it_needs_is_unreadable() {
    let rows = [
        (Drop("f"), "f is missing"),
        (set("f", "1"), "f must be a number"),
        (set("f", 2), "format 2 is not 1, the one this version knows"),
        (set("f", 0), "format 0 is not 1, the one this version knows"),
        (Drop("pk"), "pk is missing"),
        (set("pk", "x"), &strange("pk")),
        (set("pk", "00D0M41bLKJJnxR/xyz"), &strange("pk")),
        (Drop("v"), "v is missing"),
        (set("v", -1), "v is negative"),
        (Drop("g"), "g is missing"),
        (set("g", "0b0"), &strange("g")),
        (Drop("c"), "c is missing"),
        (set("c", "XXX"), &strange("c")),
        (set("d", "soon"), "d must be a number"),
        (set("x", "soon"), "x must be a number"),
        (set("mc", 1), "mc must be a flag"),
        (Drop("o"), "o must hold an operation"),
        (set("o", Vec::<Attribute>::new()), "o must hold an operation"),
        (set("o", "none"), "o must be a list"),
        (set("o", vec![Attribute::Flag(true)]), "o must hold maps"),
    ];
    check_sale(&[], &rows);
}

#[test]
fn an_operation_without_what_it_needs_is_unreadable() {
    let rows = [
        (Drop("k"), "k is missing"),
        (set("k", "tokenize"), &strange("k")),
        (set("on", "first"), "on must be a number"),
        (set("fin", "yes"), "fin must be a flag"),
        (set("why", "whim"), &strange("why")),
        (Drop("y"), "y is missing"),
        (set("y", ""), &strange("y")),
        (Drop("a"), "a is missing"),
        (set("a", 0), "a must be greater than 0"),
        (set("a", -5), "a must be greater than 0"),
        (set("all", 1), "all must be a flag"),
        (Drop("t"), "t is missing"),
        (set("fp", "text"), "fp must be bytes"),
        (set("fp", vec![0_u8; 15]), "fp must be 16 bytes"),
        (set("m", "card"), "m must be a map"),
        (set("ac", "a b"), &strange("ac")),
        (set("ef", "soon"), "ef must be a number"),
        (set("co", 1), "co must be text"),
        (set("ad", "text"), "ad must be a map"),
        (set("ad", Item::new().with("till", 4)), "till must be text"),
        (set("gr", "group"), "gr must be a map"),
        (set("gr", Item::new().with("cu", "XXX")), &strange("cu")),
        (set("mi", "yes"), "mi must be a flag"),
        (Drop("s"), "s is missing"),
        (set("s", "open"), "s must be a map"),
        (set("ud", "yes"), "ud must be a flag"),
        (set("l", "none"), "l must be a list"),
        (set("n", vec![Attribute::Flag(true)]), "n must hold maps"),
    ];
    check_sale(&["o"], &rows);
    let out_of_range = "on is missing or out of range";
    for change in [Drop("on"), set("on", -1), set("on", 128), set("on", i64::MAX)] {
        for kind in [capture(Ordinal::FIRST), Kind::Reverse { authorization: Ordinal::FIRST }] {
            check(kind, sale().state, &["o"], &change, out_of_range);
        }
        let refund = Kind::Refund { payment: Ordinal::FIRST, reason: None };
        check(refund, sale().state, &["o"], &change, out_of_range);
    }
}

#[test]
fn an_instrument_without_what_it_needs_is_unreadable() {
    let card = || Item::new().with("bin", "424242").with("l4", "4242").with("ex", 203_012);
    let rows = [
        (set("m", Item::new().with("id", "x")), strange("id")),
        (set("m", Item::new().with("alt", true).with("nm", 1)), "nm must be text".to_owned()),
        (set("m", card().with("ty", "Troy")), strange("ty")),
        (set("m", Item::new().with("ex", 203_012)), "bin is missing".to_owned()),
        (set("m", card().with("l4", 4_242)), "l4 must be text".to_owned()),
        (set("m", card().with("ex", -1)), "ex is no month".to_owned()),
        (set("m", card().with("ex", 203_000)), "ex is no month".to_owned()),
        (set("m", card().with("ex", 203_013)), "ex is no month".to_owned()),
        (set("m", card().with("ex", i64::MAX)), "ex is no month".to_owned()),
        (set("m", Item::new()), "ex is missing".to_owned()),
    ];
    for (change, says) in &rows {
        check(Kind::Sale, sale().state, &["o"], change, says);
    }
}

#[test]
fn a_state_without_what_it_needs_is_unreadable() {
    let rows = [
        (Drop("s"), "s is missing"),
        (set("s", "maybe"), &strange("s")),
        (Drop("an"), "an is missing"),
        (Drop("t"), "t is missing"),
        (set("s", "accepted"), "tr is missing"),
        (set("s", "open"), "no must be 8 bytes"),
    ];
    check_sale(&["o", "s"], &rows);
    check_sale(&["o", "s", "an"], &[(set("c", 0), "c must be text"), (set("t", "soon"), "t must be a number")]);

    let open = || {
        State::Open(Open { nonce: Nonce(1), deadline: START, attempts: 1, unknown: false, undoing: false, due: None })
    };
    let rows = [
        (Drop("no"), "no must be 8 bytes"),
        (set("no", vec![0_u8; 7]), "no must be 8 bytes"),
        (Drop("dl"), "dl is missing"),
        (set("tr", -1), "tr is out of range"),
        (set("un", "yes"), "un must be a flag"),
        (set("du", "soon"), "du must be a number"),
    ];
    for (change, says) in &rows {
        check(Kind::Sale, open(), &["o", "s"], change, says);
    }
}

#[test]
fn a_log_without_what_it_needs_is_unreadable() {
    let rows = [
        (Drop("t"), "t is missing"),
        (set("w", "rumour"), &*strange("w")),
        (Drop("i"), "i is missing"),
        (set("i", "well"), &strange("i")),
        (set("c", 5), "c must be text"),
    ];
    check_sale(&["o", "l"], &rows);
    check_sale(&["o", "n"], &rows);
}
