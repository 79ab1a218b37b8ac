//! What is refused whatever the balance.

use super::*;

#[test]
fn what_has_not_taken_effect_cannot_be_acted_on() {
    let rows = [
        (Pending, "Pending"),
        (Declined, "Failed"),
        (Unsent, "Draft"),
        (Voided, "Canceled"),
        (NeverReceived, "Failed"),
    ];
    for (first, status) in rows {
        let request_of = |kind| opening(kind, stored_method(), "order 1", 100);
        for (kind, ask) in [(Kind::Authorize, Capture(1)), (Kind::Authorize, Reverse(1)), (Kind::Sale, Refund(0, 1))] {
            let mut purchase = Purchase::asked(&request_of(kind), strict());
            end(&mut purchase, &first);
            let refused = purchase.ask(&request(ask, "next")).expect_err("it has not taken effect");
            assert_eq!(refused, Rejection::NotApproved { status }, "{ask:?} after {first:?}");
        }
    }
}

#[test]
fn an_operation_acts_on_its_own_kind_of_record_only() {
    for (opened, record) in [(Kind::Authorize, Record::Authorization), (Kind::Sale, Record::Payment)] {
        let mut purchase = Purchase::approved(opened, 100, strict());
        assert_eq!(purchase.payment.operations[0].record(), record);
        let mut refused = |ask| purchase.ask(&request(ask, "wrong")).err();
        match record {
            Record::Authorization => assert_eq!(refused(Refund(0, 1)), Some(Rejection::NotFound)),
            _ => {
                assert_eq!(refused(Capture(1)), Some(Rejection::NotFound));
                assert_eq!(refused(Reverse(1)), Some(Rejection::NotFound));
            }
        }
    }
    let mut purchase = Purchase::approved(Kind::Authorize, 100, strict());
    purchase.captured(50);
    for kind in [capture(place(1)), Kind::Reverse { authorization: place(1) }, refund(place(2)), Kind::Sale] {
        let refused = purchase.ask(&acting(kind.clone(), "wrong", exactly(1))).expect_err("not such a record");
        assert_eq!(refused, Rejection::NotFound, "{kind:?}");
    }
}

#[test]
fn a_payment_keeps_to_its_account_and_currency() {
    let account = |id: &str| Details { account: AccountId::parse(id), ..Details::default() };
    let yen = Currency::parse("JPY");
    let group = Group { member: Membership::New { source: None }, currency: yen };
    let grouped = Details { group: Some(group), ..Details::default() };
    let expected = Rejection::WrongCurrency { expected: "USD" };

    let first = Request { details: account("001A"), ..opening(Kind::Authorize, stored_method(), "order 1", 100) };
    let mut purchase = Purchase::asked(&first, strict());
    end(&mut purchase, &Approved);
    let mut refused = |details: Details| {
        let request = Request { details, ..request(Capture(10), "next") };
        purchase.ask(&request).err()
    };
    assert_eq!(refused(account("001B")), Some(Rejection::WrongAccount));
    assert_eq!(refused(grouped.clone()), Some(expected.clone()));
    let group = Group { member: Membership::New { source: None }, currency: Some(dollars()) };
    assert_eq!(refused(Details { group: Some(group), ..account("001A") }), None);

    let opened = Request { details: grouped, ..opening(Kind::Sale, stored_method(), "order 2", 100) };
    assert_eq!(step(None, &asked(&opened, claim(1, START)), &strict(), START), Err(expected));
}

#[test]
fn only_a_refund_may_leave_the_amount_out() {
    let mut purchase = Purchase::approved(Kind::Authorize, 100, strict());
    for kind in [capture(Ordinal::FIRST), Kind::Reverse { authorization: Ordinal::FIRST }] {
        let refused = purchase.ask(&acting(kind, "all", Amount::Rest)).expect_err("an amount is needed");
        assert_eq!(refused, Rejection::Amount(AmountError::NotANumber));
    }
}

/// Whoever is told what is wrong with an amount would otherwise look for it in vain.
#[test]
fn what_is_wrong_with_the_target_is_told_before_what_is_wrong_with_the_amount() {
    let no_amount = |kind, name| acting(kind, name, Amount::Rest);
    let elsewhere =
        |request| Request { details: Details { account: AccountId::parse("001B"), ..Details::default() }, ..request };
    let first = Request {
        details: Details { account: AccountId::parse("001A"), ..Details::default() },
        ..opening(Kind::Authorize, stored_method(), "order 1", 100)
    };
    let mut purchase = Purchase::asked(&first, strict());
    let mut refused = |request: &Request| purchase.ask(request).err();
    assert_eq!(refused(&no_amount(capture(place(7)), "nowhere")), Some(Rejection::NotFound));
    assert_eq!(refused(&no_amount(refund(Ordinal::FIRST), "no sale")), Some(Rejection::NotFound));
    assert_eq!(refused(&elsewhere(no_amount(capture(Ordinal::FIRST), "not ours"))), Some(Rejection::WrongAccount));
    let pending = Some(Rejection::NotApproved { status: "Pending" });
    assert_eq!(refused(&no_amount(capture(Ordinal::FIRST), "too early")), pending);
    end(&mut purchase, &Approved);
    let refused = purchase.ask(&no_amount(capture(Ordinal::FIRST), "how much")).err();
    assert_eq!(refused, Some(Rejection::Amount(AmountError::NotANumber)));
}

#[test]
fn a_payment_holds_a_limited_number_of_operations() {
    let mut purchase = Purchase::approved(Kind::Authorize, 1_000, strict());
    for _ in 1..MAX_OPERATIONS {
        purchase.captured(1);
    }
    let refused = purchase.ask(&request(Capture(1), "one more")).expect_err("it is full");
    assert_eq!((refused, purchase.payment.operations.len()), (Rejection::Full, MAX_OPERATIONS));
    for place in MAX_OPERATIONS..MAX_OPERATIONS_TO_GIVE_BACK {
        let ask = if place % 2 == 0 { Reverse(1) } else { Refund(place - MAX_OPERATIONS, 1) };
        purchase.ask(&request(ask, &format!("give back {place}"))).expect("there is room to give back");
    }
    for ask in [Reverse(1), Refund(2, 1)] {
        let refused = purchase.ask(&request(ask, "one more")).expect_err("it is full");
        assert_eq!(refused, Rejection::Full);
    }
}
