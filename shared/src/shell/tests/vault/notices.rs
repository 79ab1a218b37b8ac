//! A gateway accepts a tokenization, and tells later whether it keeps the method.

use super::super::fuse::{Moment, block_on, poll_once};
use super::super::gateway::Fate;
use super::super::shelf::Mishap;
use super::super::world::World;
use super::secrets::assert_nothing_rests_in_the_clear;
use super::{asking, keys};
use crate::card::Secret;
use crate::event::EventNames;
use crate::gateways::{Adapter, sandbox};
use crate::ids::MethodId;
use crate::method::{Change, State, Status};
use crate::payment::outbox::Round;
use crate::payment::tests::fixtures::{answer, gateway_id, merchant};
use crate::payment::{Decline, Outcome};
use crate::rejection::{Fault, Refusal, Rejection};
use crate::shell::Route;
use crate::vault::Asking;

const TOKEN: &str = "tok_told_unasked";

/// A world in which a token was asked for, and this became of the request.
fn after(adapter: &'static Adapter, fate: Fate) -> (World, Asking) {
    let (world, asking) = (World::with(adapter), asking("method 1"));
    world.gateway.foresee(&[fate]);
    world.tokenize(&asking).expect("an answer");
    world.notes.read();
    (world, asking)
}

fn approved() -> Outcome {
    Outcome::Approved(answer("deed0"))
}

fn declined() -> Outcome {
    Outcome::Declined(Decline::Soft, answer("deed0"))
}

impl World {
    fn hearing_of(&self, id: &MethodId, outcome: Outcome, token: Option<&str>) -> Result<(), Fault> {
        let token = token.map(|token| Secret::new(token.to_owned()));
        block_on(async {
            let stored = self.shell.method(&merchant(), id, self.deadline()).await?.expect("a method");
            self.shell.hear_token(stored, outcome, token, self.route().wanted, self.deadline()).await
        })
    }

    fn told(&self, id: &MethodId, outcome: Outcome, token: Option<&str>) {
        self.hearing_of(id, outcome, token).expect("a notice that nothing hinders");
    }

    /// Why it cannot be paid with.
    fn unusable(&self, id: &MethodId) -> Refusal {
        let opened = block_on(self.shell.on_file(&merchant(), id, gateway_id(), self.deadline()));
        opened.err().expect("a refusal")
    }
}

#[test]
fn what_is_accepted_is_replayed_and_pays_nothing_until_it_is_kept() {
    for adapter in sandbox::ALL {
        let (world, asking) = after(adapter, Fate::Accepts);
        let accepted = world.stored(&asking.id).expect("a method");
        assert!(matches!(accepted.state, State::Accepted { action: None, .. }) && accepted.token.is_none());
        let again = world.tokenize(&asking).expect("an answer");
        assert!(again.replayed && again.method == accepted && world.gateway.seen().len() == 1);
        let pending = Rejection::MethodUnusable { status: "Pending" };
        assert!(matches!(world.unusable(&asking.id), Refusal::Rejection(why) if why == pending));
        let change = Change { status: Some(Status::Active), ..Change::default() };
        let refused =
            block_on(world.shell.change_method(&merchant(), &asking.id, &change, EventNames::NONE, world.deadline()));
        assert!(matches!(refused, Err(Refusal::Rejection(why)) if why == pending));

        world.told(&asking.id, approved(), Some(TOKEN));
        let opened = block_on(world.shell.on_file(&merchant(), &asking.id, gateway_id(), world.deadline()));
        let opened = opened.expect("it is kept").token.map(|token| token.reveal().to_owned());
        assert_eq!(opened.as_deref(), Some(TOKEN));
        let kept = world.tokenize(&asking).expect("an answer");
        assert!(kept.replayed && kept.method.status() == Some(Status::Active));
        assert_eq!(world.gateway.seen().len(), 1);
        assert_nothing_rests_in_the_clear(&world);
    }
}

