//! Whoever makes a method may be killed at any call, and so may whoever asks again: afterwards there is one method at
//! most, its token is one that the gateway gave out for it, and the gateway has heard one key.

use super::super::fuse::{Moment, poll_once};
use super::super::gateway::Fate;
use super::super::world::World;
use super::asking;
use super::secrets::assert_nothing_rests_in_the_clear;
use crate::gateways::{Adapter, sandbox};
use crate::ids::token_key;
use crate::method::State;
use crate::payment::MARGIN;
use crate::payment::tests::fixtures::{LIFE, merchant};
use crate::vault::Kept;

const FATES: [Fate; 8] = [
    Fate::Answers,
    Fate::Declines,
    Fate::Refuses,
    Fate::Rejects,
    Fate::LosesRequest,
    Fate::LosesAnswer,
    Fate::ArrivesLate,
    Fate::Breaks,
];

#[derive(Clone, Copy, Debug)]
struct Case {
    adapter: &'static Adapter,
    fates: [Fate; 2],
    /// Where whoever asks first is killed, and where whoever asks then.
    kills: [(usize, Moment); 2],
}

impl Case {
    /// Runs the history; says which of the two came to an end.
    fn run(&self) -> [bool; 2] {
        let (world, asking) = (World::with(self.adapter), asking("method 1"));
        world.gateway.foresee(&self.fates);
        let mut told = Vec::new();
        let ended = self.kills.map(|kill| {
            world.fuse.burn_at(Some(kill));
            let kept = poll_once(world.tokenizing(&asking)).map(|kept| kept.expect("no refusal after the margin"));
            let has_ended = kept.is_some();
            told.extend(kept);
            self.audit(&world, false);
            world.clock.advance(LIFE + MARGIN);
            world.gateway.deliver_what_is_late();
            has_ended
        });
        world.fuse.burn_at(None);
        world.gateway.foresee(&[]);
        told.push(world.tokenize(&asking).expect("an answer to the same key"));
        self.audit(&world, true);
        self.audit_told(&told);
        ended
    }

    fn audit(&self, world: &World, is_over: bool) {
        let asking = asking("method 1");
        let reference = asking.id.to_string();
        let (issued, effects) = (world.gateway.tokens(&reference), world.gateway.effects(&reference));
        let known = world.gateway.token_keys();
        assert!(known.into_iter().all(|key| key == Some(token_key(&merchant(), &asking.id))), "{self:?}");
        assert!(effects <= 1 || self.adapter.key_window.is_none(), "{self:?}: {effects} effects under one key");
        assert_nothing_rests_in_the_clear(world);
        let Some(method) = world.stored(&asking.id) else {
            assert!(!is_over && world.gateway.seen().is_empty(), "{self:?}: it heard of what is not stored");
            return;
        };
        match &method.state {
            State::Kept { .. } => {
                let token = world.token(&asking.id).expect("a token");
                assert!(issued.contains(&token), "{self:?}: {token} is none of {issued:?}");
            }
            State::Refused { .. } => assert!(method.token.is_none(), "{self:?}: {method:?}"),
            State::Open(_) | State::Unsent | State::Accepted { .. } => {
                assert!(!is_over && method.token.is_none(), "{self:?}: {method:?}")
            }
        }
    }

    /// What was told as known stays as it is.
    fn audit_told(&self, told: &[Kept]) {
        let is_known = |kept: &&Kept| matches!(kept.method.state, State::Kept { .. } | State::Refused { .. });
        let mut known = told.iter().filter(is_known);
        let first = known.next().expect("it ends well");
        assert!(known.all(|kept| kept.method == first.method && kept.replayed), "{self:?}: {told:?}");
    }
}

fn kills() -> impl Iterator<Item = (usize, Moment)> {
    (0..20).flat_map(|call| [(call, Moment::Before), (call, Moment::After)])
}

/// Kills at every call, one after the other, until there is none left to be killed at.
fn check(adapter: &'static Adapter, fates: [Fate; 2]) -> usize {
    let mut histories = 0;
    for first in kills() {
        let mut first_ended = false;
        for second in kills() {
            let ended = Case { adapter, fates, kills: [first, second] }.run();
            histories += 1;
            first_ended = ended[0];
            if ended[1] && second.1 == Moment::After {
                break;
            }
        }
        if first_ended && first.1 == Moment::After {
            return histories;
        }
    }
    panic!("it never ends");
}

#[test]
fn whoever_is_killed_leaves_at_most_one_method_whose_token_opens() {
    // One that honours keys, and one that does not: they differ in nothing else here.
    for adapter in [&sandbox::KEYED, &sandbox::NONE] {
        let mut histories = 0;
        for first in FATES {
            for second in [Fate::Answers, Fate::Declines, Fate::ArrivesLate] {
                histories += check(adapter, [first, second]);
            }
        }
        assert!(histories > FATES.len() * 3 * 30, "{}: {histories} histories", adapter.name);
    }
}
