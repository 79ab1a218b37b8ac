//! Which member differs when a key is used for another method. What is told here is taken apart by name, so that a new
//! field has no row until somebody writes one.

use super::fixtures::{DECLINES, bank, full, kept, open, plain, refused, sender, text};
use crate::bank::{AccountType, BankFacts, BankType, EntryClass, HolderType};
use crate::card::{CardType, Expiry};
use crate::fingerprint::Fingerprint;
use crate::ids::MethodKind;
use crate::method::{Asked, CardCategory, CardOnFile, Details, Facts, Method, Open, Sender, State, Status, Step, step};
use crate::payment::asked::AccountId;
use crate::payment::tests::fixtures::{START, claim, key};
use crate::rejection::Rejection;

/// What is there, and what is asked under its key.
fn check(found: &Method, fresh: &Method, expected: &[&'static str]) {
    match step(Some(found.clone()), fresh, claim(2, START), START) {
        Err(Rejection::Mismatch { fields }) => assert_eq!(fields, expected),
        Ok(Step::Known(_)) => assert!(expected.is_empty(), "{expected:?} went unnoticed"),
        other => panic!("{expected:?}: {other:?}"),
    }
}

fn check_asked(name: &'static str, change: impl FnOnce(&mut Asked)) {
    let mut fresh = plain();
    change(&mut fresh.asked);
    check(&plain(), &fresh, &[name]);
    check(&fresh, &plain(), &[name]);
}

fn check_details(name: &'static str, change: impl FnOnce(&mut Details)) {
    check_asked(name, |asked| change(&mut asked.details));
}

#[test]
fn a_member_that_differs_is_named_as_the_caller_knows_it() {
    let Details {
        account,
        nick_name,
        email,
        comments,
        company_name,
        auto_pay,
        saved_by_merchant,
        processing_mode,
        record_type,
        method_type,
        gateway_type: _,
        sender: _,
    } = full().asked.details;
    check_details("accountId", |details| details.account = account);
    check_details("nickName", |details| details.nick_name = nick_name);
    check_details("email", |details| details.email = email);
    check_details("comments", |details| details.comments = comments);
    check_details("companyName", |details| details.company_name = company_name);
    check_details("autoPay", |details| details.auto_pay = auto_pay);
    check_details("savedByMerchant", |details| details.saved_by_merchant = saved_by_merchant);
    check_details("ProcessingMode", |details| details.processing_mode = processing_mode);
    check_details("RecordTypeId", |details| details.record_type = record_type);
    check_details("PaymentMethodType", |details| details.method_type = method_type);

    let Sender { email, ip_address, mac_address, phone, additional_data } = sender();
    check_details("email", |details| details.sender.email = email);
    check_details("ipAddress", |details| details.sender.ip_address = ip_address);
    check_details("macAddress", |details| details.sender.mac_address = mac_address);
    check_details("phone", |details| details.sender.phone = phone);
    check_details("additionalData", |details| details.sender.additional_data = additional_data);

    let Asked { kind: _, key: _, gateway, facts: _, details: _ } = full().asked;
    check_asked("idempotencyKey", |asked| asked.key = key("another key that leads to the same place"));
    check_asked("paymentGatewayId", |asked| asked.gateway = gateway);
    check_asked("paymentMethod", |asked| asked.kind = MethodKind::Saved);
}

#[test]
fn what_it_is_differs_by_every_fact_and_by_what_does_not_rest() {
    let of = |facts: Facts| Method { asked: Asked { facts, ..plain().asked }, ..plain() };
    let none = CardOnFile::default;
    let cards = [
        CardOnFile { bin: text("424242"), ..none() },
        CardOnFile { last_four: text("4242"), ..none() },
        CardOnFile { expiry: Some(Expiry { month: 1, year: 2031 }), ..none() },
        CardOnFile { card_type: Some(CardType::Jcb), ..none() },
        CardOnFile { category: Some(CardCategory::Credit), ..none() },
    ];
    for card in cards {
        check(&plain(), &of(Facts::Card(card)), &["paymentMethod"]);
    }
    let banks = [
        BankFacts { last_four: "3001".to_owned(), ..bank() },
        BankFacts { bank_type: BankType::Bacs, ..bank() },
        BankFacts { bank_code: None, ..bank() },
        BankFacts { account_type: Some(AccountType::Savings), ..bank() },
        BankFacts { holder_type: Some(HolderType::Individual), ..bank() },
        BankFacts { entry_class: Some(EntryClass::Tel), ..bank() },
        BankFacts { mandate: None, ..bank() },
    ];
    for other in banks {
        check(&of(Facts::Bank(bank())), &of(Facts::Bank(other)), &["paymentMethod"]);
    }
    check(&of(Facts::Bank(bank())), &of(Facts::Other), &["paymentMethod"]);

    // The same facts, another number; and both at once are one member.
    let printed = |byte| Method { fingerprint: Some(Fingerprint([byte; 16])), ..plain() };
    check(&printed(1), &printed(1), &[]);
    check(&printed(1), &printed(2), &["paymentMethod"]);
    check(&printed(1), &plain(), &["paymentMethod"]);
    check(&printed(1), &Method { fingerprint: None, ..of(Facts::Other) }, &["paymentMethod"]);
}

#[test]
fn what_is_not_the_callers_and_what_changed_since_are_no_difference() {
    let asked = plain();
    let mut since = Method { version: 9, ..plain() };
    since.asked.details.gateway_type = Some("set up since".to_owned());
    since.changes = full().changes;
    since.token = full().token;
    check(&since, &asked, &[]);
    check(&plain(), &plain(), &[]);
    check(&full(), &full(), &[]);
}

#[test]
fn an_account_is_the_same_in_its_long_form_and_its_short_one() {
    let of = |account: &str| {
        let mut method = plain();
        method.asked.details.account = AccountId::parse(account);
        method
    };
    check(&of("0aQR00000004ZkK"), &of("0aQR00000004ZkKMAU"), &[]);
    check(&of("0aQR00000004ZkK"), &of("0aQR00000004Zkk"), &["accountId"]);
}

#[test]
fn every_member_that_differs_is_named_once() {
    let mut other = full();
    other.asked = Asked { key: key("another"), ..plain().asked };
    other.fingerprint = None;
    let expected = [
        "idempotencyKey",
        "paymentMethod",
        "paymentGatewayId",
        "accountId",
        "nickName",
        "email",
        "comments",
        "companyName",
        "autoPay",
        "savedByMerchant",
        "ProcessingMode",
        "RecordTypeId",
        "PaymentMethodType",
        "ipAddress",
        "macAddress",
        "phone",
        "additionalData",
    ];
    check(&full(), &other, &expected);
}

#[test]
fn a_mismatch_comes_before_anything_else() {
    let unknown = State::Open(Open { unknown: true, ..open(1) });
    let states = [State::Open(open(1)), State::Open(open(2)), unknown, State::Unsent]
        .into_iter()
        .chain(DECLINES.map(refused))
        .chain(Status::ALL.map(kept));
    for state in states {
        let found = Method { state, ..full() };
        check(&found, &Method { fingerprint: None, ..full() }, &["paymentMethod"]);
    }
}
