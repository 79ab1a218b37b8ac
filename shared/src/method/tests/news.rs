//! What merchants are told of a stored method: each change once, of what they want, and nothing else.

use super::fixtures::{DECLINES, accepted, action, full, kept, open, refused, sealed, text};
use crate::event::{EventName, EventNames};
use crate::method::step::changed;
use crate::method::{Change, Method, Open, State, Status};
use crate::payment::outbox::{News, Outbox, Round};
use crate::payment::tests::fixtures::START;

fn of(state: State) -> Method {
    Method { state, ..full() }
}

fn told(before: Option<&State>, after: State, wanted: EventNames) -> Vec<&'static str> {
    let (before, mut after) = (before.map(|state| of(state.clone())), of(after));
    after.tell(before.as_ref(), wanted, START);
    after.outbox.entries.iter().map(|entry| after.event(entry).expect("a name").text()).collect()
}

/// Those that are alike for whoever is told.
fn states() -> Vec<(&'static str, State)> {
    let open = open(1);
    let mut states = vec![
        ("nothing", State::Unsent),
        ("nothing", State::Open(open)),
        ("pending", State::Open(Open { unknown: true, ..open })),
        ("pending", State::Open(Open { duplicate: true, ..open })),
        ("pending", accepted(None)),
        ("pending", accepted(Some(action()))),
    ];
    states.extend(DECLINES.map(|decline| ("failed", refused(decline))));
    states.extend(Status::ALL.map(|status| (status.literal(), kept(status))));
    states
}

#[test]
fn a_change_of_state_is_told_once_and_no_change_is_not_told() {
    let is_kept = |name: &str| Status::ALL.iter().any(|status| status.literal() == name);
    for (was, before) in states() {
        for (is, after) in states() {
            let expected = match (was, is) {
                _ if was == is => None,
                (_, "nothing") => None,
                (_, "pending") => Some("payment_method.pending"),
                (_, "failed") => Some("payment_method.failed"),
                _ if is_kept(was) => Some("payment_method.updated"),
                _ => Some("payment_method.created"),
            };
            let expected: Vec<_> = expected.into_iter().collect();
            assert_eq!(told(Some(&before), after.clone(), EventNames::all()), expected, "{before:?} {after:?}");
            assert_eq!(told(Some(&before), after, EventNames::NONE), [""; 0], "nobody wants to hear of it");
        }
    }
    assert_eq!(told(None, kept(Status::Active), EventNames::all()), ["payment_method.created"], "it was brought");
    let others: EventNames =
        EventName::ALL.iter().copied().filter(|name| !name.text().starts_with("payment_method.")).collect();
    assert_eq!(told(None, kept(Status::Active), others), [""; 0]);
}

#[test]
fn each_change_of_its_owners_is_an_event_of_its_own() {
    let change = |name: &str| Change { nick_name: Some(text(name)), ..Change::default() };
    let mut method = Method { outbox: Outbox::default(), ..of(kept(Status::Active)) };
    for name in ["one", "two", "two", "three"] {
        let mut next = changed(method.clone(), &change(name)).expect("it is changed");
        next.tell(Some(&method), EventNames::all(), START);
        method = next;
    }
    let entries = method.outbox.entries.clone();
    let ids: Vec<_> = entries.iter().map(|entry| method.event_id(entry).expect("an id")).collect();
    let [one, two, three] = ids.as_slice() else { panic!("{ids:?}") };
    assert!(one != two && two != three && one != three, "{ids:?}");
    assert!(entries.iter().all(|entry| method.event(entry) == Some(EventName::PaymentMethodUpdated)));
    assert_eq!(method.outbox.due(), Some(START));
    // Told again, it is the same event under another number.
    let first = entries[0];
    method.outbox.learn(&Round { seen: 3, ..Round::default() }, START);
    assert_eq!(method.outbox.due(), None);
    method.outbox.tell_again(first.operation, first.news, first.at);
    let again = method.outbox.entries[0];
    assert_eq!((method.event_id(&again).as_ref(), again.number), (Some(one), 4));
}

#[test]
fn a_new_seal_is_nobodys_business() {
    let before = of(kept(Status::Active));
    let mut after = Method { version: 8, token: Some(sealed()), ..before.clone() };
    after.tell(Some(&before), EventNames::all(), START);
    assert_eq!(after.outbox, Outbox::default());
}

#[test]
fn that_it_is_pending_is_not_told_any_more_once_it_is_known() {
    for (is_told, expected) in [(false, vec![News::Created]), (true, vec![News::Created])] {
        let mut pending = of(accepted(None));
        pending.tell(Some(&of(State::Open(open(1)))), EventNames::all(), START);
        assert_eq!(pending.outbox.entries.len(), 1);
        if is_told {
            pending.outbox.learn(&Round { seen: 1, ..Round::default() }, START);
        }
        let mut method = Method { state: kept(Status::Active), ..pending.clone() };
        method.tell(Some(&pending), EventNames::all(), START);
        let news: Vec<_> = method.outbox.entries.iter().map(|entry| entry.news).collect();
        assert_eq!((news, method.outbox.made), (expected, 2));
    }
}
