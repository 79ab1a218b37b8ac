//! What a gateway says that did not act, and what cannot be read.

use super::fuse::block_on;
use super::gateway::Fate;
use super::shelf::Mishap;
use super::world::World;
use crate::event::EventNames;
use crate::gateways::sandbox;
use crate::memory::Memory;
use crate::merchant::{Gateway, Merchant};
use crate::payment::tests::fixtures::{LIFE, gateway, gateway_id, merchant, opening, stored_method};
use crate::payment::{Kind, Request, State};
use crate::ports::{Clock, Expected, Store};
use crate::rejection::{Fault, Refusal};
use crate::shell::{Route, Shell};
use crate::stored::payment::Stored;

fn sale() -> Request {
    opening(Kind::Sale, stored_method(), "order 1", 100)
}

#[test]
fn what_the_gateway_never_heard_of_may_be_tried_anew_under_the_same_key() {
    for adapter in sandbox::ALL {
        for fate in [Fate::Refuses, Fate::IsBusy] {
            let world = World::with(adapter);
            world.gateway.foresee(&[fate, fate]);
            for _ in 0..2 {
                let reply = world.ask(&sale()).expect("an answer");
                let state = reply.payment.operation(reply.operation).map(|operation| operation.state.clone());
                assert_eq!((state, reply.replayed), (Some(State::Unsent), false), "{fate:?}");
            }
            assert_eq!(world.payment().and_then(|payment| payment.due_at()), None, "nothing is left to find out");
            let reply = world.ask(&sale()).expect("an answer");
            assert!(reply.payment.operations[0].is_approved() && !reply.replayed);
            assert_eq!((world.gateway.seen().len(), world.effects(0)), (3, 1));
        }
    }
}

#[test]
fn what_was_declined_stays_declined_for_its_key() {
    let world = World::with(&sandbox::KEYED);
    world.gateway.foresee(&[Fate::Declines]);
    let first = world.ask(&sale()).expect("an answer");
    let again = world.ask(&sale()).expect("an answer");
    assert_eq!((first.payment.operations[0].state.status(), first.replayed, again.replayed), ("Failed", false, true));
    assert_eq!(first.payment, again.payment);
    assert_eq!(world.gateway.seen().len(), 1);
}

#[test]
fn an_item_that_cannot_be_read_is_a_fault_and_sends_nothing() {
    let world = World::with(&sandbox::KEYED);
    world.ask(&sale()).expect("an answer");
    let broken = world.store.items().remove(0).with("f", 2);
    let store = std::sync::Arc::new(Memory::default());
    block_on(store.write(broken, Expected::Absent)).expect("a store that works");
    let shell = Shell { store, ..world.shell.clone() };
    let deadline = world.clock.now().plus(LIFE);
    let refused = block_on(shell.perform(merchant(), world.route(), &sale(), None, deadline));
    assert!(matches!(refused, Err(Refusal::Fault(Fault::Stored(_)))), "{refused:?}");
    let key = world.payment().expect("a payment").key();
    let refused = block_on(shell.read(key, deadline));
    assert!(matches!(refused, Err(Fault::Stored(_))), "{refused:?}");
    assert_eq!(world.gateway.seen().len(), 1);
}

#[test]
fn silence_and_no_connection_are_noted() {
    for (fate, says) in [(Fate::LosesAnswer, "Lost(\"timeout\")"), (Fate::Refuses, "NotSent(\"connection refused\")")] {
        let world = World::with(&sandbox::KEYED);
        world.gateway.foresee(&[fate]);
        world.ask(&sale()).expect("an answer");
        let noted = world.notes.read();
        let [note] = noted.as_slice() else { panic!("{noted:?}") };
        for word in ["Called", &world.reference(0), says] {
            assert!(note.contains(word), "{word} is missing: {note}");
        }
        world.ask(&sale()).expect("an answer");
        assert_eq!(world.notes.read(), [""; 0], "nothing went wrong this time");
    }
}

#[test]
fn a_verdict_that_disagrees_with_what_was_settled_meanwhile_is_noted_and_changes_nothing() {
    let world = World::with(&sandbox::LOOK_UP);
    world.gateway.foresee(&[Fate::Declines]);
    world.store.suffer(&[Mishap::None, Mishap::Overruled], Mishap::None);
    let reply = world.ask(&sale()).expect("an answer");
    let told = &reply.payment.operations[0];
    assert!(told.is_approved() && told.contradictions.len() == 1, "{told:?}");
    assert_eq!(world.last_operation(), *told);
    let noted = world.notes.read();
    let [note] = noted.as_slice() else { panic!("{noted:?}") };
    for word in ["Contradiction", &world.reference(0), "Processed", "Declined"] {
        assert!(note.contains(word), "{word} is missing: {note}");
    }
}

