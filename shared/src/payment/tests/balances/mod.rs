//! What may be captured, released and given back: after what was asked, and however it ended.

mod refusals;

use std::time::Duration;

use super::fixtures::{
    START, acting, answer, asked, capture, cents, claim, dollars, exactly, opening, place, refund, stored_method, terms,
};
use super::purchase::Purchase;
use crate::gateways::sandbox;
use crate::ids::{Ordinal, Record};
use crate::merchant::AUTHORIZATION_LIFETIME;
use crate::money::{AmountError, Currency};
use crate::payment::asked::{AccountId, Amount, Details, Group, Membership};
use crate::payment::{
    BalanceCheck, Decline, Kind, MARGIN, MAX_OPERATIONS, MAX_OPERATIONS_TO_GIVE_BACK, Outcome, Request, Source, Terms,
    step,
};
use crate::rejection::Rejection;

/// What is asked, in cents; a refund says of which operation.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Capture(i64),
    FinalCapture(i64),
    Reverse(i64),
    Refund(usize, i64),
    RefundRest(usize),
    /// Nothing: the hold runs out.
    Expiry,
}

/// How that ends, or why it is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Approved,
    Pending,
    Declined,
    Unsent,
    Voided,
    NeverReceived,
    /// Refused: so much is available.
    Over(i64),
    Refused(Rejection),
}

use Ask::{Capture, Expiry, FinalCapture, Refund, RefundRest, Reverse};
use End::{Approved, Declined, NeverReceived, Over, Pending, Refused, Unsent, Voided};

fn strict() -> Terms {
    terms(&sandbox::LOOK_UP)
}

fn request(ask: Ask, name: &str) -> Request {
    let authorization = Ordinal::FIRST;
    match ask {
        Capture(minor) => acting(capture(authorization), name, exactly(minor)),
        FinalCapture(minor) => acting(Kind::Capture { authorization, is_final: true }, name, exactly(minor)),
        Reverse(minor) => acting(Kind::Reverse { authorization }, name, exactly(minor)),
        Refund(of, minor) => acting(refund(place(of)), name, exactly(minor)),
        RefundRest(of) => acting(refund(place(of)), name, Amount::Rest),
        Expiry => panic!("nobody asks for the expiry"),
    }
}

fn end(purchase: &mut Purchase, end: &End) {
    let operation = purchase.last();
    let outcome = match end {
        Approved => Outcome::Approved(answer("done")),
        Pending => Outcome::Unknown,
        Declined => Outcome::Declined(Decline::Soft, answer("no")),
        Unsent => Outcome::NotSent,
        Voided => Outcome::Voided(answer("undone")),
        NeverReceived => {
            purchase.wait(Duration::from_secs(30) + MARGIN);
            Outcome::NeverReceived
        }
        Over(_) | Refused(_) => panic!("what is refused does not end"),
    };
    let source = if *end == NeverReceived { Source::LookUp } else { Source::Answer };
    purchase.hear_from(operation, source, outcome);
}

fn check(says: &str, mut purchase: Purchase, asks: &[(Ask, End)]) {
    for (number, (ask, expected)) in asks.iter().enumerate() {
        if let Expiry = ask {
            purchase.now = purchase.payment.expires_at.expect("a hold that ends");
            continue;
        }
        let asked = purchase.ask(&request(*ask, &format!("key {number}")));
        let place = format!("{says}: {ask:?}, the {number}th");
        match (expected, asked) {
            (Over(left), Err(rejection)) => {
                assert_eq!(rejection, Rejection::OverBalance { available: cents(*left) }, "{place}");
            }
            (Refused(expected), Err(rejection)) => assert_eq!(rejection, *expected, "{place}"),
            (Over(_) | Refused(_), Ok(_)) => panic!("{place} was let through"),
            (_, Err(rejection)) => panic!("{place} was refused: {rejection}"),
            (expected, Ok(_)) => end(&mut purchase, expected),
        }
    }
}

