//! What we are known by at a gateway is replaced while an operation is open there: what was asked for under one
//! credential is asked for, or after, under no other.

use std::time::Duration;

use super::fixtures::{LIFE, START, answer, opening, raw_card, stored_method, terms};
use super::purchase::Purchase;
use crate::gateways::{Adapter, sandbox};
use crate::ids::Ordinal;
use crate::payment::{
    Effect, Generation, Instrument, Kind, MARGIN, Outcome, PayerAction, Reach, Source, State, Terms, Verdict,
};

const FIRST: Ordinal = Ordinal::FIRST;

const HOUR: Duration = Duration::from_secs(60 * 60);

const CLASSES: [&Adapter; 4] = [&sandbox::KEYED, &sandbox::LOOK_UP, &sandbox::TIMEOUT_REVERSAL, &sandbox::NONE];

fn known_as(generation: u64, adapter: &Adapter) -> Terms {
    Terms { generation: Generation(generation), ..terms(adapter) }
}

fn asked_as(generation: u64, adapter: &Adapter, instrument: Instrument) -> Purchase {
    Purchase::asked(&opening(Kind::Sale, instrument, "order 1", 100), known_as(generation, adapter))
}

/// The gateway did not answer, and every request has arrived.
fn unanswered(generation: u64, adapter: &Adapter, instrument: Instrument) -> Purchase {
    let mut purchase = asked_as(generation, adapter, instrument);
    purchase.hear(FIRST, Outcome::Unknown);
    purchase.wait(LIFE + MARGIN);
    purchase
}

/// Whether a person should know.
fn is_overdue(purchase: &Purchase) -> bool {
    purchase.payment.operations[0].is_overdue(&purchase.terms, purchase.now)
}

/// Accepted, under the first credential; an hour for the payer, where there is something to do.
fn accepted(generation: u64, payer_acts: bool) -> Purchase {
    let mut purchase = asked_as(generation, &sandbox::LOOK_UP, stored_method());
    let expires_at = purchase.now.plus(HOUR);
    let action = PayerAction { url: "https://gateway.test/1".to_owned(), expires_at };
    purchase.hear(
        FIRST,
        if payer_acts { Outcome::ActionRequired(answer("a"), action) } else { Outcome::Accepted(answer("a")) },
    );
    purchase
}

/// Looks whenever it is due, this often or until it is not; how long after it was asked for a person was told.
fn told_after(purchase: &mut Purchase, looks: usize) -> Vec<Duration> {
    let mut told = Vec::new();
    for _ in 0..looks {
        let Some(due) = purchase.payment.due_at() else { break };
        purchase.now = due;
        assert_eq!(purchase.look().effect, None);
        if is_overdue(purchase) {
            told.push(due.since(START));
        }
    }
    told
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
        assert_eq!((purchase.look().effect, is_overdue(&purchase)), (None, true), "{}", adapter.name);
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
        assert_eq!((purchase.look().effect, is_overdue(&purchase)), (None, false), "{}", adapter.name);
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
        let is_over = purchase.payment.due_at().is_none();
        assert_eq!((is_overdue(&purchase), is_over), (!asks, !asks), "a person is told once");
    }
}

#[test]
fn while_the_payer_may_act_at_the_former_account_it_waits_and_then_a_person_is_told_once() {
    let mut purchase = accepted(0, true);
    purchase.terms = known_as(1, &sandbox::LOOK_UP);
    let patience = purchase.terms.verdict_within;
    assert_eq!(told_after(&mut purchase, 20), [HOUR + MARGIN + patience]);
    assert_eq!(purchase.payment.due_at(), None);
    purchase.hear_from(FIRST, Source::Notice, Outcome::Approved(answer("a")));
    assert!(purchase.payment.operations[0].is_approved(), "a notice settles it still");
}

#[test]
fn once_the_payer_has_acted_at_the_former_account_a_person_is_told_when_it_takes_too_long() {
    for looks in [0, 1] {
        let mut purchase = accepted(0, true);
        purchase.terms = known_as(1, &sandbox::LOOK_UP);
        assert!(told_after(&mut purchase, looks).is_empty());
        purchase.wait(Duration::from_secs(1));
        let acted = purchase.now.since(START);
        purchase.hear_from(FIRST, Source::Notice, Outcome::Accepted(answer("a")));
        let patience = purchase.terms.verdict_within;
        assert_eq!(told_after(&mut purchase, 20), [acted + patience], "{looks} looks before");
        assert_eq!(purchase.payment.due_at(), None);
    }
}

#[test]
fn whoever_knows_an_older_credential_only_raises_no_alarm_about_what_was_accepted() {
    for payer_acts in [false, true] {
        let mut purchase = accepted(2, payer_acts);
        for _ in 0..2 {
            purchase.now = purchase.payment.due_at().expect("a time to look");
            assert!(matches!(purchase.look().effect, Some(Effect::LookUp { .. })));
            purchase.hear_from(FIRST, Source::LookUp, Outcome::Unknown);
        }
        let attempts = |purchase: &Purchase| match purchase.state(FIRST) {
            State::Accepted(accepted) => accepted.attempts,
            state => panic!("{state:?}"),
        };
        let before = attempts(&purchase);
        purchase.terms = known_as(1, &sandbox::LOOK_UP);
        assert!(told_after(&mut purchase, 3).is_empty());
        assert_eq!(attempts(&purchase), before, "that is no try to find out");
        let due = purchase.payment.due_at().expect("somebody looks again");
        assert!(due > purchase.now && due.since(purchase.now) <= Duration::from_secs(60), "{due}");
        purchase.now = due;
        purchase.terms = known_as(2, &sandbox::LOOK_UP);
        assert!(matches!(purchase.look().effect, Some(Effect::LookUp { .. })));
    }
}

/// The merchant was written by a version of Kessai that counts no credentials.
#[test]
fn where_the_count_was_lost_a_person_is_told_once_and_a_hold_lapses() {
    let soon = Duration::from_secs(20 * 60);
    for (kind, heard) in [
        (Kind::Sale, None),
        (Kind::Sale, Some(Outcome::Unknown)),
        (Kind::Sale, Some(Outcome::Accepted(answer("a")))),
        (Kind::Authorize, None),
        (Kind::Authorize, Some(Outcome::Accepted(answer("a")))),
    ] {
        let holds = kind.holds();
        let request = opening(kind, stored_method(), "order 1", 100);
        let mut purchase = Purchase::asked(&request, known_as(2, &sandbox::LOOK_UP));
        heard.iter().for_each(|outcome| drop(purchase.hear(FIRST, outcome.clone())));
        purchase.terms = known_as(0, &sandbox::LOOK_UP);
        let told = told_after(&mut purchase, 30);
        assert!(holds || matches!(told.as_slice(), [after] if *after < soon), "{heard:?}: {told:?}");
        assert_eq!(purchase.payment.due_at(), None, "{heard:?}");
        let state = purchase.state(FIRST);
        let has_lapsed = matches!(state, State::Settled(settled) if settled.verdict == Verdict::Lapsed);
        assert_eq!(has_lapsed, holds, "{heard:?}: {state:?}");
    }
}
