//! Every value that a method can hold comes back from the vault as it was.

use super::{item, read};
use crate::bank::{AccountType, BankFacts, BankType, EntryClass, HolderType};
use crate::card::{CardType, Expiry};
use crate::ids::{GatewayId, MethodId, MethodKind};
use crate::method::tests::fixtures::{DECLINES, action, bank, card, details, full, open, plain, sealed, text};
use crate::method::{
    CardCategory, CardOnFile, Changes, Details, Facts, Method, Open, ProcessingMode, Sender, State, Status,
};
use crate::payment::asked::AccountId;
use crate::payment::tests::fixtures::{START, answer, gateway_id, key};
use crate::payment::{Answer, Nonce};
use crate::stored::method::{ACCOUNT, StoredMethod, TOKEN, account_key};
use crate::time::Timestamp;

fn check(method: &Method) {
    let item = item(method);
    let stored = StoredMethod::from_item(item.clone()).expect("what was just written");
    assert_eq!(stored.method, *method);
    assert_eq!(stored.to_item(), item);
}

fn check_facts(facts: Facts) {
    let mut method = plain();
    method.asked.facts = facts;
    check(&method);
}

fn check_details(details: Details) {
    let mut method = plain();
    method.asked.details = details;
    check(&method);
}

fn states() -> Vec<State> {
    let answers = [Answer::default(), Answer { date: Some(START), message: text("hm"), ..answer("pm_1") }];
    let mut states = vec![State::Unsent];
    for (unknown, duplicate) in [(false, false), (true, false), (false, true), (true, true)] {
        for nonce in [Nonce(0), Nonce(u64::MAX)] {
            states.push(State::Open(Open { nonce, unknown, duplicate, ..open(0) }));
        }
    }
    for answer in answers {
        let refused = |decline| State::Refused { decline, answer: answer.clone(), at: Timestamp::from_millis(-1) };
        let kept = |status| State::Kept { status, answer: answer.clone(), at: START };
        for action in [None, Some(action())] {
            states.push(State::Accepted { answer: answer.clone(), action, at: START });
        }
        states.extend(DECLINES.map(refused));
        states.extend(Status::ALL.map(kept));
    }
    states
}

#[test]
fn a_method_with_everything_said_of_it_comes_back_and_so_does_one_with_nothing() {
    check(&full());
    check(&plain());
    let (everything, nothing) = (item(&full()), item(&plain()));
    assert!(everything.size_bytes() > 2 * nothing.size_bytes());
    assert_eq!(nothing.write_units(), 1);
}

#[test]
fn every_state_comes_back_with_a_token_and_without() {
    for state in states() {
        for token in [None, Some(sealed())] {
            check(&Method { state: state.clone(), token, ..full() });
        }
    }
}

#[test]
fn every_kind_comes_back_with_every_gateway_key_and_version() {
    for kind in MethodKind::ALL {
        let mut method = plain();
        method.asked.kind = kind;
        method.id = MethodId::made_by(kind, &method.merchant, &method.asked.key);
        check(&method);
        assert_eq!(read(item(&method)).id.kind(), Some(kind));
    }
    for gateway in [None, Some(gateway_id()), Some(GatewayId::from_random([9; 16]))] {
        for name in ["k".to_owned(), "長".repeat(255)] {
            let mut method = Method { version: i64::MAX.unsigned_abs(), ..plain() };
            (method.asked.gateway, method.asked.key) = (gateway, key(&name));
            check(&method);
        }
    }
}

#[test]
fn every_fact_of_a_card_comes_back_by_itself() {
    let none = CardOnFile::default;
    check_facts(Facts::Card(none()));
    check_facts(Facts::Card(card()));
    check_facts(Facts::Card(CardOnFile { bin: text("424242"), ..none() }));
    check_facts(Facts::Card(CardOnFile { last_four: text("0007"), ..none() }));
    check_facts(Facts::Card(CardOnFile { expiry: Some(Expiry { month: 12, year: 2030 }), ..none() }));
    for card_type in CardType::ALL.map(Some) {
        check_facts(Facts::Card(CardOnFile { card_type, ..none() }));
    }
    for category in CardCategory::ALL.map(Some) {
        check_facts(Facts::Card(CardOnFile { category, ..none() }));
    }
}

