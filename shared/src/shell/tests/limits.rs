//! A gateway that takes only so many requests in a second: what is over that is not sent, and is asked for later.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use zeroize::Zeroizing;

use super::fuse::block_on;
use super::gateway::Fate;
use super::world::{Hands, World};
use crate::card::Secret;
use crate::gateways::{Account, Adapter, Answered, Check, Inquiry, Question, sandbox};
use crate::ids::GatewayId;
use crate::payment::tests::fixtures::{LIFE, acting, capture, exactly, gateway_id, opening, place, stored_method};
use crate::payment::{Kind, Request, State};
use crate::ports::{Clock, HttpRequest, Limiter, Method, Pending};
use crate::rejection::{Fault, Refusal};
use crate::time::Timestamp;

static LIMITED: Adapter = Adapter { rate: |_| Some(14), ..sandbox::KEYED };

/// Lets through what it is told to, and remembers what it was asked.
#[derive(Default)]
struct Gate {
    is_closed: Mutex<bool>,
    asked: Mutex<Vec<(GatewayId, u16)>>,
}

impl Gate {
    fn close(&self, is_closed: bool) {
        *self.is_closed.lock().expect("the gate") = is_closed;
    }

    fn asked(&self) -> Vec<(GatewayId, u16)> {
        self.asked.lock().expect("the gate").clone()
    }
}

impl Limiter for Gate {
    fn admit(&self, gateway: GatewayId, per_second: u16, _: Timestamp) -> Pending<'_, bool> {
        self.asked.lock().expect("the gate").push((gateway, per_second));
        let is_closed = *self.is_closed.lock().expect("the gate");
        Box::pin(async move { !is_closed })
    }
}

fn world(adapter: &'static Adapter) -> (World, Arc<Gate>) {
    let gate = Arc::new(Gate::default());
    let mut world = World::with(adapter);
    world.shell.limiter = Some(gate.clone());
    (world, gate)
}

/// Lets everything through, and takes its time.
struct Slow {
    clock: Arc<Hands>,
    takes: Duration,
}

impl Limiter for Slow {
    fn admit(&self, _: GatewayId, _: u16, _: Timestamp) -> Pending<'_, bool> {
        Box::pin(async move {
            self.clock.advance(self.takes);
            true
        })
    }
}

/// Questions of which nothing comes.
const INQUIRY: Inquiry = Inquiry { encode: |_, account| ask(account), decode: |_, _| Answered::Nothing };
const CHECK: Check = Check { encode: ask, decode: |_| Ok(Vec::new()) };

fn ask(account: &Account<'_>) -> HttpRequest {
    let url = format!("{}/operations?reference=none", account.gateway.base_url);
    HttpRequest { method: Method::Get, url, headers: Vec::new(), body: Zeroizing::default() }
}

fn question() -> Question {
    Question { about: "none".to_owned(), told: Secret::new(String::new()) }
}

fn sale() -> Request {
    opening(Kind::Sale, stored_method(), "order 1", 100)
}

#[test]
fn what_is_over_the_limit_is_not_sent_and_may_be_asked_for_again_under_the_same_key() {
    let (world, gate) = world(&LIMITED);
    gate.close(true);
    for _ in 0..2 {
        let reply = world.ask(&sale()).expect("an answer");
        let state = reply.payment.operation(reply.operation).map(|operation| operation.state.clone());
        assert_eq!((state, reply.replayed), (Some(State::Unsent), false));
    }
    assert!(world.gateway.seen().is_empty());
    assert_eq!(world.payment().and_then(|payment| payment.due_at()), None, "nothing is left to find out");
    gate.close(false);
    assert!(world.ask(&sale()).expect("an answer").payment.operations[0].is_approved());
    assert_eq!(world.gateway.seen().len(), 1);
    assert_eq!(gate.asked(), [(gateway_id(), 14); 3], "each request is admitted by itself");
}

#[test]
fn a_capture_over_the_limit_reserves_nothing() {
    let (world, gate) = world(&LIMITED);
    world.ask(&opening(Kind::Authorize, stored_method(), "order 1", 100)).expect("a hold");
    gate.close(true);
    world.ask(&acting(capture(place(0)), "capture 1", exactly(60))).expect("an answer");
    assert_eq!(world.last_operation().state, State::Unsent);
    gate.close(false);
    let whole = world.ask(&acting(capture(place(0)), "capture 2", exactly(100))).expect("an answer");
    assert!(whole.payment.operation(whole.operation).is_some_and(crate::payment::Operation::is_approved));
}

