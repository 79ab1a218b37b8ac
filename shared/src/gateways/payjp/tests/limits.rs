//! What PAY.JP does not take is refused by its member, with the limit.

use std::time::Duration;

use super::{PAYJP, TOKEN, World, added, flow_known, intent, kinds, stored, yen};
use crate::gateways::{Account, Intent, Known};
use crate::ids::Ordinal;
use crate::payment::Kind;
use crate::payment::asked::Details;
use crate::payment::tests::fixtures::{START, cents, raw_card};
use crate::rejection::Rejection;
use crate::time::Timestamp;

fn refused(intent: &Intent<'_>) -> Option<&'static str> {
    refused_at(intent, START)
}

fn refused_at(intent: &Intent<'_>, now: Timestamp) -> Option<&'static str> {
    let world = World::test();
    match (PAYJP.admits)(intent, &Account { now, ..world.account() }) {
        Ok(()) => None,
        Err(Rejection::NotAtGateway { member, limit }) => {
            assert!(!limit.is_empty());
            Some(member)
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn amounts_are_yen_between_two_bounds() {
    let (paid, named) = (stored(TOKEN), added(&[("reference", "pfw_1")]));
    for kind in kinds() {
        let whole = |minor| Intent {
            amount: yen(minor),
            target: kind.target().map(|_| flow_known(minor, None)),
            ..intent(&kind, Some(&paid), &named)
        };
        let is_bounded = match kind {
            Kind::Authorize | Kind::Sale | Kind::PostAuthorize | Kind::Capture { .. } => true,
            Kind::Reverse { .. } | Kind::Refund { .. } => false,
        };
        for minor in [50, 51, 9_999_999] {
            assert_eq!(refused(&whole(minor)), None, "{kind:?} of {minor}");
        }
        for minor in [1, 49, 10_000_000, i64::MAX] {
            assert_eq!(refused(&whole(minor)), is_bounded.then_some("amount"), "{kind:?} of {minor}");
        }
        let dollars = Intent { amount: cents(1_200), ..intent(&kind, Some(&paid), &named) };
        assert_eq!(refused(&dollars), Some("currencyIsoCode"), "{kind:?}");
    }
}

#[test]
fn a_payment_needs_a_method_of_a_customer() {
    let (none, customer) = (Details::default(), added(&[("customerId", "cus_1")]));
    for kind in [Kind::Authorize, Kind::Sale] {
        let paid = |token: &str, details: &Details| refused(&intent(&kind, Some(&stored(token)), details));
        assert_eq!(refused(&intent(&kind, Some(&raw_card()), &none)), Some("paymentMethod"));
        assert_eq!(paid("pm_1", &none), Some("paymentMethod"));
        assert_eq!(paid("/pm_1", &none), Some("paymentMethod"));
        assert_eq!((paid("pm_1", &customer), paid(TOKEN, &none), paid("cus_1/", &none)), (None, None, None));
    }
    assert_eq!(refused(&intent(&Kind::PostAuthorize, Some(&raw_card()), &added(&[("reference", "pfw_1")]))), None);
}

#[test]
fn what_is_added_says_what_payjp_knows() {
    let paid = stored(TOKEN);
    let rows = [
        ("threeDSecure", "always"),
        ("extendedAuthorization", "yes"),
        ("paymentMethodType", "konbini"),
        ("cancellationReason", "expired"),
        ("returnUrl", "shop"),
    ];
    for (name, said) in rows {
        assert_eq!(
            refused(&intent(&Kind::Sale, Some(&paid), &added(&[(name, said)]))),
            Some("additionalData"),
            "{name}"
        );
    }
    for details in [added(&[]), added(&[("reference", "")]), added(&[("reference", "../x")])] {
        assert_eq!(refused(&intent(&Kind::PostAuthorize, None, &details)), Some("additionalData"));
    }
}

#[test]
fn a_hold_is_released_whole() {
    let (none, reverse) = (Details::default(), Kind::Reverse { authorization: Ordinal::FIRST });
    assert_eq!(refused(&intent(&reverse, None, &none)), None);
    let part = Intent { amount: yen(1_199), ..intent(&reverse, None, &none) };
    assert_eq!(refused(&part), Some("amount"));
}

#[test]
fn a_refund_has_its_time() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let (none, kind) = (Details::default(), Kind::Refund { payment: Ordinal::FIRST, reason: None });
    let at = |target: Known<'_>, now| {
        refused_at(&Intent { target: Some(target), ..intent(&kind, None, &none) }, now).is_some()
    };
    let of = |details| flow_known(1_200, Some(details));
    let moment = |text| Timestamp::parse(text).expect("a moment");

    let told = r#"{"method":"card","created":"2026-09-01T00:00:00Z","confirmed":"2026-09-20T00:00:00Z"}"#;
    assert!(!at(of(told), moment("2027-02-28T00:00:00Z")));
    assert!(at(of(told), moment("2027-02-28T00:00:00.001Z")));
    let untold = of(r#"{"method":"card"}"#);
    assert!(!at(untold, START.plus(DAY * 180)) && at(untold, START.plus(DAY * 180).plus(Duration::from_millis(1))));
    let opened = Some(Known { requested_at: START.plus(DAY), ..flow_known(1_200, None) });
    let later = Intent { target: Some(untold), opening: opened, ..intent(&kind, None, &none) };
    assert_eq!(refused_at(&later, START.plus(DAY * 181)), None);

    // Confirmed at ten at night in Tokyo: the days are counted there.
    let wallet = r#"{"method":"paypay","created":"2026-08-01T00:00:00Z","confirmed":"2026-09-20T13:00:00Z"}"#;
    assert!(!at(of(wallet), moment("2027-09-20T14:59:59.999Z")));
    assert!(at(of(wallet), moment("2027-09-20T15:00:00Z")));

    for unknown in ["{}", r#"{"method":"apple_pay"}"#, "", "[]"] {
        assert!(!at(of(unknown), START.plus(DAY * 1_000)), "{unknown}");
    }
}
