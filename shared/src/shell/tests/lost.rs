//! Lost acknowledgements, a store that is down, and others who write in between.

use std::time::Duration;

use super::fuse::block_on;
use super::gateway::Fate;
use super::shelf::Mishap;
use super::world::World;
use crate::gateways::sandbox;
use crate::ids::Ordinal;
use crate::payment::tests::fixtures::{LIFE, acting, capture, exactly, opening, place, raw_card, stored_method};
use crate::payment::{Kind, MARGIN, Operation, Request, State};
use crate::ports::Clock;
use crate::rejection::{Fault, Refusal};
use crate::shell::Reply;

fn sale() -> Request {
    opening(Kind::Sale, stored_method(), "order 1", 100)
}

fn take() -> Request {
    acting(capture(Ordinal::FIRST), "capture 1", exactly(60))
}

fn operation(reply: &Reply) -> &Operation {
    reply.payment.operation(reply.operation).expect("the operation")
}

/// Asks for a sale and, on another payment, for a capture, while these writes suffer this.
fn check(mishaps: &[Mishap], after: Mishap, answered: impl Fn(&World, &Reply)) {
    for adapter in [&sandbox::KEYED, &sandbox::LOOK_UP, &sandbox::TIMEOUT_REVERSAL, &sandbox::NONE] {
        let world = World::with(adapter);
        world.store.suffer(mishaps, after);
        let reply = world.ask(&sale()).unwrap_or_else(|refusal| panic!("{mishaps:?}: {refusal:?}"));
        answered(&world, &reply);

        let world = World::with(adapter);
        world.ask(&opening(Kind::Authorize, stored_method(), "order 1", 100)).expect("a hold");
        world.store.suffer(mishaps, after);
        let reply = world.ask(&take()).unwrap_or_else(|refusal| panic!("{mishaps:?}: {refusal:?}"));
        answered(&world, &reply);
    }
}

fn approved_once(world: &World, reply: &Reply) {
    assert!(operation(reply).is_approved() && !reply.replayed, "{reply:?}");
    assert_eq!(world.effects(reply.operation.index()), 1);
    assert_eq!(world.gateway.seen().len(), reply.operation.index() + 1, "one request for each operation");
    assert_eq!(world.payment().as_ref(), Some(&reply.payment), "the caller hears what is stored");
}

#[test]
fn a_claim_whose_acknowledgement_is_lost_sends_one_request() {
    check(&[Mishap::Unacknowledged], Mishap::None, approved_once);
    check(&[Mishap::Unacknowledged; 3], Mishap::None, approved_once);
}

#[test]
fn a_claim_that_the_store_gets_twice_sends_one_request() {
    check(&[Mishap::SentTwice], Mishap::None, approved_once);
}

#[test]
fn an_outcome_whose_acknowledgement_is_lost_is_told_all_the_same() {
    check(&[Mishap::None, Mishap::Unacknowledged], Mishap::None, approved_once);
    check(&[Mishap::None, Mishap::SentTwice], Mishap::None, approved_once);
    check(&[Mishap::Unacknowledged, Mishap::SentTwice], Mishap::None, approved_once);
}

#[test]
fn a_store_that_fails_for_a_while_is_asked_again() {
    check(&[Mishap::Unreachable; 5], Mishap::None, approved_once);
    check(&[Mishap::None, Mishap::Unreachable, Mishap::Unreachable], Mishap::None, approved_once);
}

#[test]
fn others_who_write_in_between_do_not_make_a_second_request() {
    check(&[Mishap::Overtaken; 4], Mishap::None, approved_once);
    check(&[Mishap::None, Mishap::Overtaken, Mishap::Overtaken, Mishap::Overtaken], Mishap::None, approved_once);
}

#[test]
fn whoever_is_overtaken_writes_again_at_once_and_then_gives_way() {
    let waited = |times| {
        let world = World::with(&sandbox::KEYED);
        world.ask(&opening(Kind::Authorize, stored_method(), "order 1", 100)).expect("a hold");
        let start = world.clock.now();
        world.store.suffer(&vec![Mishap::Overtaken; times], Mishap::None);
        world.ask(&take()).expect("a capture");
        world.clock.now().since(start)
    };
    let milliseconds = [0, 0, 20, 60, 140, 300, 620, 1_260, 2_260, 3_260].map(Duration::from_millis);
    for (times, expected) in milliseconds.into_iter().enumerate() {
        assert_eq!(waited(times), expected, "overtaken {times} times");
    }
}

