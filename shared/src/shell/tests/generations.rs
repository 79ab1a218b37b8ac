//! The merchant sets up another account at the gateway while an operation is open there.

use std::time::Duration;

use super::fuse::block_on;
use super::gateway::Fate;
use super::world::World;
use crate::gateways::{Adapter, sandbox};
use crate::payment::tests::fixtures::{answer, opening, raw_card, stored_method};
use crate::payment::{Generation, Instrument, Kind, Outcome, PayerAction, Request, State};
use crate::ports::Clock;

const HOUR: Duration = Duration::from_secs(60 * 60);

const CLASSES: [&Adapter; 4] = [&sandbox::KEYED, &sandbox::LOOK_UP, &sandbox::TIMEOUT_REVERSAL, &sandbox::NONE];

fn sale(instrument: Instrument) -> Request {
    opening(Kind::Sale, instrument, "order 1", 100)
}

/// A sale whose answer was lost, asked for under the second credential.
fn lost(adapter: &'static Adapter, instrument: Instrument) -> World {
    let mut world = World::with(adapter);
    world.set_up.generation = Generation(1);
    world.gateway.foresee(&[Fate::LosesAnswer]);
    world.ask(&sale(instrument)).expect("an answer");
    assert!(matches!(world.last_operation().state, State::Open(_)));
    world.notes.read();
    world
}

#[test]
fn another_account_hears_nothing_of_what_is_open_and_a_person_does() {
    for adapter in CLASSES {
        for instrument in [stored_method as fn() -> Instrument, raw_card] {
            let mut world = lost(adapter, instrument());
            world.set_up.generation = Generation(2);
            let before = world.gateway.seen();
            world.settle();
            let asked = world.ask(&sale(instrument())).expect("an answer");
            assert!(matches!(asked.payment.operations[0].state, State::Open(_)), "{}: {asked:?}", adapter.name);
            assert_eq!((world.gateway.seen(), world.effects(0)), (before, 1), "{}", adapter.name);
            let noted = world.notes.read();
            assert!(matches!(noted.as_slice(), [note] if note.starts_with("Overdue")), "{}: {noted:?}", adapter.name);

            block_on(world.hearing(Outcome::Approved(answer("a")))).expect("it is taken");
            assert!(world.last_operation().is_approved(), "{}", adapter.name);
        }
    }
}

#[test]
fn whoever_remembers_the_former_credential_leaves_it_to_whoever_knows_the_one_that_it_was_asked_for_under() {
    for adapter in [&sandbox::KEYED, &sandbox::LOOK_UP, &sandbox::TIMEOUT_REVERSAL] {
        let mut world = lost(adapter, stored_method());
        let before = world.gateway.seen();
        world.set_up.generation = Generation::FIRST;
        for _ in 0..3 {
            world.clock.move_to(world.payment().and_then(|payment| payment.due_at()).expect("a time to look"));
            block_on(world.following_up()).expect("a look");
        }
        assert_eq!((world.gateway.seen(), world.notes.read()), (before, Vec::new()), "{}", adapter.name);
        world.set_up.generation = Generation(1);
        world.settle();
        assert!(world.last_operation().is_settled(), "{}", adapter.name);
    }
}

#[test]
fn a_person_is_told_of_what_the_former_account_accepted_once_and_not_while_the_payer_may_act() {
    for payer_acts in [false, true] {
        let mut world = lost(&sandbox::LOOK_UP, stored_method());
        let expires_at = world.clock.now().plus(HOUR);
        let action = PayerAction { url: "https://gateway.test/1".to_owned(), expires_at };
        let outcome =
            if payer_acts { Outcome::ActionRequired(answer("a"), action) } else { Outcome::Accepted(answer("a")) };
        block_on(world.hearing(outcome)).expect("it is taken");
        world.set_up.generation = Generation(2);
        let before = world.gateway.seen();
        world.settle();
        assert_eq!(world.gateway.seen(), before);
        let noted = world.notes.read();
        assert!(matches!(noted.as_slice(), [note] if note.starts_with("Overdue")), "{noted:?}");
        assert!(!payer_acts || world.clock.now() > expires_at);
        block_on(world.hearing(Outcome::Approved(answer("a")))).expect("it is taken");
        assert!(world.last_operation().is_approved());
    }
}

#[test]
fn whoever_remembers_the_former_credential_raises_no_alarm_and_where_the_count_is_lost_one() {
    let heard = [None, Some(Outcome::Accepted(answer("a")))];
    for (outcome, is_sent) in heard.into_iter().flat_map(|heard| [(heard.clone(), true), (heard, false)]) {
        let mut world = World::with(&sandbox::LOOK_UP);
        world.set_up.generation = Generation(1);
        world.gateway.foresee(&[if is_sent { Fate::LosesAnswer } else { Fate::LosesRequest }]);
        world.ask(&sale(stored_method())).expect("an answer");
        if let Some(outcome) = outcome.clone() {
            block_on(world.hearing(outcome)).expect("it is taken");
        }
        world.notes.read();
        let before = world.gateway.seen();
        world.set_up.generation = Generation::FIRST;
        for _ in 0..5 {
            world.clock.move_to(world.payment().and_then(|payment| payment.due_at()).expect("a time to look"));
            block_on(world.following_up()).expect("a look");
        }
        assert_eq!(world.notes.read(), Vec::<String>::new(), "{outcome:?}");
        world.settle();
        let noted = world.notes.read();
        assert!(matches!(noted.as_slice(), [note] if note.starts_with("Overdue")), "{outcome:?}: {noted:?}");
        assert_eq!(world.gateway.seen(), before);
    }
}