#[test]
fn whoever_checks_hears_of_every_decision() {
    let world = World::with(&sandbox::KEYED);
    world.ask(&sale()).expect("an answer");
    assert_eq!(world.notes.decisions(), [[None, Some(1)], [Some(1), Some(2)]], "a claim and an outcome");
    world.ask(&sale()).expect("an answer");
    assert_eq!(world.notes.decisions(), [[None, Some(1)], [Some(2), Some(2)]], "a conflict and a replay");
    world.ask(&opening(Kind::Sale, stored_method(), "order 1", 101)).expect_err("another amount under the same key");
    assert_eq!(world.notes.decisions(), [[None, Some(1)], [Some(2), None]], "a conflict and a refusal");
}

#[test]
fn a_gateway_set_up_for_an_adapter_that_is_not_there_is_a_fault() {
    let mut set_up = Merchant::new(merchant(), "Shop");
    set_up.gateways.insert(gateway_id(), gateway(&sandbox::KEYED));
    let route = |set_up: &Merchant| Route::to(set_up, gateway_id(), EventNames::NONE).map(|route| route.adapter.name);
    assert!(route(&set_up).is_ok_and(|name| name == "sandbox-keyed"));
    let other = Gateway { adapter: "of another version".to_owned(), ..gateway(&sandbox::KEYED) };
    set_up.gateways.insert(gateway_id(), other);
    assert!(route(&set_up).is_err_and(|fault| fault.to_string().contains("of another version")));
    set_up.gateways.clear();
    assert!(route(&set_up).is_err_and(|fault| fault.to_string().contains("is gone")));
}

#[test]
fn a_look_finishes_everything_that_is_due() {
    let world = World::with(&sandbox::LOOK_UP);
    world.ask(&opening(Kind::Authorize, stored_method(), "order 1", 100)).expect("a hold");
    let payment = world.payment().expect("a payment");
    let mut crowded = payment.clone();
    world.gateway.foresee(&[Fate::LosesRequest]);
    world.ask(&super::crashes::take("first")).expect("an answer");
    let open = world.last_operation();
    crowded.version += 2;
    for _ in 0..10 {
        crowded.operations.push(open.clone());
    }
    let store = std::sync::Arc::new(Memory::default());
    let stored = Stored::following(None, crowded);
    block_on(store.write(stored.to_item(), Expected::Absent)).expect("a store that works");
    let shell = Shell { store: store.clone(), ..world.shell.clone() };
    world.clock.advance(LIFE * 2);
    let due = block_on(shell.follow_up(stored, world.route(), world.clock.now().plus(LIFE)))
        .expect("a look")
        .payment
        .due_at();
    assert!(due.is_some_and(|due| due <= world.clock.now()), "two of the ten are still due: {due:?}");
    let rest = block_on(shell.read(payment.key(), world.clock.now().plus(LIFE))).expect("a read").expect("a payment");
    let due =
        block_on(shell.follow_up(rest, world.route(), world.clock.now().plus(LIFE))).expect("a look").payment.due_at();
    assert_eq!(due, None);
}

#[test]
fn what_nobody_can_find_out_is_brought_to_a_person_once() {
    let world = World::with(&sandbox::NONE);
    world.gateway.foresee(&[Fate::LosesAnswer]);
    let reply = world.ask(&sale()).expect("an answer");
    assert!(matches!(reply.payment.operations[0].state, State::Open(_)), "{reply:?}");
    let overdue = |world: &World| world.notes.read().iter().filter(|note| note.starts_with("Overdue")).count();
    assert_eq!(overdue(&world), 0, "a notice may tell");
    world.settle();
    assert_eq!(overdue(&world), 1);
    world.clock.advance(std::time::Duration::from_secs(365 * 24 * 60 * 60));
    world.settle();
    assert_eq!(overdue(&world), 0);
}

#[test]
fn what_is_undone_in_vain_is_brought_to_a_person_once() {
    let world = World::with(&sandbox::TIMEOUT_REVERSAL);
    world.gateway.foresee(&[Fate::LosesAnswer; 12]);
    world.ask(&sale()).expect("an answer");
    let mut overdue = Vec::new();
    for _ in 0..10 {
        let due = world.payment().and_then(|payment| payment.due_at()).expect("it is due again");
        world.clock.move_to(due);
        block_on(world.following_up()).expect("a look that nothing hinders");
        overdue.push(world.notes.read().iter().filter(|note| note.starts_with("Overdue")).count());
    }
    assert_eq!(overdue.iter().sum::<usize>(), 1, "{overdue:?}");
}