#[test]
fn every_fact_of_a_bank_account_comes_back_by_itself() {
    let none = |bank_type| BankFacts {
        last_four: "3000".to_owned(),
        bank_type,
        bank_code: None,
        account_type: None,
        holder_type: None,
        entry_class: None,
        mandate: None,
    };
    let some = || none(BankType::SepaDebit);
    BankType::ALL.iter().for_each(|bank_type| check_facts(Facts::Bank(none(*bank_type))));
    let types = AccountType::ALL.iter().map(|kind| BankFacts { account_type: Some(*kind), ..some() });
    let holders = HolderType::ALL.iter().map(|kind| BankFacts { holder_type: Some(*kind), ..some() });
    let classes = EntryClass::ALL.iter().map(|kind| BankFacts { entry_class: Some(*kind), ..some() });
    let texts = [BankFacts { bank_code: text("110000000"), ..some() }, BankFacts { mandate: text("m"), ..some() }];
    types.chain(holders).chain(classes).chain(texts).chain([bank()]).for_each(|bank| check_facts(Facts::Bank(bank)));
    check_facts(Facts::Other);
}

#[test]
fn every_detail_comes_back_by_itself() {
    let none = Details::default;
    let all = [
        Details { account: AccountId::parse("a.b_c-d"), ..none() },
        Details { nick_name: text("one"), ..none() },
        Details { email: text("a@b"), ..none() },
        Details { comments: text("長"), ..none() },
        Details { company_name: text("Smith & Co"), ..none() },
        Details { auto_pay: true, ..none() },
        Details { saved_by_merchant: true, ..none() },
        Details { processing_mode: ProcessingMode::External, ..none() },
        Details { record_type: text("GiroPay"), ..none() },
        Details { method_type: text("Klarna"), ..none() },
        Details { gateway_type: text("klarna_v2"), ..none() },
        details(),
        none(),
    ];
    all.into_iter().for_each(check_details);
    let data = [("k", "v"), ("empty", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let nobody = Sender::default;
    let senders = [
        Sender { email: text("a@b"), ..nobody() },
        Sender { ip_address: text("::1"), ..nobody() },
        Sender { mac_address: text("00"), ..nobody() },
        Sender { phone: text("+1"), ..nobody() },
        Sender { additional_data: data.into(), ..nobody() },
    ];
    senders.into_iter().for_each(|sender| check_details(Details { sender, ..none() }));
}

#[test]
fn every_change_comes_back_and_so_does_a_name_that_was_taken_away() {
    for nick_name in [None, Some(None), Some(text("new"))] {
        for auto_pay in [None, Some(false), Some(true)] {
            let method = Method { changes: Changes { nick_name: nick_name.clone(), auto_pay }, ..full() };
            check(&method);
            let (read, name) = (read(item(&method)), nick_name.clone().unwrap_or_else(|| text("the blue one")));
            assert_eq!((read.nick_name(), read.auto_pay()), (name.as_deref(), auto_pay.unwrap_or(true)));
        }
    }
}

#[test]
fn what_is_listed_by_its_account_is_what_is_kept() {
    let account = || AccountId::parse("001xx000003DHP0AAO").expect("an account");
    for state in states() {
        let is_kept = matches!(state, State::Kept { .. });
        let method = Method { state, ..full() };
        let listed = is_kept.then(|| account_key(&method.merchant, &account()));
        assert_eq!(item(&method).text(ACCOUNT), listed.as_deref(), "{:?}", method.state);
    }
    assert_eq!(item(&plain()).get(ACCOUNT), None, "it has no account");
}

#[test]
fn an_account_is_one_place_in_its_long_form_and_its_short_one() {
    let place = |account: &str| account_key(&full().merchant, &AccountId::parse(account).expect("an account"));
    assert_eq!(place("001xx000003DHP0AAO"), "00D0M41bLKJJnxR/001xx000003DHP0");
    assert_eq!(place("001xx000003DHP0"), place("001xx000003DHP0AAO"));
    assert_ne!(place("001xx000003DHp0"), place("001xx000003DHP0"));
    assert_eq!(place("customer-0000-0001"), "00D0M41bLKJJnxR/customer-0000-0001", "it is no id of ours");
}

#[test]
fn whoever_reads_it_without_its_token_has_the_rest_of_it() {
    let mut shown = item(&full());
    assert!(shown.remove(TOKEN).is_some());
    assert_eq!(read(shown), Method { token: None, ..full() });
}