#[test]
fn an_outcome_that_cannot_be_written_is_not_told_but_found_out_later() {
    for mishap in [Mishap::Unreachable, Mishap::Overtaken] {
        check(&[Mishap::None], mishap, |world, reply| {
            assert!(matches!(operation(reply).state, State::Open(_)), "{mishap:?}: {reply:?}");
            let noted = world.notes.read();
            let [note] = noted.as_slice() else { panic!("{noted:?}") };
            for word in ["Unwritten", &world.reference(reply.operation.index()), "Approved", "deed"] {
                assert!(note.contains(word), "{word} stands nowhere, not even here: {note}");
            }
            world.store.suffer(&[], Mishap::None);
            let can_find_out = world.route().adapter.name != "sandbox-none";
            world.settle();
            let settled = world.last_operation();
            let effects = world.effects(reply.operation.index());
            assert!(matches!(settled.state, State::Settled(_)) == can_find_out, "{settled:?}");
            assert!(effects == usize::from(settled.is_approved() || !can_find_out), "{effects}: {settled:?}");
        });
    }
}

#[test]
fn that_nothing_was_sent_is_a_fault_where_it_cannot_be_written_and_the_same_key_may_try_anew() {
    // The write of it is not made, or it is made and nobody hears so.
    for (of_outcome, rests) in [(Mishap::Unreachable, "Pending"), (Mishap::Unacknowledged, "Draft")] {
        for adapter in [&sandbox::KEYED, &sandbox::LOOK_UP, &sandbox::TIMEOUT_REVERSAL, &sandbox::NONE] {
            let world = World::with(adapter);
            world.gateway.foresee(&[Fate::Refuses]);
            world.store.suffer(&[Mishap::None, of_outcome], Mishap::Unreachable);
            let refused = world.ask(&sale());
            assert!(matches!(refused, Err(Refusal::Fault(Fault::Store(_)))), "{}: {refused:?}", adapter.name);
            assert_eq!(world.last_operation().state.status(), rests, "{}", adapter.name);
            let noted = world.notes.read();
            assert!(noted.iter().any(|note| note.contains("Unwritten")), "{noted:?}");

            world.store.suffer(&[], Mishap::None);
            world.clock.advance(MARGIN);
            world.settle();
            world.ask(&sale()).expect("an answer to the same key");
            let last = world.last_operation();
            assert_eq!(world.effects(0), usize::from(last.is_approved()), "{}: {last:?}", adapter.name);
            assert!(rests == "Pending" || last.is_approved(), "{}: {last:?}", adapter.name);
        }
    }
}

#[test]
fn that_nothing_was_sent_again_leaves_open_what_was_sent_before() {
    let world = World::with(&sandbox::KEYED);
    let card = || opening(Kind::Sale, raw_card(), "order 1", 100);
    world.gateway.foresee(&[Fate::LosesAnswer, Fate::Refuses]);
    world.ask(&card()).expect("an answer");
    world.clock.advance(LIFE + MARGIN);
    // It finds what is there, takes a claim, and cannot write what came of it.
    world.store.suffer(&[Mishap::None; 2], Mishap::Unreachable);
    let resent = world.ask(&card()).expect("an answer");
    assert!(matches!(operation(&resent).state, State::Open(_)) && world.gateway.seen().len() == 2, "{resent:?}");
    world.store.suffer(&[], Mishap::None);
    world.settle();
    assert!(world.last_operation().is_approved());
}

#[test]
fn a_claim_whose_acknowledgement_comes_too_late_is_given_back_unsent() {
    for adapter in [&sandbox::KEYED, &sandbox::NONE] {
        let world = World::with(adapter);
        let lost = [&[Mishap::Unacknowledged][..], &[Mishap::Unreachable; 31]].concat();
        world.store.suffer(&lost, Mishap::None);
        let reply = world.ask(&sale()).expect("an answer");
        assert_eq!(operation(&reply).state, State::Unsent, "{}", adapter.name);
        assert!(world.gateway.seen().is_empty());
    }
}

