//! Which member differs when a key is used for something else, and what may be a key at all.

use super::fixtures::{
    START, acting, asked, card_of, claim, dollars, exactly, gateway_id, key, method_id, opening, place, raw_card,
    stored_method, terms,
};
use super::purchase::Purchase;
use crate::gateways::sandbox;
use crate::ids::{GatewayId, Ordinal};
use crate::money::Currency;
use crate::payment::asked::{AccountId, Address, Amount, Details, Group, Membership, Opening, RefundReason};
use crate::payment::{Action, IdempotencyKey, Instrument, Kind, Request, step};
use crate::rejection::Rejection;

fn check(first: &Request, second: &Request, expected: &[&'static str]) {
    let terms = terms(&sandbox::LOOK_UP);
    let opened = step(None, &asked(first, claim(1, START)), &terms, START).expect("a payment").payment;
    match step(Some(&opened), &asked(second, claim(2, START)), &terms, START) {
        Err(Rejection::Mismatch { fields }) => assert_eq!(fields, expected),
        Err(Rejection::InProgress { .. }) => assert!(expected.is_empty(), "{expected:?} went unnoticed"),
        other => panic!("{expected:?}: {other:?}"),
    }
}

fn sale(instrument: Instrument) -> Request {
    opening(Kind::Sale, instrument, "order 1", 12_050)
}

#[test]
fn a_member_that_differs_is_named_as_the_caller_knows_it() {
    let text = || Some("x".to_owned());
    let group = Group { member: Membership::Existing { id: "0gq1".to_owned() }, currency: None };
    let none = Details::default;
    let rows = [
        ("accountId", Details { account: AccountId::parse("001A"), ..none() }),
        ("effectiveDate", Details { effective_at: Some(START), ..none() }),
        ("comments", Details { comments: text(), ..none() }),
        ("clientContext", Details { client_context: text(), ..none() }),
        ("email", Details { email: text(), ..none() }),
        ("ipAddress", Details { ip_address: text(), ..none() }),
        ("macAddress", Details { mac_address: text(), ..none() }),
        ("phone", Details { phone: text(), ..none() }),
        ("additionalData", Details { additional_data: [("k".to_owned(), "v".to_owned())].into(), ..none() }),
        ("paymentGroup", Details { group: Some(group), ..none() }),
        ("submittedByMerchant", Details { submitted_by_merchant: true, ..none() }),
    ];
    for (name, details) in rows {
        check(&sale(stored_method()), &Request { details, ..sale(stored_method()) }, &[name]);
    }
    check(&sale(stored_method()), &Request { amount: exactly(12_051), ..sale(stored_method()) }, &["amount"]);
    check(&sale(stored_method()), &opening(Kind::Authorize, stored_method(), "order 1", 12_050), &["operation"]);
    check(&sale(stored_method()), &sale(raw_card()), &["paymentMethod"]);
    check(&sale(stored_method()), &sale(stored_method()), &[]);
}

#[test]
fn the_gateway_and_the_currency_are_part_of_what_is_asked() {
    let elsewhere = |gateway, currency| {
        let opening = Opening { kind: Kind::Sale, gateway, currency, instrument: stored_method() };
        Request { action: Action::Open(opening), ..sale(stored_method()) }
    };
    let euros = Currency::parse("EUR").expect("a currency");
    let other = GatewayId::from_random([9; 16]);
    check(&sale(stored_method()), &elsewhere(other, dollars()), &["paymentGatewayId"]);
    check(&sale(stored_method()), &elsewhere(gateway_id(), euros), &["currencyIsoCode"]);
    check(&sale(stored_method()), &elsewhere(other, euros), &["paymentGatewayId", "currencyIsoCode"]);
}

#[test]
fn another_card_is_noticed_although_neither_is_stored() {
    let at = |street: &str| Address { street: Some(street.to_owned()), ..Address::default() };
    let first = || sale(card_of("4242424242424242", "123", at("Main St 1")));
    check(&first(), &sale(card_of("4242424242424242", "999", at("Main St 1"))), &[]);
    check(&first(), &sale(card_of("4242424242424242", "123", at("Main St 2"))), &["paymentMethod"]);
    // The same first six and last four digits.
    check(&first(), &sale(card_of("4242420000004242", "123", at("Main St 1"))), &["paymentMethod"]);
}

#[test]
fn an_operation_on_a_payment_differs_by_what_it_acts_on_and_how() {
    let mut purchase = Purchase::approved(Kind::Authorize, 100, terms(&sandbox::LOOK_UP));
    let (first, second) = (purchase.captured(40), purchase.captured(40));
    let give_back = |payment, reason| acting(Kind::Refund { payment, reason }, "one key", exactly(10));
    let take = |is_final| acting(Kind::Capture { authorization: Ordinal::FIRST, is_final }, "one key", exactly(10));
    purchase.ask(&give_back(first, None)).expect("a refund");
    purchase.ask(&take(false)).expect("the same key names a capture of its own");
    assert_eq!(purchase.payment.operations.len(), 5);
    let rows = [
        (give_back(second, None), "path"),
        (give_back(first, Some(RefundReason::Duplicate)), "reason"),
        (take(true), "isFinalCapture"),
        (acting(Kind::Refund { payment: first, reason: None }, "one key", Amount::Rest), "amount"),
    ];
    for (request, name) in rows {
        assert_eq!(purchase.ask(&request).err(), Some(Rejection::Mismatch { fields: vec![name] }));
    }
    assert_eq!(purchase.payment.operations[3].asked.kind.target(), Some(place(1)));
}

#[test]
fn a_key_has_a_length_and_no_control_characters() {
    let rows = [
        ("k".to_owned(), true),
        ("長".repeat(255), true),
        ("k".repeat(256), false),
        (String::new(), false),
        ("a\nb".to_owned(), false),
        ("a\u{7f}".to_owned(), false),
        (" ".to_owned(), true),
    ];
    for (text, sound) in rows {
        assert_eq!(IdempotencyKey::parse(&text).is_some(), sound, "{text:?}");
    }
    assert_eq!(key("k").as_str(), "k");
}

#[test]
fn an_account_id_is_checked_for_its_form() {
    let rows = [
        ("001xx000003DHP0AAO".to_owned(), true),
        ("a.b_c-d".to_owned(), true),
        ("x".repeat(64), true),
        ("x".repeat(65), false),
        (String::new(), false),
        ("a b".to_owned(), false),
        ("a/b".to_owned(), false),
        ("é".to_owned(), false),
    ];
    for (text, sound) in rows {
        assert_eq!(AccountId::parse(&text).map(|id| id.as_str().to_owned()), sound.then_some(text));
    }
}

#[test]
fn an_account_is_the_same_in_its_long_form_and_its_short_one() {
    let with = |account: &str| {
        let details = Details { account: AccountId::parse(account), ..Details::default() };
        Request { details, ..sale(stored_method()) }
    };
    check(&with("0aQR00000004ZkK"), &with("0aQR00000004ZkKMAU"), &[]);
    check(&with("0aQR00000004ZkK"), &with("0aQR00000004Zkk"), &["accountId"]);
    check(&with("0aQR00000004ZkK"), &with("0aQR00000004ZkKMAA"), &["accountId"]);
}

#[test]
fn another_stored_method_is_another_method() {
    let other = Instrument::Stored(crate::payment::asked::OnFile::unopened(
        crate::ids::MethodId::parse("03O000000000002").expect("a method id"),
    ));
    assert_eq!(stored_method().facts(), crate::payment::asked::InstrumentFacts::Stored(method_id()));
    check(&sale(stored_method()), &sale(other), &["paymentMethod"]);
}
