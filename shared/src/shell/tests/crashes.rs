//! Whoever asks may be killed at any call, and so may whoever follows up: afterwards the gateway has
//! acted at most once, and what is settled is what it did.

use super::fuse::{Moment, block_on, poll_once};
use super::gateway::Fate;
use super::world::{World, reference};
use crate::gateways::{Adapter, sandbox};
use crate::ids::Ordinal;
use crate::payment::tests::fixtures::{
    LIFE, acting, capture, exactly, opening, place, raw_card, refund, stored_method,
};
use crate::payment::{Instrument, Kind, MARGIN, Request, State};
use crate::ports::Clock;
use crate::shell::Reply;

const OPENING: [&str; 2] = ["authorize", "sale"];
const ALL: [&str; 5] = ["authorize", "sale", "capture", "reverse", "refund"];

const FATES: [Fate; 6] =
    [Fate::Answers, Fate::Declines, Fate::Refuses, Fate::LosesRequest, Fate::LosesAnswer, Fate::ArrivesLate];

/// One history: who asks for what, what becomes of the first calls, and where whom it hits.
#[derive(Clone, Copy, Debug)]
struct Case {
    adapter: &'static Adapter,
    kind: &'static str,
    raw: bool,
    fates: [Fate; 2],
    /// Where whoever asks is killed, and where whoever follows up first.
    kills: [Option<(usize, Moment)>; 2],
}

pub(super) fn take(name: &str) -> Request {
    acting(capture(Ordinal::FIRST), name, exactly(60))
}

impl Case {
    fn instrument(&self) -> Instrument {
        if self.raw { raw_card() } else { stored_method() }
    }

    fn request(&self) -> Request {
        match self.kind {
            "authorize" => opening(Kind::Authorize, self.instrument(), "order 1", 100),
            "sale" => opening(Kind::Sale, self.instrument(), "order 1", 100),
            "capture" => take("next"),
            "reverse" => acting(Kind::Reverse { authorization: Ordinal::FIRST }, "next", exactly(40)),
            "refund" => acting(refund(place(1)), "next", exactly(30)),
            strange => panic!("{strange} is no kind"),
        }
    }

    /// The world in which it is asked: what it acts on has taken effect.
    fn world(&self) -> World {
        let world = World::with(self.adapter);
        if matches!(self.kind, "capture" | "reverse" | "refund") {
            world.ask(&opening(Kind::Authorize, self.instrument(), "order 1", 100)).expect("a hold");
        }
        if self.kind == "refund" {
            world.ask(&take("before")).expect("a capture");
        }
        world.gateway.foresee(&self.fates);
        world
    }

    /// Runs the history; says whether whoever asked, and whoever followed up, came to an end.
    fn run(&self) -> [bool; 2] {
        let world = self.world();
        let first = world.payment().map_or(0, |payment| payment.operations.len());
        world.fuse.burn_at(self.kills[0]);
        let reply = poll_once(world.asking(&self.request()));
        if reply.is_none() {
            world.clock.advance(LIFE + MARGIN);
        }
        world.clock.move_to(world.payment().and_then(|payment| payment.due_at()).unwrap_or(world.clock.now()));
        world.gateway.deliver_what_is_late();
        world.fuse.burn_at(self.kills[1]);
        let followed = poll_once(world.following_up()).is_some();
        world.fuse.burn_at(None);
        world.settle();
        world.clock.advance(LIFE * 2);
        world.gateway.deliver_what_is_late();

        self.audit(&world);
        let told = reply.as_ref().and_then(|reply| reply.as_ref().ok());
        self.audit_told(&world, told, first);
        world.gateway.foresee(&[]);
        let again = block_on(world.asking(&self.request())).expect("an answer to the same key");
        assert_eq!(again.operation, place(first), "{self:?}");
        self.audit(&world);
        let last = world.last_operation();
        assert!(matches!(last.state, State::Settled(_)), "{self:?}: {last:?}");
        [reply.is_some(), followed]
    }

    /// The books of both sides agree.
    fn audit(&self, world: &World) {
        let Some(payment) = world.payment() else {
            assert!(world.gateway.references().is_empty(), "{self:?}: the gateway heard of what is not stored");
            return;
        };
        let mut known = Vec::new();
        for (ordinal, operation) in payment.numbered() {
            let reference = reference(payment.id, operation, ordinal);
            let effects = world.gateway.effects(&reference);
            let expected = match &operation.state {
                State::Settled(_) | State::Unsent => usize::from(operation.is_approved()),
                State::Open(_) | State::Accepted(_) => panic!("{self:?}: nobody found out: {operation:?}"),
            };
            assert_eq!(effects, expected, "{self:?}: {operation:?}");
            assert!(operation.contradictions.is_empty(), "{self:?}: {operation:?}");
            known.push(reference);
        }
        assert!(world.gateway.references().iter().all(|reference| known.contains(reference)), "{self:?}");
    }

    /// What the caller was told as settled is what is stored.
    fn audit_told(&self, world: &World, reply: Option<&Reply>, place: usize) {
        let Some(reply) = reply else { return };
        let told = &reply.payment.operations[place];
        if let State::Settled(_) = told.state {
            assert_eq!(
                world.payment().map(|payment| payment.operations[place].clone()).as_ref(),
                Some(told),
                "{self:?}"
            );
        }
    }
}

/// Kills at every call, one after the other, until there is none left to be killed at.
fn check(adapter: &'static Adapter, kind: &'static str, raw: bool, fates: [Fate; 2]) -> usize {
    let mut histories = 0;
    for asker in kills() {
        let mut asker_ended = false;
        for follower in kills() {
            let case = Case { adapter, kind, raw, fates, kills: [Some(asker), Some(follower)] };
            let [asked, followed] = case.run();
            histories += 1;
            asker_ended = asked;
            if followed && follower.1 == Moment::After {
                break;
            }
        }
        if asker_ended && asker.1 == Moment::After {
            return histories;
        }
    }
    panic!("it never ends");
}

fn kills() -> impl Iterator<Item = (usize, Moment)> {
    (0..50).flat_map(|call| [(call, Moment::Before), (call, Moment::After)])
}

fn check_all(adapter: &'static Adapter, kinds: &[&'static str], raw: bool) {
    let mut histories = 0;
    for kind in kinds {
        for first in FATES {
            for second in [Fate::Answers, Fate::ArrivesLate] {
                histories += check(adapter, kind, raw, [first, second]);
            }
        }
    }
    assert!(histories > kinds.len() * FATES.len() * 2 * 10, "{histories} histories");
}

#[test]
fn a_gateway_with_keys_acts_at_most_once() {
    check_all(&sandbox::KEYED, &ALL, false);
}

#[test]
fn a_gateway_with_keys_acts_at_most_once_on_a_card_that_is_not_stored() {
    check_all(&sandbox::KEYED, &OPENING, true);
}

#[test]
fn a_gateway_that_can_be_asked_acts_at_most_once() {
    check_all(&sandbox::LOOK_UP, &ALL, false);
}

#[test]
fn a_gateway_that_undoes_by_reference_acts_at_most_once_or_not_at_all() {
    check_all(&sandbox::TIMEOUT_REVERSAL, &ALL, false);
}