#[test]
fn captures_and_reversals_share_what_was_authorized() {
    let rows: &[(&str, &[(Ask, End)])] = &[
        ("a hold is captured whole, once", &[(Capture(100), Approved), (Capture(1), Over(0))]),
        ("or in parts", &[(Capture(60), Approved), (Capture(40), Approved), (Capture(1), Over(0))]),
        ("never beyond", &[(Capture(101), Over(100)), (Capture(60), Approved), (Capture(41), Over(40))]),
        ("what is pending is spoken for", &[(Capture(60), Pending), (Capture(41), Over(40)), (Capture(40), Approved)]),
        ("what was declined is free", &[(Capture(60), Declined), (Capture(100), Approved)]),
        ("what was never sent is free", &[(Capture(60), Unsent), (Capture(100), Approved)]),
        ("what was undone is free", &[(Capture(60), Voided), (Capture(100), Approved)]),
        ("what never arrived is free", &[(Capture(60), NeverReceived), (Capture(100), Approved)]),
        ("a reversal takes its part", &[(Reverse(30), Approved), (Capture(71), Over(70)), (Capture(70), Approved)]),
        ("a pending one too", &[(Reverse(30), Pending), (Reverse(71), Over(70)), (Reverse(70), Approved)]),
        (
            "a reversal takes only what is left",
            &[(Capture(60), Pending), (Reverse(41), Over(40)), (Reverse(40), Approved)],
        ),
        ("a final capture closes", &[(FinalCapture(40), Approved), (Capture(1), Refused(Rejection::Closed))]),
        ("a pending one too", &[(FinalCapture(40), Pending), (Capture(1), Refused(Rejection::Closed))]),
        ("a declined one does not", &[(FinalCapture(40), Declined), (Capture(100), Approved)]),
    ];
    for (says, asks) in rows {
        check(says, Purchase::approved(Kind::Authorize, 100, strict()), asks);
        check(says, Purchase::approved(Kind::PostAuthorize, 100, strict()), asks);
    }
}

#[test]
fn a_gateway_that_checks_itself_may_release_more_than_was_held() {
    let terms = Terms { balance_check: BalanceCheck::Gateway, ..strict() };
    let mut purchase = Purchase::approved(Kind::Authorize, 100, terms);
    check(
        "beyond",
        Purchase::approved(Kind::Authorize, 100, terms),
        &[(Reverse(150), Approved), (Capture(1), Over(0))],
    );
    purchase.ask(&request(Reverse(150), "beyond")).expect("a reversal");
    end(&mut purchase, &Approved);
    assert_eq!(purchase.payment.uncaptured(Ordinal::FIRST), cents(-50));
    assert_eq!(purchase.payment.available_to_capture(Ordinal::FIRST, purchase.now), cents(0));
    purchase.terms.balance_check = BalanceCheck::Strict;
    let refused = purchase.ask(&request(Reverse(1), "more")).expect_err("nothing is left");
    assert_eq!(refused, Rejection::OverBalance { available: cents(0) });
}

#[test]
fn a_gateway_of_single_captures_takes_one_that_counts() {
    let terms = Terms { multi_capture: false, ..strict() };
    let refused = || Refused(Rejection::SingleCapture);
    let rows: &[(&str, &[(Ask, End)])] = &[
        ("one", &[(Capture(60), Approved), (Capture(40), refused())]),
        ("also while it is pending", &[(Capture(60), Pending), (Capture(40), refused())]),
        ("but a declined one is none", &[(Capture(60), Declined), (Capture(100), Approved)]),
        ("and one never sent is none", &[(Capture(60), Unsent), (Capture(100), Approved)]),
    ];
    for (says, asks) in rows {
        check(says, Purchase::approved(Kind::Authorize, 100, terms), asks);
    }
}

#[test]
fn what_was_taken_can_be_given_back_and_no_more() {
    let rows: &[(&str, &[(Ask, End)])] = &[
        ("whole", &[(Refund(1, 60), Approved), (Refund(1, 1), Over(0))]),
        ("in parts", &[(Refund(1, 20), Approved), (Refund(1, 41), Over(40)), (Refund(1, 40), Approved)]),
        ("pending is spoken for", &[(Refund(1, 20), Pending), (Refund(1, 41), Over(40)), (RefundRest(1), Approved)]),
        ("the rest", &[(Refund(1, 20), Approved), (RefundRest(1), Approved), (RefundRest(1), Over(0))]),
        ("declined is free", &[(Refund(1, 60), Declined), (Refund(1, 60), Approved)]),
        ("unsent is free", &[(RefundRest(1), Unsent), (Refund(1, 60), Approved)]),
        (
            "each capture has its own",
            &[(Refund(1, 60), Approved), (Refund(2, 41), Over(40)), (Refund(2, 40), Approved)],
        ),
        ("also after the hold has ended", &[(Expiry, Approved), (Refund(1, 60), Approved)]),
    ];
    for (says, asks) in rows {
        let mut purchase = Purchase::approved(Kind::Authorize, 100, strict());
        purchase.captured(60);
        purchase.captured(40);
        check(says, purchase, asks);
    }
    let sale = Purchase::approved(Kind::Sale, 60, strict());
    check("a sale", sale, &[(Refund(0, 61), Over(60)), (Refund(0, 20), Approved), (RefundRest(0), Approved)]);
}

