//! What a gateway tells unasked: it settles what nobody knew, and changes nothing that is known.

use super::fuse::block_on;
use super::gateway::Fate;
use super::shelf::Mishap;
use super::world::World;
use crate::gateways::{Adapter, sandbox};
use crate::payment::tests::fixtures::{LIFE, answer, cents, opening, stored_method};
use crate::payment::{Answer, Decline, Kind, MARGIN, Outcome, Source, State, Verdict};
use crate::ports::Clock;
use crate::rejection::{Fault, Refusal};

/// A world in which a sale was asked for, and this became of the request.
fn after(adapter: &'static Adapter, fate: Fate) -> World {
    let world = World::with(adapter);
    world.gateway.foresee(&[fate]);
    world.ask(&opening(Kind::Sale, stored_method(), "order 1", 100)).expect("an answer");
    world.notes.read();
    world
}

fn approved() -> Outcome {
    Outcome::Approved(answer("deed0"))
}

fn declined() -> Outcome {
    Outcome::Declined(Decline::Soft, answer("deed0"))
}

fn hear(world: &World, outcome: Outcome) {
    block_on(world.hearing(outcome)).expect("a notice that nothing hinders");
}

fn verdict(world: &World) -> Option<Verdict> {
    match world.last_operation().state {
        State::Settled(settled) => Some(settled.verdict),
        State::Open(_) | State::Unsent | State::Accepted(_) => None,
    }
}

#[test]
fn a_notice_settles_what_nobody_knew() {
    for adapter in sandbox::ALL {
        for fate in [Fate::LosesAnswer, Fate::Accepts] {
            for (told, expected) in [(approved(), Verdict::Approved), (declined(), Verdict::Declined(Decline::Soft))] {
                let world = after(adapter, fate);
                hear(&world, told);
                assert_eq!(verdict(&world), Some(expected), "{}: {fate:?}", adapter.name);
                let last = world.last_operation().logs.last().map(|log| log.source);
                assert_eq!(last, Some(Source::Notice));
                assert_eq!(world.payment().and_then(|payment| payment.due_at()), None, "nothing is left to find out");
                assert_eq!((world.gateway.seen().len(), world.notes.read()), (1, Vec::new()));
            }
        }
    }
}

#[test]
fn a_notice_comes_before_the_end_of_whoever_asks() {
    let world = after(&sandbox::LOOK_UP, Fate::LosesAnswer);
    hear(&world, Outcome::Unknown);
    hear(&world, Outcome::NeverReceived);
    assert_eq!(verdict(&world), None, "what was told under nobody's claim frees nothing");
    world.settle();
    assert_eq!(verdict(&world), Some(Verdict::Approved));
}

#[test]
fn a_notice_that_is_told_twice_is_written_once() {
    let world = after(&sandbox::KEYED, Fate::LosesAnswer);
    hear(&world, approved());
    let (settled, meter) = (world.payment(), world.store.meter());
    hear(&world, approved());
    assert_eq!((world.payment(), world.store.meter().writes), (settled, meter.writes));
    assert_eq!(world.notes.read(), [""; 0]);
}

#[test]
fn a_notice_does_not_settle_what_is_being_undone() {
    let world = after(&sandbox::TIMEOUT_REVERSAL, Fate::LosesAnswer);
    world.gateway.foresee(&[Fate::LosesAnswer]);
    world.clock.advance(LIFE + MARGIN);
    block_on(world.following_up()).expect("a look");
    assert_eq!(world.effects(0), 0, "it is undone already, and nobody knows");
    hear(&world, approved());
    assert_eq!(verdict(&world), None);
    let last = world.last_operation().logs.last().map(|log| log.source);
    assert_eq!(last, Some(Source::Notice), "it is logged");
    world.settle();
    assert_eq!(verdict(&world), Some(Verdict::Voided));
    let contradictions = world.last_operation().contradictions;
    assert!(contradictions.is_empty(), "{contradictions:?}");
}

#[test]
fn a_notice_that_contradicts_what_is_settled_is_noted() {
    let world = after(&sandbox::KEYED, Fate::Answers);
    let settled = world.last_operation().state;
    hear(&world, declined());
    let operation = world.last_operation();
    assert_eq!((operation.contradictions.len(), operation.state), (1, settled));
    let noted = world.notes.read();
    let [note] = noted.as_slice() else { panic!("{noted:?}") };
    for word in ["Contradiction", &world.reference(0), "Processed", "Declined"] {
        assert!(note.contains(word), "{word} is missing: {note}");
    }
}

#[test]
fn a_notice_of_another_amount_is_noted_and_the_operation_waits() {
    let world = after(&sandbox::LOOK_UP, Fate::LosesAnswer);
    let deadline = world.clock.now().plus(LIFE);
    block_on(world.hearing_amount(approved(), Some(cents(40)), deadline)).expect("a notice that nothing hinders");
    assert_eq!(verdict(&world), None);
    let noted = world.notes.read();
    let [note] = noted.as_slice() else { panic!("{noted:?}") };
    for word in ["Contradiction", &world.reference(0), "Pending", "Approved"] {
        assert!(note.contains(word), "{word} is missing: {note}");
    }
    world.settle();
    assert_eq!(verdict(&world), Some(Verdict::Approved), "the gateway was asked");
}

#[test]
fn a_notice_is_put_to_what_others_wrote_first() {
    let world = after(&sandbox::KEYED, Fate::LosesAnswer);
    world.store.suffer(&[Mishap::Overruled], Mishap::None);
    hear(&world, declined());
    assert_eq!(verdict(&world), Some(Verdict::Approved));
    assert!(world.notes.read().iter().any(|note| note.contains("Contradiction")));
}

#[test]
fn a_notice_that_cannot_be_written_is_a_fault_so_that_it_is_told_again() {
    let world = after(&sandbox::NONE, Fate::LosesAnswer);
    world.store.suffer(&[], Mishap::Unreachable);
    let refused = block_on(world.hearing(approved()));
    assert!(matches!(refused, Err(Refusal::Fault(Fault::Store(_)))), "{refused:?}");
    assert_eq!(verdict(&world), None);
    world.store.suffer(&[], Mishap::None);
    hear(&world, approved());
    assert_eq!(verdict(&world), Some(Verdict::Approved));
}

#[test]
fn a_card_number_that_a_gateway_repeats_is_not_noted() {
    let world = after(&sandbox::KEYED, Fate::Answers);
    let code = Some("no 4242 4242 4242 4242".to_owned());
    hear(&world, Outcome::Declined(Decline::InvalidData, Answer { code, ..Answer::default() }));
    let noted = world.notes.read();
    assert!(noted.iter().any(|note| note.contains("no ****")) && noted.len() == 1, "{noted:?}");
    let resting = format!("{:?}", world.store.items());
    assert!(resting.contains("no ****") && !resting.contains("4242 4242"), "{resting}");
}
