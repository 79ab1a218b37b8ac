//! What its owner changes, and what cannot be changed any more.

use super::fixtures::{DECLINES, accepted, action, full, kept, open, plain, refused, text};
use crate::method::step::changed;
use crate::method::{Change, Changes, Method, State, Status};
use crate::rejection::Rejection;

fn to(status: Status) -> Change {
    Change { status: Some(status), ..Change::default() }
}

fn named(name: Option<&str>) -> Change {
    Change { nick_name: Some(name.map(str::to_owned)), ..Change::default() }
}

fn paying(auto_pay: bool) -> Change {
    Change { auto_pay: Some(auto_pay), ..Change::default() }
}

fn of(status: Status) -> Method {
    let token = full().token.filter(|_| status != Status::Canceled);
    Method { state: kept(status), changes: Changes::default(), token, ..full() }
}

/// Does it, and then the same again, which changes nothing.
fn check(before: Method, change: &Change) -> Method {
    let after = changed(before.clone(), change).unwrap_or_else(|rejection| panic!("{change:?}: {rejection}"));
    assert_eq!(
        after.version,
        before.version + u64::from(Method { version: before.version, ..after.clone() } != before)
    );
    assert_eq!((&after.asked, after.requested_at), (&before.asked, before.requested_at), "what was asked stays");
    assert_eq!(changed(after.clone(), change), Ok(after.clone()), "the same change again");
    after
}

#[test]
fn a_name_is_given_and_taken_away() {
    assert_eq!(of(Status::Active).nick_name(), Some("the blue one"), "as it was asked for");
    let renamed = check(of(Status::Active), &named(Some("the red one")));
    assert_eq!((renamed.nick_name(), renamed.version), (Some("the red one"), 8));
    let nameless = check(renamed, &named(None));
    assert_eq!((nameless.nick_name(), nameless.version), (None, 9));
    assert_eq!(nameless.asked.details.nick_name, text("the blue one"), "what was asked is answered to the same key");
    assert_eq!(check(plain(), &named(Some("new"))).nick_name(), Some("new"));
}

#[test]
fn auto_pay_is_switched() {
    let of_asked = |auto_pay| {
        let mut method = plain();
        method.asked.details.auto_pay = auto_pay;
        method
    };
    for asked in [false, true] {
        assert_eq!(of_asked(asked).auto_pay(), asked);
        for wanted in [false, true] {
            let switched = check(of_asked(asked), &paying(wanted));
            assert_eq!(switched.auto_pay(), wanted);
            assert_eq!(check(switched, &paying(!wanted)).auto_pay(), !wanted);
        }
    }
}

#[test]
fn a_method_rests_and_comes_back_with_its_token() {
    let inactive = check(of(Status::Active), &to(Status::Inactive));
    assert_eq!((inactive.status(), &inactive.token), (Some(Status::Inactive), &full().token));
    let active = check(inactive, &to(Status::Active));
    assert_eq!((active.status(), &active.token, active.version), (Some(Status::Active), &full().token, 9));
    let State::Kept { answer, at, .. } = of(Status::Active).state else { panic!("it is kept") };
    assert_eq!(active.state, State::Kept { status: Status::Active, answer, at }, "what the gateway said stays");
}

#[test]
fn a_canceled_method_is_canceled_for_good_and_its_token_is_gone() {
    for status in Status::ALL {
        let canceled = check(of(status), &to(Status::Canceled));
        assert_eq!((canceled.status(), &canceled.token), (Some(Status::Canceled), &None), "{status:?}");
        for back in [Status::Active, Status::Inactive] {
            let refused = Rejection::MethodUnusable { status: "Canceled" };
            assert_eq!(changed(canceled.clone(), &to(back)), Err(refused.clone()));
            let with_name = Change { nick_name: Some(text("back")), ..to(back) };
            assert_eq!(changed(canceled.clone(), &with_name), Err(refused), "not even in part");
        }
        assert_eq!(check(canceled, &named(Some("the old one"))).nick_name(), Some("the old one"));
    }
}

#[test]
fn one_change_may_change_everything_at_once() {
    let change = Change { nick_name: Some(None), auto_pay: Some(false), status: Some(Status::Canceled) };
    let after = check(of(Status::Active), &change);
    assert_eq!((after.nick_name(), after.auto_pay(), after.status()), (None, false, Some(Status::Canceled)));
    assert_eq!(after.version, 8, "it is one write");
}

#[test]
fn what_is_not_said_stays_as_it_is() {
    for method in [full(), plain(), of(Status::Canceled)] {
        assert_eq!(check(method.clone(), &Change::default()), method);
    }
    let renamed = check(full(), &named(Some("new")));
    assert_eq!((renamed.changes.auto_pay, renamed.status()), (Some(false), Some(Status::Inactive)));
    let switched = check(full(), &paying(true));
    assert_eq!(switched.changes.nick_name, Some(text("the red one")));
}

#[test]
fn what_is_not_kept_is_not_there_to_be_changed() {
    let states = [State::Open(open(1)), State::Unsent].into_iter().chain(DECLINES.map(refused));
    for state in states {
        let method = Method { state, ..full() };
        assert_eq!(method.status(), None);
        for change in [Change::default(), named(Some("new")), to(Status::Canceled)] {
            assert_eq!(changed(method.clone(), &change), Err(Rejection::NotFound));
        }
    }
}

#[test]
fn what_a_gateway_has_yet_to_keep_cannot_be_changed() {
    for action in [None, Some(action())] {
        let method = Method { state: accepted(action), token: None, ..full() };
        assert_eq!((method.status(), method.shown_status()), (None, Some(Status::Inactive)));
        for change in [Change::default(), named(Some("new")), to(Status::Canceled)] {
            let refused = changed(method.clone(), &change);
            assert_eq!(refused, Err(Rejection::MethodUnusable { status: "Pending" }));
        }
    }
}
