//! Methods to the letter. Whoever changes what is stored changes this page, and sees that items written before must
//! still be read.

use super::{item, read};
use crate::event::EventNames;
use crate::method::tests::fixtures::{self as states, bank, full, open, plain, refused};
use crate::method::{Changes, Facts, Method, Open, State};
use crate::payment::tests::fixtures::{START, merchant};
use crate::payment::{Decline, Nonce};
use crate::stored::{Attribute, Item};

const MILLIS: i64 = 1_790_000_000_000;

fn check(method: &Method, stored: &Item) {
    assert_eq!(item(method), *stored);
    assert_eq!(read(stored.clone()), *method);
}

/// What every method has on top.
fn top(shown: Item) -> Item {
    Item::new().with("pk", "00D0M41bLKJJnxR/03O000000000001").with("v", 7).with("f", 1).with("m", shown)
}

fn shown() -> Item {
    let card = Item::new()
        .with("bin", "424242")
        .with("l4", "0007")
        .with("ex", 203_003)
        .with("ty", "Visa")
        .with("ct", "DebitCard");
    let sender = Item::new()
        .with("em", "till@example.com")
        .with("ip", "203.0.113.7")
        .with("ma", "00-00-5E-00-53-01")
        .with("ph", "+1 555 0100")
        .with("ad", Item::new().with("till", "4"));
    let answer = Item::new().with("r", "pm_1").with("c", "00");
    Item::new()
        .with("k", "CardPaymentMethod")
        .with("y", "method 1")
        .with("g", "0b00i83Cgecdbus")
        .with("ca", card)
        .with("ac", "001xx000003DHP0AAO")
        .with("nn", "the blue one")
        .with("em", "carol@example.com")
        .with("co", "by the door")
        .with("cn", "Smith & Co")
        .with("ap", true)
        .with("sm", true)
        .with("pm", "External")
        .with("rt", "GiroPay")
        .with("mt", "Klarna")
        .with("gt", "klarna_v2")
        .with("se", sender)
        .with("fp", vec![0xF1_u8; 16])
        .with("rq", MILLIS)
        .with("s", Item::new().with("s", "InActive").with("an", answer).with("t", MILLIS))
        .with("nc", "the red one")
        .with("apc", false)
}

#[test]
fn a_card_of_which_everything_is_said_is_stored_to_the_letter() {
    let stored = top(shown())
        .with("ac", "00D0M41bLKJJnxR/001xx000003DHP0")
        .with("t", Item::new().with("k", "k1").with("b", vec![0x5E_u8; 33]));
    assert_eq!(merchant().as_str(), "00D0M41bLKJJnxR");
    check(&full(), &stored);
}

/// What is shown of a method of which nothing is said, but how it stands and what it is.
fn bare(state: Item) -> Item {
    Item::new().with("k", "CardPaymentMethod").with("y", "method 1").with("rq", MILLIS).with("s", state)
}

#[test]
fn a_card_of_which_nothing_is_said_is_stored_to_the_letter() {
    let kept = Item::new().with("s", "Active").with("an", Item::new()).with("t", MILLIS);
    check(&plain(), &top(bare(kept).with("ca", Item::new())));
}

#[test]
fn a_bank_account_that_is_asked_for_again_is_stored_to_the_letter() {
    let nonce = Nonce(0x0102_0304_0506_0708);
    let state = State::Open(Open { nonce, unknown: true, duplicate: true, ..open(0) });
    let changes = Changes { nick_name: Some(None), auto_pay: Some(true) };
    let mut method = Method { state, changes, ..plain() };
    method.asked.facts = Facts::Bank(bank());

    let state = Item::new()
        .with("s", "open")
        .with("no", vec![1_u8, 2, 3, 4, 5, 6, 7, 8])
        .with("dl", MILLIS + 30_000)
        .with("un", true)
        .with("dp", true);
    let account = Item::new()
        .with("l4", "3000")
        .with("bt", "Ach")
        .with("bc", "110000000")
        .with("at", "Checking")
        .with("ht", "Business")
        .with("ec", "Web")
        .with("ma", "mandate 1");
    check(&method, &top(bare(state).with("ba", account).with("nc", "").with("apc", true)));
}

#[test]
fn what_is_neither_and_what_was_refused_is_stored_to_the_letter() {
    let rows = [
        (Decline::Soft, "soft"),
        (Decline::Permanent, "for good"),
        (Decline::RequiresReview, "to be reviewed"),
        (Decline::InvalidData, "invalid data"),
    ];
    for (decline, word) in rows {
        let mut method = Method { state: refused(decline), ..plain() };
        method.asked.facts = Facts::Other;
        let answer = Item::new().with("r", "pm_1").with("c", "00");
        let state = Item::new().with("s", "refused").with("de", word).with("an", answer).with("t", MILLIS);
        check(&method, &top(bare(state)));
    }
    let mut unsent = Method { state: State::Unsent, ..plain() };
    unsent.asked.facts = Facts::Other;
    check(&unsent, &top(bare(Item::new().with("s", "unsent"))));
}

#[test]
fn what_merchants_are_yet_to_be_told_is_stored_to_the_letter() {
    let mut method = plain();
    method.tell(None, EventNames::all(), START);
    let before = Method { changes: Changes { auto_pay: Some(true), ..Changes::default() }, ..method.clone() };
    method.tell(Some(&before), EventNames::all(), START);
    let created = Item::new().with("n", 1).with("o", 0).with("w", "created").with("t", MILLIS);
    let changed = Item::new().with("n", 2).with("o", 0).with("w", "changed").with("i", 7).with("t", MILLIS);
    let entries = vec![Attribute::from(created), Attribute::from(changed)];
    let outbox = Item::new().with("n", 2).with("s", 0).with("e", entries);
    let kept = Item::new().with("s", "Active").with("an", Item::new()).with("t", MILLIS);
    check(&method, &top(bare(kept).with("ca", Item::new())).with("ob", outbox).with("ed", MILLIS));
}

#[test]
fn what_a_gateway_has_accepted_is_stored_to_the_letter() {
    let accepted = |item: Item| {
        let answer = Item::new().with("r", "pm_1").with("c", "00");
        top(bare(item.with("s", "accepted").with("an", answer).with("t", MILLIS)).with("ca", Item::new()))
    };
    check(&Method { state: states::accepted(None), ..plain() }, &accepted(Item::new()));
    let waiting = Item::new().with("ru", "https://gateway.test/1").with("re", MILLIS + 30_000);
    check(&Method { state: states::accepted(Some(states::action())), ..plain() }, &accepted(waiting));
}
