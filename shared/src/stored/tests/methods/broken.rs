//! An item that cannot be read says which attribute is to blame, and nothing of it is guessed.

use super::item;
use crate::method::tests::fixtures::{bank, full, open, plain, refused};
use crate::method::{Facts, Method, State};
use crate::payment::Decline;
use crate::stored::method::StoredMethod;
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

fn inside<'a>(item: &'a mut Item, path: &[&str]) -> &'a mut Item {
    path.iter().fold(item, |item, name| match item.get_mut(name) {
        Some(Attribute::Map(map)) => map,
        other => panic!("{name}: {other:?}"),
    })
}

fn check(method: &Method, path: &[&str], rows: &[(Break, &str)]) {
    for (change, says) in rows {
        let mut item = item(method);
        StoredMethod::from_item(item.clone()).expect("it is sound before it is broken");
        let broken = inside(&mut item, path);
        match change {
            Set(name, value) => broken.insert(*name, value.clone()),
            Drop(name) => assert!(broken.remove(name).is_some(), "there is no {name}"),
        }
        let unreadable = StoredMethod::from_item(item).expect_err(says);
        assert_eq!(unreadable.to_string(), format!("stored item: {says}"));
    }
}

fn strange(name: &str) -> String {
    format!("{name} has a value that this version does not know")
}

#[test]
fn a_method_without_what_it_needs_is_unreadable() {
    let rows = [
        (Drop("f"), "f is missing"),
        (set("f", "1"), "f must be a number"),
        (set("f", 2), "format 2 is not 1, the one this version knows"),
        (set("f", 0), "format 0 is not 1, the one this version knows"),
        (Drop("pk"), "pk is missing"),
        (set("pk", "00D0M41bLKJJnxR"), &strange("pk")),
        (set("pk", "00D0M41bLKJJnxR/"), &strange("pk")),
        (set("pk", "x/03O000000000001"), &strange("pk")),
        (set("pk", "00D0M41bLKJJnxR/03O000000000001/x"), &strange("pk")),
        (Drop("v"), "v is missing"),
        (set("v", -1), "v is negative"),
        (set("ac", 1), "ac must be text"),
        (Drop("m"), "m is missing"),
        (set("m", "text"), "m must be a map"),
        (set("t", "token"), "t must be a map"),
    ];
    check(&full(), &[], &rows);
}

#[test]
fn a_token_without_its_key_or_its_bytes_is_unreadable_and_never_an_empty_one() {
    let rows = [
        (Drop("b"), "b is missing"),
        (set("b", "text"), "b must be bytes"),
        (Drop("k"), "k is missing"),
        (set("k", ""), &strange("k")),
        (set("k", "k.1"), &strange("k")),
    ];
    check(&full(), &["t"], &rows);
}

#[test]
fn what_is_shown_without_what_it_needs_is_unreadable() {
    let rows = [
        (Drop("k"), "k is missing"),
        (set("k", "Cheque"), &*strange("k")),
        (Drop("y"), "y is missing"),
        (set("y", ""), &strange("y")),
        (set("g", "0b0"), &strange("g")),
        (set("ca", "card"), "ca must be a map"),
        (set("ba", "bank"), "ba must be a map"),
        (set("ac", "a b"), &strange("ac")),
        (set("nn", 1), "nn must be text"),
        (set("em", 1), "em must be text"),
        (set("co", 1), "co must be text"),
        (set("cn", 1), "cn must be text"),
        (set("ap", "yes"), "ap must be a flag"),
        (set("sm", "yes"), "sm must be a flag"),
        (set("pm", "Elsewhere"), &strange("pm")),
        (set("rt", 1), "rt must be text"),
        (set("mt", 1), "mt must be text"),
        (set("gt", 1), "gt must be text"),
        (set("se", "nobody"), "se must be a map"),
        (set("fp", "text"), "fp must be bytes"),
        (set("fp", vec![0_u8; 15]), "fp must be 16 bytes"),
        (Drop("rq"), "rq is missing"),
        (set("rq", "soon"), "rq must be a number"),
        (Drop("s"), "s is missing"),
        (set("s", "open"), "s must be a map"),
        (set("nc", 1), "nc must be text"),
        (set("apc", "yes"), "apc must be a flag"),
    ];
    check(&full(), &["m"], &rows);
    let rows = [
        (set("em", 1), "em must be text"),
        (set("ip", 1), "ip must be text"),
        (set("ma", 1), "ma must be text"),
        (set("ph", 1), "ph must be text"),
        (set("ad", "text"), "ad must be a map"),
        (set("ad", Item::new().with("till", 4)), "till must be text"),
    ];
    check(&full(), &["m", "se"], &rows);
}

#[test]
fn a_card_or_a_bank_account_that_is_none_is_unreadable() {
    let rows = [
        (set("bin", 424_242), "bin must be text"),
        (set("l4", 7), "l4 must be text"),
        (set("ex", "0330"), "ex must be a number"),
        (set("ex", 203_013), &strange("ex")),
        (set("ty", "Troy"), &strange("ty")),
        (set("ct", "PrepaidCard"), &strange("ct")),
    ];
    check(&full(), &["m", "ca"], &rows);
    let rows = [
        (Drop("l4"), "l4 is missing"),
        (Drop("bt"), "bt is missing"),
        (set("bt", "Eft"), &*strange("bt")),
        (set("bc", 1), "bc must be text"),
        (set("at", "Loan"), &strange("at")),
        (set("ht", "Ghost"), &strange("ht")),
        (set("ec", "Fax"), &strange("ec")),
        (set("ma", 1), "ma must be text"),
    ];
    let mut method = plain();
    method.asked.facts = Facts::Bank(bank());
    check(&method, &["m", "ba"], &rows);
}

#[test]
fn a_state_without_what_it_needs_is_unreadable() {
    let of = |state| Method { state, ..plain() };
    let rows = [
        (Drop("s"), "s is missing"),
        (set("s", "Inactive"), &*strange("s")),
        (set("s", "open"), "no must be 8 bytes"),
        (set("s", "refused"), "de is missing"),
        (Drop("an"), "an is missing"),
        (Drop("t"), "t is missing"),
    ];
    check(&plain(), &["m", "s"], &rows);
    check(&plain(), &["m", "s", "an"], &[(set("c", 0), "c must be text"), (set("t", "soon"), "t must be a number")]);
    let rows = [
        (Drop("no"), "no must be 8 bytes"),
        (set("no", vec![0_u8; 9]), "no must be 8 bytes"),
        (Drop("dl"), "dl is missing"),
        (set("un", "yes"), "un must be a flag"),
        (set("dp", "yes"), "dp must be a flag"),
    ];
    check(&of(State::Open(open(1))), &["m", "s"], &rows);
    let rows = [
        (Drop("de"), "de is missing"),
        (set("de", "declined"), &*strange("de")),
        (Drop("an"), "an is missing"),
        (Drop("t"), "t is missing"),
    ];
    check(&of(refused(Decline::Soft)), &["m", "s"], &rows);
}