#[test]
fn a_notice_settles_what_nobody_knew() {
    for fate in [Fate::LosesAnswer, Fate::Accepts, Fate::Refuses, Fate::GivesToken(None)] {
        let (world, asking) = after(&sandbox::KEYED, fate);
        world.told(&asking.id, declined(), None);
        let refused = world.stored(&asking.id).expect("a method");
        assert!(matches!(refused.state, State::Refused { decline: Decline::Soft, .. }), "{fate:?}: {refused:?}");
        assert!(world.tokenize(&asking).expect("an answer").replayed);

        let (world, asking) = after(&sandbox::KEYED, fate);
        world.told(&asking.id, approved(), Some(TOKEN));
        assert_eq!(world.token(&asking.id).as_deref(), Some(TOKEN), "{fate:?}");
        assert!(world.tokenize(&asking).expect("an answer").replayed);
        assert_eq!((world.gateway.seen().len(), world.notes.read()), (1, Vec::new()));
    }
}

#[test]
fn a_notice_comes_although_whoever_asked_was_killed() {
    let (world, asking) = (World::with(&sandbox::KEYED), asking("method 1"));
    world.fuse.burn_at(Some((1, Moment::After)));
    assert!(poll_once(world.tokenizing(&asking)).is_none(), "its asker is killed");
    world.fuse.burn_at(None);
    world.told(&asking.id, Outcome::Accepted(answer("deed0")), None);
    assert!(world.tokenize(&asking).expect("an answer").replayed, "nobody has to wait for the deadline");
    world.told(&asking.id, approved(), Some(TOKEN));
    assert_eq!(world.token(&asking.id).as_deref(), Some(TOKEN));
}

#[test]
fn a_notice_that_is_told_twice_is_written_once() {
    let (world, asking) = after(&sandbox::KEYED, Fate::Accepts);
    world.told(&asking.id, approved(), Some(TOKEN));
    let (kept, writes) = (world.stored(&asking.id), world.vault.meter().writes);
    for outcome in [approved(), Outcome::Accepted(answer("deed0")), Outcome::Unknown, Outcome::NotSent] {
        world.told(&asking.id, outcome, Some(TOKEN));
    }
    assert_eq!((world.stored(&asking.id), world.vault.meter().writes), (kept, writes));
    assert_eq!(world.notes.read(), [""; 0]);
}

#[test]
fn a_gateway_that_contradicts_itself_is_noted_and_its_first_word_stands() {
    let rows = [
        (approved(), Some(TOKEN), declined(), None, ["Contradiction", "Active", "Declined"]),
        (approved(), Some(TOKEN), approved(), Some("tok_another"), ["Contradiction", "Active", "Approved"]),
        (declined(), None, approved(), Some(TOKEN), ["Contradiction", "Refused", "Approved"]),
    ];
    for (first, token, then, another, says) in rows {
        let (world, asking) = after(&sandbox::KEYED, Fate::Accepts);
        world.told(&asking.id, first, token);
        let known = world.stored(&asking.id);
        world.told(&asking.id, then, another);
        assert_eq!((world.stored(&asking.id), world.token(&asking.id).as_deref()), (known, token));
        let noted = world.notes.read();
        let [note] = noted.as_slice() else { panic!("{noted:?}") };
        for word in says.into_iter().chain([&*asking.id.to_string()]) {
            assert!(note.contains(word), "{word} is missing: {note}");
        }
        assert!(!note.contains("tok_"), "{note}");
    }
}

#[test]
fn a_token_that_was_sealed_anew_is_still_the_same() {
    let (mut world, asking) = after(&sandbox::KEYED, Fate::Accepts);
    world.told(&asking.id, approved(), Some(TOKEN));
    world.shell.sealing_keys = keys(&["k2", "k1"]);
    world.told(&asking.id, approved(), Some(TOKEN));
    assert_eq!(world.notes.read(), [""; 0]);
    world.shell.sealing_keys = keys(&["k2"]);
    let hindered = world.hearing_of(&asking.id, approved(), Some(TOKEN));
    assert!(matches!(hindered, Err(Fault::Sealed(_))), "it cannot be compared, and is told again: {hindered:?}");
}

