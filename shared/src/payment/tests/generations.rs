//! What we are known by at a gateway is replaced while an operation is open there: what was asked for under one
//! credential is asked for, or after, under no other.

use std::time::Duration;

use super::fixtures::{LIFE, answer, opening, raw_card, stored_method, terms};
use super::purchase::Purchase;
use crate::gateways::{Adapter, sandbox};
use crate::ids::Ordinal;
use crate::payment::{Effect, Generation, Instrument, Kind, MARGIN, Outcome, Reach, Source, State, Terms, Verdict};

const FIRST: Ordinal = Ordinal::FIRST;

const CLASSES: [&Adapter; 4] = [&sandbox::KEYED, &sandbox::LOOK_UP, &sandbox::TIMEOUT_REVERSAL, &sandbox::NONE];

fn known_as(generation: u32, adapter: &Adapter) -> Terms {
    Terms { generation: Generation(generation), ..terms(adapter) }
}

fn asked_as(generation: u32, adapter: &Adapter, instrument: Instrument) -> Purchase {
    Purchase::asked(&opening(Kind::Sale, instrument, "order 1", 100), known_as(generation, adapter))
}

/// The gateway did not answer, and every request has arrived.
fn unanswered(generation: u32, adapter: &Adapter, instrument: Instrument) -> Purchase {
    let mut purchase = asked_as(generation, adapter, instrument);
    purchase.hear(FIRST, Outcome::Unknown);
    purchase.wait(LIFE + MARGIN);
    purchase
}

/// Whether a person should know.
fn is_beyond_us(purchase: &Purchase) -> bool {
    matches!(purchase.state(FIRST), State::Open(open) if open.is_beyond_us())
}

#[test]
fn what_is_open_is_sent_asked_about_and_undone_under_the_credential_that_it_was_claimed_under_alone() {
    for adapter in CLASSES {
        for generation in [0, 1] {
            let acts = |known_as_now| {
                let mut purchase = unanswered(generation, adapter, stored_method());
                purchase.terms = known_as(known_as_now, adapter);
                purchase.look().effect
            };
            assert_eq!(acts(generation).is_some(), adapter.name != "sandbox-none", "{}", adapter.name);
            assert_eq!(acts(generation + 1), None, "{}", adapter.name);
        }
    }
}

#[test]
fn it_waits_for_a_notice_and_a_person_is_told_once() {
    for adapter in CLASSES {
        let mut purchase = unanswered(0, adapter, stored_method());
        purchase.terms = known_as(1, adapter);
        assert_eq!((purchase.look().effect, is_beyond_us(&purchase)), (None, true), "{}", adapter.name);
        assert_eq!(purchase.payment.due_at(), None, "nobody looks again in vain");
        purchase.hear_from(FIRST, Source::Notice, Outcome::Approved(answer("a")));
        assert!(matches!(purchase.state(FIRST), State::Settled(settled) if settled.verdict == Verdict::Approved));
    }
}

#[test]
fn a_hold_that_nobody_may_ask_about_lapses() {
    let mut purchase =
        Purchase::asked(&opening(Kind::Authorize, stored_method(), "order 1", 100), known_as(0, &sandbox::KEYED));
    purchase.wait(LIFE + MARGIN);
    purchase.terms = known_as(1, &sandbox::KEYED);
    assert_eq!(purchase.look().effect, None);
    let end = purchase.payment.expires_at.expect("a hold");
    assert_eq!(purchase.payment.due_at(), Some(end));
    purchase.now = end;
    purchase.look();
    assert!(matches!(purchase.state(FIRST), State::Settled(settled) if settled.verdict == Verdict::Lapsed));
}

#[test]
fn whoever_knows_an_older_credential_only_leaves_it_to_others() {
    for adapter in CLASSES {
        let mut purchase = unanswered(2, adapter, stored_method());
        purchase.terms = known_as(1, adapter);
        assert_eq!((purchase.look().effect, is_beyond_us(&purchase)), (None, false), "{}", adapter.name);
        let due = purchase.payment.due_at().expect("somebody looks again");
        assert!(due > purchase.now && due.since(purchase.now) <= Duration::from_secs(60), "{due}");
        purchase.now = due;
        purchase.terms = known_as(2, adapter);
        assert_eq!(purchase.look().effect.is_some(), adapter.name != "sandbox-none", "{}", adapter.name);
    }
}

#[test]
fn the_callers_own_retry_is_sent_to_the_same_account_or_answered_with_what_there_is() {
    for (known_as_now, sends) in [(0, true), (1, false)] {
        let mut purchase = unanswered(0, &sandbox::KEYED, raw_card());
        purchase.terms = known_as(known_as_now, &sandbox::KEYED);
        let told = purchase.ask(&opening(Kind::Sale, raw_card(), "order 1", 100)).expect("an answer");
        assert_eq!(matches!(told.effect, Some(Effect::Send { duplicate: true, .. })), sends);
    }
}

#[test]
fn what_never_reached_the_gateway_is_tried_anew_under_the_credential_that_counts_then() {
    let mut purchase = asked_as(0, &sandbox::KEYED, stored_method());
    purchase.hear(FIRST, Outcome::NotSent);
    purchase.terms = known_as(1, &sandbox::KEYED);
    let told = purchase.ask(&opening(Kind::Sale, stored_method(), "order 1", 100)).expect("an answer");
    assert!(matches!(told.effect, Some(Effect::Send { duplicate: false, .. })), "{told:?}");
    purchase.wait(LIFE + MARGIN);
    assert!(matches!(purchase.look().effect, Some(Effect::Send { duplicate: true, .. })), "it is of that account now");
}

#[test]
fn what_was_accepted_is_looked_up_at_the_account_that_accepted_it_alone() {
    let accepting = || {
        let terms = Terms { look_up: Reach::Everything, ..known_as(0, &sandbox::LOOK_UP) };
        let mut purchase = Purchase::asked(&opening(Kind::Sale, stored_method(), "order 1", 100), terms);
        purchase.hear(FIRST, Outcome::Accepted(answer("a")));
        purchase.now = purchase.payment.due_at().expect("a time to look");
        purchase
    };
    for (known_as_now, asks) in [(0, true), (1, false)] {
        let mut purchase = accepting();
        purchase.terms.generation = Generation(known_as_now);
        assert_eq!(matches!(purchase.look().effect, Some(Effect::LookUp { .. })), asks);
        let State::Accepted(accepted) = purchase.state(FIRST) else { panic!("it waits") };
        let is_overdue = accepted.is_overdue(asks, purchase.now);
        assert_eq!((is_overdue, accepted.due.is_none()), (!asks, !asks), "a person is told once");
    }
}