#[test]
fn follow_up_waits_longer_and_longer_while_it_is_over_the_limit() {
    let (world, gate) = world(&LIMITED);
    world.gateway.foresee(&[Fate::LosesAnswer]);
    world.ask(&sale()).expect("an answer");
    gate.close(true);
    let mut waits = Vec::new();
    for _ in 0..4 {
        let due = world.payment().and_then(|payment| payment.due_at()).expect("it is open");
        world.clock.move_to(due);
        let next = block_on(world.following_up()).expect("a look").expect("it is still open");
        waits.push(next.since(world.clock.now()));
    }
    assert!(waits.is_sorted() && waits.first() < waits.last(), "{waits:?}");
    assert_eq!(world.gateway.seen().len(), 1, "only the first one was sent");
    gate.close(false);
    world.settle();
    assert!(world.last_operation().is_approved());
    assert_eq!(world.effects(0), 1);
}

#[test]
fn a_gateway_without_a_documented_limit_asks_nobody() {
    let (world, gate) = world(&sandbox::KEYED);
    gate.close(true);
    assert!(world.ask(&sale()).expect("an answer").payment.operations[0].is_approved());
    assert_eq!(gate.asked(), []);
}

#[test]
fn a_check_over_the_limit_is_not_sent_and_says_so() {
    let (world, gate) = world(&LIMITED);
    gate.close(true);
    let check: Check = LIMITED.check.expect("it can be checked");
    let deadline = world.clock.now().plus(LIFE);
    let told = block_on(world.shell.check(world.route(), check, deadline)).expect("an answer");
    assert!(told.as_ref().is_err_and(|why| why.contains("no more requests for now")), "{told:?}");
    assert!(world.gateway.seen().is_empty());
}

#[test]
fn an_inquiry_over_the_limit_is_not_sent_and_is_to_be_made_again() {
    let (world, gate) = world(&LIMITED);
    gate.close(true);
    let deadline = world.clock.now().plus(LIFE);
    let inquire = || block_on(world.shell.inquire(world.route(), INQUIRY, &question(), deadline));
    let heard = inquire();
    assert!(matches!(heard, Ok(Answered::NoAnswer)), "{heard:?}");
    assert!(world.gateway.seen().is_empty());
    gate.close(false);
    let heard = inquire();
    assert!(matches!(heard, Ok(Answered::Nothing)), "{heard:?}");
    assert_eq!(world.gateway.seen().len(), 1);
}

/// What the limiter takes is gone: the gateway gets what is left of ten seconds without what the write needs, and is not
/// asked where that is less than two.
#[test]
fn the_time_for_a_request_is_what_the_limiter_has_left_of_it() {
    for (takes_ms, timeout_ms) in [(0, Some(7_000)), (3_000, Some(4_000)), (5_000, Some(2_000)), (5_001, None)] {
        let slow = || {
            let mut world = World::with(&LIMITED);
            let takes = Duration::from_millis(takes_ms);
            world.shell.limiter = Some(Arc::new(Slow { clock: world.clock.clone(), takes }));
            let deadline = world.clock.now().plus(Duration::from_secs(10));
            (world, deadline)
        };
        let given = |world: &World| world.gateway.seen().iter().map(|seen| seen.timeout).collect::<Vec<_>>();
        let expected: Vec<Duration> = timeout_ms.map(Duration::from_millis).into_iter().collect();

        let (world, deadline) = slow();
        let reply = block_on(world.asking_until(&sale(), deadline)).expect("an answer");
        assert_eq!(given(&world), expected, "a sale after {takes_ms} ms");
        let operation = &reply.payment.operations[0];
        assert_eq!(
            (operation.is_approved(), operation.state == State::Unsent),
            match timeout_ms {
                Some(_) => (true, false),
                None => (false, true),
            }
        );
        assert_eq!(world.payment().and_then(|payment| payment.due_at()), None, "nothing is left to find out");

        let (world, deadline) = slow();
        let inquired = block_on(world.shell.inquire(world.route(), INQUIRY, &question(), deadline));
        assert_eq!(given(&world), expected, "an inquiry after {takes_ms} ms");
        let (world, deadline) = slow();
        let checked = block_on(world.shell.check(world.route(), CHECK, deadline));
        assert_eq!(given(&world), expected, "a check after {takes_ms} ms");
        for refused in [inquired.err(), checked.err()] {
            let is_late = matches!(refused, Some(Refusal::Fault(Fault::NoTime)));
            assert_eq!(is_late, timeout_ms.is_none(), "{takes_ms} ms: {refused:?}");
        }
    }
}