#[test]
fn a_notice_is_put_to_whatever_somebody_else_writes() {
    for mishap in [Mishap::None, Mishap::Overtaken, Mishap::Unacknowledged, Mishap::SentTwice, Mishap::Unreachable] {
        let (world, asking) = after(&sandbox::KEYED, Fate::Accepts);
        world.vault.suffer(&[mishap], Mishap::None);
        world.told(&asking.id, approved(), Some(TOKEN));
        assert_eq!(world.token(&asking.id).as_deref(), Some(TOKEN), "{mishap:?}");
        assert_eq!(world.notes.read(), [""; 0], "{mishap:?}");
    }
    let (world, asking) = after(&sandbox::KEYED, Fate::Accepts);
    world.vault.suffer(&[], Mishap::Unreachable);
    let hindered = world.hearing_of(&asking.id, approved(), Some(TOKEN));
    assert!(matches!(hindered, Err(Fault::Store(_))), "{hindered:?}");
}

#[test]
fn a_token_that_a_notice_repeats_or_that_is_none_rests_nowhere() {
    let (world, asking) = after(&sandbox::KEYED, Fate::Accepts);
    world.told(&asking.id, approved(), Some(""));
    world.told(&asking.id, approved(), None);
    let accepted = world.stored(&asking.id).expect("a method");
    assert!(matches!(accepted.state, State::Accepted { .. }), "a token without a token says nothing: {accepted:?}");
    let mut repeating = answer(TOKEN);
    repeating.message = Some(format!("{}kept as {TOKEN}", "x".repeat(240)));
    world.told(&asking.id, Outcome::Approved(repeating), Some(TOKEN));
    assert_eq!(world.token(&asking.id).as_deref(), Some(TOKEN));
    assert_nothing_rests_in_the_clear(&world);
}

#[test]
fn an_event_is_written_with_its_change() {
    let world = World::with(&sandbox::KEYED);
    let (asking, wanted) = (asking("method 1"), EventNames::all());
    let events = || -> Vec<&'static str> {
        let method = world.stored(&asking.id).expect("a method");
        method
            .outbox
            .entries
            .iter()
            .filter_map(|entry| method.event(entry))
            .map(crate::event::EventName::text)
            .collect()
    };
    let route = Route { wanted, ..world.route() };
    world.gateway.foresee(&[Fate::Accepts]);
    block_on(world.shell.tokenize(route, &asking, world.deadline())).expect("an answer");
    assert_eq!(events(), ["payment_method.pending"]);
    let told = |through: u32| {
        let stored = block_on(world.shell.method(&merchant(), &asking.id, world.deadline())).expect("a vault");
        let round = Round { seen: through, ..Round::default() };
        block_on(world.shell.told_of_method(stored.expect("a method"), &round, world.deadline()))
            .expect("it is written")
    };
    assert_eq!(told(1).outbox.due(), None);
    let hear = || {
        let token = Some(Secret::new(TOKEN.to_owned()));
        block_on(async {
            let stored = world.shell.method(&merchant(), &asking.id, world.deadline()).await?.expect("a method");
            world.shell.hear_token(stored, approved(), token, wanted, world.deadline()).await
        })
        .expect("a notice that nothing hinders");
    };
    hear();
    hear();
    assert_eq!(events(), ["payment_method.created"], "and that it is pending was told");
    let change = Change { status: Some(Status::Canceled), ..Change::default() };
    block_on(world.shell.change_method(&merchant(), &asking.id, &change, wanted, world.deadline())).expect("a change");
    block_on(world.shell.change_method(&merchant(), &asking.id, &change, wanted, world.deadline())).expect("no change");
    assert_eq!(events(), ["payment_method.created", "payment_method.updated"]);
    let (kept, writes) = (told(3), world.vault.meter().writes);
    assert_eq!((kept.outbox.entries.len(), kept.outbox.made), (0, 3));
    assert_eq!((told(3), world.vault.meter().writes), (kept, writes), "what is known is not written again");
}