#[test]
fn a_hold_can_be_captured_until_it_ends() {
    let mut purchase = Purchase::approved(Kind::Authorize, 100, strict());
    let end = purchase.now.plus(AUTHORIZATION_LIFETIME);
    assert_eq!(purchase.payment.expires_at, Some(end));
    assert_eq!(purchase.payment.available_to_capture(Ordinal::FIRST, end), cents(0));
    purchase.wait(AUTHORIZATION_LIFETIME - Duration::from_millis(1));
    assert_eq!(purchase.payment.available_to_capture(Ordinal::FIRST, purchase.now), cents(100));
    purchase.captured(10);
    purchase.now = end;
    let refused = purchase.ask(&request(Capture(10), "late")).expect_err("the hold has ended");
    assert_eq!(refused, Rejection::Expired { at: end });
    purchase.ask(&request(Reverse(10), "release")).expect("what is held too long may be released");
}

#[test]
fn a_balance_counts_what_is_certain() {
    let mut purchase = Purchase::approved(Kind::Authorize, 100, strict());
    purchase.captured(50);
    for (ask, ended) in
        [(Capture(5), Pending), (Reverse(7), Approved), (Reverse(8), Declined), (Refund(1, 20), Approved)]
    {
        purchase.ask(&request(ask, &format!("{ask:?}"))).expect("let through");
        end(&mut purchase, &ended);
    }
    purchase.ask(&request(Refund(1, 10), "pending")).expect("let through");
    let payment = &purchase.payment;
    assert_eq!(payment.captured(Ordinal::FIRST), cents(50));
    assert_eq!(payment.reversed(Ordinal::FIRST), cents(7));
    assert_eq!(payment.refunded(place(1)), cents(20));
    assert_eq!(payment.uncaptured(Ordinal::FIRST), cents(38));
    assert_eq!(payment.refundable(place(1)), cents(20));
}

#[test]
fn what_was_never_sent_asks_for_the_same_amount_again_if_it_fits() {
    let mut purchase = Purchase::approved(Kind::Authorize, 100, strict());
    purchase.ask(&request(Capture(60), "first")).expect("a capture");
    end(&mut purchase, &Unsent);
    purchase.captured(90);
    let refused = purchase.ask(&request(Capture(60), "first")).expect_err("its amount is taken by now");
    assert_eq!(refused, Rejection::OverBalance { available: cents(10) });

    purchase.ask(&request(RefundRest(2), "rest")).expect("a refund");
    end(&mut purchase, &Unsent);
    purchase.ask(&request(Refund(2, 30), "part")).expect("a refund");
    let refused = purchase.ask(&request(RefundRest(2), "rest")).expect_err("the gateway may know the key by 90");
    assert_eq!(refused, Rejection::OverBalance { available: cents(60) });
    end(&mut purchase, &Declined);
    purchase.ask(&request(RefundRest(2), "rest")).expect("it fits again");
    assert_eq!(purchase.payment.operations[3].amount, cents(90));
    assert_eq!(purchase.payment.refundable(place(2)), cents(0));
}

#[test]
fn what_was_never_sent_does_not_grow_with_what_is_left() {
    let mut purchase = Purchase::approved(Kind::Sale, 100, strict());
    purchase.ask(&request(Refund(0, 30), "part")).expect("a refund");
    purchase.ask(&request(RefundRest(0), "rest")).expect("a refund");
    end(&mut purchase, &Unsent);
    purchase.hear(place(1), Outcome::Declined(Decline::Soft, answer("no")));
    purchase.ask(&request(RefundRest(0), "rest")).expect("there is more left than then");
    assert_eq!(purchase.payment.operations[2].amount, cents(70));
    assert_eq!(purchase.payment.refundable(place(0)), cents(30));
}
