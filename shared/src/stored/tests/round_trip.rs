//! Every value that a payment can hold comes back from the store as it was.

use std::collections::BTreeMap;

use super::{item, payment, sale};
use crate::card::{CardFacts, CardType, Expiry};
use crate::fingerprint::Fingerprint;
use crate::ids::{EndpointId, Ordinal};
use crate::money::{Currency, Money};
use crate::payment::asked::{AccountId, Amount, Details, Group, InstrumentFacts, Membership, RefundReason};
use crate::payment::outbox::{Behind, Entry, News, Outbox};
use crate::payment::sequel::{Heard, Sequel, What};
use crate::payment::tests::fixtures::{START, answer, dollars, method_id, place};
use crate::payment::{
    Accepted, Answer, Asked, Generation, Interaction, Kind, Log, Nonce, Open, Operation, PayerAction, Payment, Settled,
    Source, State, Verdict,
};
use crate::recurring::ids::ItemNumber;
use crate::recurring::schedule::outbox::{Attempt, Turn};
use crate::stored::payment::Stored;
use crate::time::Timestamp;

fn check(payment: &Payment) {
    let item = item(payment);
    let read = Stored::from_item(item.clone()).expect("what was just written");
    assert_eq!(read.payment, *payment);
    assert_eq!(read.to_item(), item);
}

fn check_operation(operation: Operation) {
    check(&payment(vec![operation]));
}

fn check_asked(change: impl FnOnce(&mut Asked)) {
    let mut operation = sale();
    change(&mut operation.asked);
    check_operation(operation);
}

fn full_answer() -> Answer {
    let text = |text: &str| Some(text.to_owned());
    Answer {
        reference: text("ch_1"),
        reference_details: text("more"),
        code: text("00"),
        description: text("approved"),
        message: text("thank you"),
        authorization_code: text("A1B2C3"),
        avs_code: text("Y"),
        date: Some(START),
    }
}

fn payer_action() -> PayerAction {
    PayerAction { url: "https://gateway.test/challenge/1".to_owned(), expires_at: START }
}

fn states() -> Vec<State> {
    let mut states = vec![State::Unsent];
    for due in [None, Some(START)] {
        for answer in [Answer::default(), full_answer()] {
            for action in [None, Some(payer_action())] {
                states.push(State::Accepted(Accepted { answer: answer.clone(), action, attempts: 3, due }));
            }
        }
        for (unknown, undoing) in [(false, false), (true, false), (true, true)] {
            for nonce in [Nonce(0), Nonce(u64::MAX)] {
                states.push(State::Open(Open { nonce, deadline: START, attempts: u32::MAX, unknown, undoing, due }));
            }
        }
    }
    for verdict in Verdict::ALL {
        for answer in [Answer::default(), full_answer()] {
            states.push(State::Settled(Settled { verdict, answer, at: START }));
        }
    }
    states
}

fn kinds() -> Vec<Kind> {
    let reasons = RefundReason::ALL.map(Some).into_iter().chain([None]);
    let refunds = reasons.map(|reason| Kind::Refund { payment: place(99), reason });
    let captures = [false, true].map(|is_final| Kind::Capture { authorization: Ordinal::FIRST, is_final });
    [Kind::Authorize, Kind::PostAuthorize, Kind::Sale, Kind::Reverse { authorization: place(1) }]
        .into_iter()
        .chain(captures)
        .chain(refunds)
        .collect()
}

fn instruments() -> Vec<Option<InstrumentFacts>> {
    let types = CardType::ALL.map(Some).into_iter().chain([None]);
    let cards = types.map(|card_type| {
        let expiry = Expiry { month: 12, year: 2030 };
        InstrumentFacts::Card(CardFacts { bin: "424242".to_owned(), last_four: "0007".to_owned(), expiry, card_type })
    });
    let text = |text: &str| Some(text.to_owned());
    let alternatives = [(None, None), (text("PayPal"), None), (None, text("a@b")), (text("PayPal"), text("a@b"))];
    let alternatives = alternatives.map(|(name, email)| InstrumentFacts::Alternative { name, email });
    let all = cards.chain(alternatives).chain([InstrumentFacts::Stored(method_id())]);
    all.map(Some).chain([None]).collect()
}

fn details() -> Vec<Details> {
    let none = Details::default;
    let text = || Some("text".to_owned());
    let empty = || Some(String::new());
    let data: BTreeMap<String, String> =
        [("k", "s"), ("empty", "")].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let mut all = vec![
        none(),
        Details { account: AccountId::parse("001xx000003DHP0AAO"), ..none() },
        Details { effective_at: Some(Timestamp::from_millis(-1)), ..none() },
        Details { comments: text(), ..none() },
        Details { comments: empty(), ..none() },
        Details { client_context: text(), ..none() },
        Details { email: text(), ..none() },
        Details { ip_address: text(), ..none() },
        Details { mac_address: text(), ..none() },
        Details { phone: text(), ..none() },
        Details { additional_data: data, ..none() },
        Details { submitted_by_merchant: true, ..none() },
    ];
    let members = [
        Membership::New { source: None },
        Membership::New { source: text() },
        Membership::Existing { id: "0gq1".to_owned() },
    ];
    for member in members {
        for currency in [None, Some(dollars())] {
            all.push(Details { group: Some(Group { member: member.clone(), currency }), ..none() });
        }
    }
    all
}