#[test]
fn a_claim_that_cannot_be_written_sends_nothing() {
    let world = World::with(&sandbox::LOOK_UP);
    world.store.suffer(&[], Mishap::Unreachable);
    let refused = world.ask(&sale());
    assert!(matches!(refused, Err(Refusal::Fault(Fault::Store(_)))), "{refused:?}");
    assert_eq!((world.gateway.seen().len(), world.store.items().len()), (0, 0));

    let world = World::with(&sandbox::LOOK_UP);
    world.ask(&opening(Kind::Authorize, stored_method(), "order 1", 100)).expect("a hold");
    world.store.suffer(&[], Mishap::Overtaken);
    let refused = world.ask(&take());
    assert!(matches!(refused, Err(Refusal::Fault(Fault::NoTime))), "{refused:?}");
    assert_eq!(world.gateway.seen().len(), 1);
}

#[test]
fn what_was_claimed_in_vain_is_found_to_have_never_arrived() {
    let world = World::with(&sandbox::LOOK_UP);
    world.store.suffer(&[Mishap::Unacknowledged], Mishap::Unreachable);
    let refused = world.ask(&sale());
    assert!(matches!(refused, Err(Refusal::Fault(Fault::Store(_)))), "{refused:?}");
    assert!(world.gateway.seen().is_empty());
    world.store.suffer(&[], Mishap::None);
    world.settle();
    assert_eq!(world.last_operation().state.status(), "Failed");
    assert_eq!(world.effects(0), 0);
}

#[test]
fn the_same_key_waits_for_whoever_asks_and_then_for_whoever_follows_up() {
    let world = World::with(&sandbox::KEYED);
    let card = || opening(Kind::Sale, raw_card(), "order 1", 100);
    world.gateway.foresee(&[Fate::LosesAnswer]);
    let first = world.ask(&card()).expect("an answer");
    assert!(matches!(operation(&first).state, State::Open(_)) && !first.replayed);
    let again = world.ask(&card()).expect("an answer");
    assert!(matches!(operation(&again).state, State::Open(_)) && again.replayed);
    assert_eq!(world.gateway.seen().len(), 1);

    world.clock.advance(LIFE + MARGIN);
    let resent = world.ask(&card()).expect("an answer");
    assert!(operation(&resent).is_approved() && !resent.replayed);
    let seen = world.gateway.seen();
    assert_eq!((seen.len(), &seen[0].body, &seen[0].key), (2, &seen[1].body, &seen[1].key));
    assert_eq!(world.effects(0), 1);
}

#[test]
fn what_is_sent_again_by_nobodys_request_is_the_first_request_to_the_letter() {
    let world = World::with(&sandbox::KEYED);
    world.gateway.foresee(&[Fate::LosesAnswer, Fate::LosesAnswer, Fate::Breaks]);
    world.ask(&sale()).expect("an answer");
    world.settle();
    assert!(world.last_operation().is_approved());
    let seen = world.gateway.seen();
    assert_eq!(seen.len(), 4);
    for again in &seen[1..] {
        assert_eq!((&again.path, &again.key, &again.body), (&seen[0].path, &seen[0].key, &seen[0].body));
    }
    assert_eq!(world.effects(0), 1);
}

#[test]
fn what_was_accepted_is_asked_for_until_it_is_decided() {
    for (decision, status) in [("approved", "Processed"), ("declined", "Failed")] {
        let world = World::with(&sandbox::LOOK_UP);
        world.gateway.foresee(&[Fate::Accepts]);
        let reply = world.ask(&sale()).expect("an answer");
        assert!(matches!(operation(&reply).state, State::Accepted(_)), "{reply:?}");
        world.clock.move_to(world.payment().and_then(|payment| payment.due_at()).expect("a time to look"));
        let next = block_on(world.following_up()).expect("a look");
        assert!(next.is_some_and(|next| next > world.clock.now()), "it is still not decided");
        world.gateway.decide(decision);
        world.settle();
        assert_eq!(world.last_operation().state.status(), status);
        assert_eq!(reply.operation, place(0));
    }
}
