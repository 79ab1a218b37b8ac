//! What each way through the shell costs: reads, writes and requests, counted.

use super::fuse::{Moment, block_on, poll_once};
use super::gateway::Fate;
use super::world::World;
use crate::gateways::sandbox;
use crate::ids::Ordinal;
use crate::memory::Meter;
use crate::payment::tests::fixtures::{acting, capture, exactly, opening, raw_card, refund, stored_method};
use crate::payment::{Kind, Request};
use crate::rejection::{Refusal, Rejection};
use crate::stored::payment::MAX_SIZE;

fn authorize() -> Request {
    opening(Kind::Authorize, raw_card(), "order 1", 100)
}

fn take() -> Request {
    acting(capture(Ordinal::FIRST), "capture 1", exactly(60))
}

/// What `act` cost: the meter's difference, and the requests that the gateway saw.
fn cost(world: &World, act: impl FnOnce(&World)) -> (Meter, usize) {
    let (before, seen) = (world.store.meter(), world.gateway.seen().len());
    act(world);
    let after = world.store.meter();
    let meter = Meter {
        reads: after.reads - before.reads,
        writes: after.writes - before.writes,
        write_units: after.write_units - before.write_units,
    };
    (meter, world.gateway.seen().len() - seen)
}

fn answered(world: &World, request: &Request, replayed: bool) {
    let reply = world.ask(request).expect("an answer");
    let operation = reply.payment.operation(reply.operation).expect("the operation");
    assert!(operation.is_approved() && reply.replayed == replayed, "{reply:?}");
}

#[test]
fn an_authorization_is_two_writes_and_nothing_else() {
    let world = World::with(&sandbox::LOOK_UP);
    let cost = cost(&world, |world| answered(world, &authorize(), false));
    assert_eq!(cost, (Meter { reads: 0, writes: 2, write_units: 2 }, 1));
}

#[test]
fn a_repeated_authorization_is_one_refused_write() {
    let world = World::with(&sandbox::LOOK_UP);
    answered(&world, &authorize(), false);
    let cost = cost(&world, |world| answered(world, &authorize(), true));
    assert_eq!(cost, (Meter { reads: 0, writes: 1, write_units: 1 }, 0));
}

#[test]
fn a_capture_or_refund_is_a_read_and_two_writes_and_repeated_a_read() {
    let world = World::with(&sandbox::LOOK_UP);
    answered(&world, &authorize(), false);
    let captured = Ordinal::new(1).expect("a place");
    for request in [take(), acting(refund(captured), "refund 1", exactly(10))] {
        let first = cost(&world, |world| answered(world, &request, false));
        assert_eq!(first, (Meter { reads: 1, writes: 2, write_units: 2 }, 1));
        let again = cost(&world, |world| answered(world, &request, true));
        assert_eq!(again, (Meter { reads: 1, writes: 0, write_units: 0 }, 0));
    }
}

#[test]
fn a_refused_request_writes_nothing() {
    let world = World::with(&sandbox::LOOK_UP);
    answered(&world, &authorize(), false);
    let too_much = acting(capture(Ordinal::FIRST), "capture 1", exactly(101));
    let cost = cost(&world, |world| {
        let refused = world.ask(&too_much);
        assert!(matches!(refused, Err(Refusal::Rejection(Rejection::OverBalance { .. }))), "{refused:?}");
    });
    assert_eq!(cost, (Meter { reads: 1, writes: 0, write_units: 0 }, 0));
}

#[test]
fn a_look_at_what_is_not_due_does_nothing() {
    let world = World::with(&sandbox::LOOK_UP);
    world.gateway.foresee(&[Fate::LosesRequest]);
    world.ask(&authorize()).expect("an answer");
    let due = world.payment().and_then(|payment| payment.due_at());
    let cost = cost(&world, |world| assert_eq!(block_on(world.following_up()).expect("a look"), due));
    assert_eq!(cost, (Meter { reads: 1, writes: 0, write_units: 0 }, 0));
}

#[test]
fn a_payment_that_would_not_fit_into_the_store_is_refused_before_it_is_written() {
    let world = World::with(&sandbox::LOOK_UP);
    let mut request = authorize();
    request.details.comments = Some("x".repeat(256 * 1024));
    let cost = cost(&world, |world| {
        let refused = world.ask(&request);
        assert!(matches!(refused, Err(Refusal::Rejection(Rejection::Full))), "{refused:?}");
    });
    assert_eq!(cost, (Meter::default(), 0));
}

#[test]
fn a_payment_may_be_as_large_as_the_limit_and_no_larger() {
    let claimed = |length| {
        let world = World::with(&sandbox::LOOK_UP);
        let mut request = authorize();
        request.details.comments = Some("x".repeat(length));
        world.fuse.burn_at(Some((0, Moment::After)));
        poll_once(world.asking(&request));
        world.store.items().pop().map(|item| item.size_bytes())
    };
    let most = MAX_SIZE - claimed(0).expect("a small payment");
    assert_eq!(claimed(most), Some(MAX_SIZE));
    assert_eq!(claimed(most + 1), None);
}

#[test]
fn a_gateway_hears_the_reference_that_leads_back_to_the_record() {
    let world = World::with(&sandbox::KEYED);
    world.ask(&opening(Kind::Authorize, stored_method(), "order 1", 100)).expect("an answer");
    let payment = world.payment().expect("a payment");
    let id = payment.operations[0].record().id(payment.id, Ordinal::FIRST).to_string();
    let seen = &world.gateway.seen()[0];
    assert!(seen.body.contains(&id), "{}", seen.body);
    assert!(seen.key.as_ref().is_some_and(|key| key.len() == 32 && !key.contains("order 1")), "{seen:?}");
}
