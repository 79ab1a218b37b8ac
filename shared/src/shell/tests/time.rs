//! Deadlines: nobody asks a gateway whose answer could not be written any more.

use std::time::Duration;

use super::fuse::{Moment, block_on, poll_once};
use super::gateway::Fate;
use super::shelf::Mishap;
use super::world::World;
use crate::gateways::sandbox;
use crate::ids::Ordinal;
use crate::payment::tests::fixtures::{LIFE, acting, answer, capture, exactly, opening, stored_method};
use crate::payment::{Kind, MARGIN, Outcome, Request, State};
use crate::ports::Clock;
use crate::rejection::{Fault, Refusal};

fn sale() -> Request {
    opening(Kind::Sale, stored_method(), "order 1", 100)
}

#[test]
fn the_gateway_gets_the_time_until_the_deadline_without_what_the_write_needs() {
    let rows = [(5_000, Some(2_000)), (10_000, Some(7_000)), (18_000, Some(15_000)), (900_000, Some(15_000))];
    for (left_ms, timeout_ms) in rows.into_iter().chain([(4_999, None), (0, None)]) {
        let world = World::with(&sandbox::KEYED);
        let deadline = world.clock.now().plus(Duration::from_millis(left_ms));
        let asked = block_on(world.asking_until(&sale(), deadline));
        let given: Vec<Duration> = world.gateway.seen().iter().map(|seen| seen.timeout).collect();
        let expected: Vec<Duration> = timeout_ms.map(Duration::from_millis).into_iter().collect();
        assert_eq!(given, expected, "{left_ms}");
        if timeout_ms.is_none() {
            assert!(matches!(asked, Err(Refusal::Fault(Fault::NoTime))), "{asked:?}");
            assert!(world.store.items().is_empty(), "nothing is written where there is no time");
        }
    }
}

#[test]
fn a_claim_that_took_too_long_is_given_back_unsent() {
    let world = World::with(&sandbox::KEYED);
    // Each failure is waited for a little longer, up to a second.
    world.store.suffer(&[Mishap::Unreachable; 32], Mishap::None);
    let reply = world.ask(&sale()).expect("an answer");
    assert_eq!(reply.payment.operations[0].state, State::Unsent);
    assert!(world.gateway.seen().is_empty());
    assert!(world.ask(&sale()).expect("an answer").payment.operations[0].is_approved());
}

#[test]
fn a_store_that_is_down_is_asked_less_and_less_often_until_there_is_no_time() {
    let world = World::with(&sandbox::KEYED);
    world.store.suffer(&[], Mishap::Unreachable);
    let start = world.clock.now();
    let refused = world.ask(&sale());
    assert!(matches!(refused, Err(Refusal::Fault(Fault::Store(_)))), "{refused:?}");
    let waited = world.clock.now().since(start);
    assert!(waited < LIFE && waited >= LIFE - Duration::from_secs(2), "{waited:?}");
}

#[test]
fn nobody_waits_for_a_store_where_that_would_leave_no_time() {
    let world = World::with(&sandbox::NONE);
    world.gateway.foresee(&[Fate::LosesAnswer]);
    world.ask(&sale()).expect("an answer");
    world.store.suffer(&[], Mishap::Unreachable);
    for (left_ms, waited_ms) in [(0, 0), (1_000, 0), (1_001, 10), (1_010, 10), (1_011, 30)] {
        let start = world.clock.now();
        let deadline = start.plus(Duration::from_millis(left_ms));
        let refused = block_on(world.hearing_until(Outcome::Approved(answer("a")), deadline));
        assert!(matches!(refused, Err(Refusal::Fault(Fault::Store(_)))), "{refused:?}");
        assert_eq!(world.clock.now().since(start), Duration::from_millis(waited_ms), "{left_ms}");
    }
}

#[test]
fn whoever_asks_again_too_soon_is_told_when() {
    let world = World::with(&sandbox::KEYED);
    world.fuse.burn_at(Some((1, Moment::After)));
    assert!(poll_once(world.asking(&sale())).is_none(), "its asker is killed");
    world.fuse.burn_at(None);
    let refused = world.ask(&sale());
    let advice = Duration::from_secs(2);
    let expected = crate::rejection::Rejection::InProgress { retry_after: advice };
    assert!(matches!(&refused, Err(Refusal::Rejection(rejection)) if *rejection == expected), "{refused:?}");
    world.clock.advance(LIFE + MARGIN);
    let later = world.ask(&sale()).expect("an answer");
    assert!(matches!(later.payment.operations[0].state, State::Open(_)), "it is for the follow-up: {later:?}");
    world.settle();
    assert!(world.ask(&sale()).expect("an answer").payment.operations[0].is_approved());
    assert_eq!(world.effects(0), 1);
}

#[test]
fn an_answer_that_comes_just_in_time_is_told() {
    let world = World::with(&sandbox::KEYED);
    world.gateway.foresee(&[Fate::Answers]);
    let deadline = world.clock.now().plus(Duration::from_secs(5));
    let reply = block_on(world.asking_until(&sale(), deadline)).expect("an answer");
    assert!(reply.payment.operations[0].is_approved());
}

#[test]
fn a_look_that_runs_out_of_time_leaves_the_rest_as_it_is() {
    let world = World::with(&sandbox::LOOK_UP);
    world.ask(&opening(Kind::Authorize, stored_method(), "order 1", 100)).expect("a hold");
    world.gateway.foresee(&[Fate::LosesRequest; 6]);
    for name in ["first", "second", "third"] {
        world.ask(&acting(capture(Ordinal::FIRST), name, exactly(10))).expect("an answer");
    }
    world.clock.advance(LIFE + MARGIN);
    let (before, seen) = (world.last_operation(), world.gateway.seen().len());
    let due = block_on(world.following_up()).expect("a look");
    assert_eq!(world.gateway.seen().len() - seen, 2, "each silence takes half the time there is");
    assert_eq!(world.last_operation(), before);
    assert!(due.is_some_and(|due| due <= world.clock.now()), "it is due still: {due:?}");
    world.settle();
    assert_eq!(world.last_operation().state.status(), "Failed");
}