#[test]
fn every_state_of_every_kind_comes_back() {
    for state in states() {
        for kind in kinds() {
            let mut operation = sale();
            operation.asked.kind = kind;
            check_operation(Operation { state: state.clone(), ..operation });
        }
    }
}

#[test]
fn every_instrument_with_every_detail_comes_back() {
    for instrument in instruments() {
        for details in details() {
            check_asked(|asked| (asked.instrument, asked.details) = (instrument.clone(), details));
        }
    }
}

#[test]
fn every_log_and_contradiction_comes_back() {
    for source in Source::ALL {
        for interaction in Interaction::ALL {
            for code in [None, Some("05".to_owned())] {
                let log = || Log { at: START, source, interaction, code: code.clone() };
                check_operation(Operation { logs: vec![log(), log()], ..sale() });
                check_operation(Operation { contradictions: vec![log()], ..sale() });
            }
        }
    }
}

#[test]
fn every_amount_comes_back_as_it_was_asked() {
    let rows = [("USD", 1), ("USD", 12_050), ("JPY", 1_200), ("KWD", 1_234), ("USD", 999_999_999_999_999_999)];
    for (code, minor) in rows {
        let currency = Currency::parse(code).expect("a currency");
        let amount = Money::new(minor, currency);
        for asked in [Amount::Rest, Amount::Exactly(amount.to_decimal().expect("a positive amount"))] {
            let mut operation = Operation { amount, ..sale() };
            operation.asked.amount = asked;
            check(&Payment { currency, ..payment(vec![operation]) });
        }
    }
}

#[test]
fn what_the_payment_itself_holds_comes_back() {
    for expires_at in [None, Some(START)] {
        for multi_capture in [false, true] {
            for version in [1, i64::MAX.unsigned_abs()] {
                check(&Payment { expires_at, multi_capture, version, ..payment(vec![sale(), sale()]) });
            }
        }
    }
    check_operation(Operation { fingerprint: Some(Fingerprint([0xA5; 16])), ..sale() });
    check_operation(Operation { generation: Generation(i64::MAX.unsigned_abs()), ..sale() });
}

#[test]
fn what_came_afterwards_and_what_is_to_be_told_comes_back() {
    for what in What::ALL {
        for (minor, code) in [(None, None), (Some(1), Some("10.4".to_owned()))] {
            let sequel = Sequel { id: "s".to_owned(), what, minor, code };
            check_operation(Operation { sequels: vec![Heard { sequel, at: START }; 2], ..sale() });
        }
    }
    let attempt = Attempt { item: ItemNumber::new(32_767).expect("in range"), number: u16::MAX };
    let turns = [
        Turn::Processed(attempt),
        Turn::Failed(attempt),
        Turn::PastDue(attempt),
        Turn::Completed(u32::MAX),
        Turn::Canceled,
    ];
    let news = [News::Created, News::Pending, News::Verdict, News::Sequel(31), News::Changed(u32::MAX)];
    let news = news.into_iter().chain(turns.map(News::Schedule));
    let entry = |(number, news): (u32, News)| Entry { number, operation: place(127), news, at: START };
    let entries: Vec<_> = (2..).zip(news).map(entry).collect();
    let behind = |from| Behind { from, since: START, attempts: u32::MAX, due: START };
    for endpoints in 0..3_u8 {
        let behind = (0..endpoints).map(|seed| (EndpointId::from_random([seed; 16]), behind(seed.into()))).collect();
        let outbox = Outbox { made: u32::MAX, seen: 3, entries: entries.clone(), behind };
        let due = outbox.due().map(Timestamp::as_millis);
        let told = Payment { outbox, ..payment(vec![sale()]) };
        check(&told);
        assert_eq!(item(&told).number("ed"), due);
    }
    check(&Payment { outbox: Outbox { made: 4, seen: 4, ..Outbox::default() }, ..payment(vec![sale()]) });
}

#[test]
fn an_item_is_due_when_the_first_of_its_operations_is() {
    let open = |millis| {
        let due = Some(Timestamp::from_millis(millis));
        let state =
            State::Open(Open { nonce: Nonce(1), deadline: START, attempts: 1, unknown: false, undoing: false, due });
        Operation { state, ..sale() }
    };
    let accepted = State::Accepted(Accepted {
        answer: answer("p"),
        action: None,
        attempts: 1,
        due: Some(Timestamp::from_millis(8)),
    });
    let rows = [
        (vec![sale()], None),
        (vec![open(9), sale(), open(7)], Some(7)),
        (vec![open(9), Operation { state: accepted, ..sale() }], Some(8)),
    ];
    for (operations, due) in rows {
        assert_eq!(item(&payment(operations)).number("d"), due);
    }
}
