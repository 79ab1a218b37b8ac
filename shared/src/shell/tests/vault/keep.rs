//! A caller brings a token, or stores what has none.

use super::super::fuse::{Moment, block_on, poll_once};
use super::super::shelf::Mishap;
use super::super::world::World;
use super::secrets::assert_nothing_rests_in_the_clear;
use super::{asking, asking_for};
use crate::card::Secret;
use crate::event::EventNames;
use crate::gateways::sandbox;
use crate::method::{State, Status};
use crate::payment::asked::Address;
use crate::payment::tests::fixtures::{LIFE, START};
use crate::payment::{Answer, Instrument, MARGIN};
use crate::rejection::{Fault, Refusal, Rejection};
use crate::vault::{Asking, Kept};

const TOKEN: &str = "tok_that_was_brought";

/// What a browser obtained from the gateway, to be stored.
fn brought(token: &str) -> Asking {
    let token = Secret::new(token.to_owned());
    let (token_details, name, email, address) = (None, None, None, Address::default());
    asking_for("method 1", Instrument::Alternative { token, token_details, name, email, address })
}

impl World {
    fn keep(&self, asking: &Asking) -> Result<Kept, Refusal> {
        block_on(self.shell.keep(asking, Status::Active, EventNames::NONE, self.deadline()))
    }
}

#[test]
fn a_token_that_is_brought_is_sealed_and_nobody_is_asked() {
    let world = World::with(&sandbox::KEYED);
    let asking = brought(TOKEN);
    let Kept { method, replayed } = world.keep(&asking).expect("an answer");
    let state = State::Kept { status: Status::Active, answer: Answer::default(), at: START };
    assert_eq!((&method.state, method.version, replayed), (&state, 1, false));
    assert_eq!((world.stored(&asking.id), world.token(&asking.id).as_deref()), (Some(method), Some(TOKEN)));
    assert!(world.gateway.seen().is_empty());
    assert_nothing_rests_in_the_clear(&world);
}

#[test]
fn what_is_stored_is_stored_with_the_status_that_is_asked_and_canceled_without_its_token() {
    for status in Status::ALL {
        let (world, asking) = (World::with(&sandbox::KEYED), brought(TOKEN));
        let kept = block_on(world.shell.keep(&asking, status, EventNames::NONE, world.deadline())).expect("an answer");
        assert_eq!(kept.method.status(), Some(status));
        assert_eq!(world.token(&asking.id).is_some(), status != Status::Canceled, "{status:?}");
    }
    let (world, asking) = (World::with(&sandbox::KEYED), asking("method 1"));
    assert!(world.keep(&asking).expect("an answer").method.token.is_none(), "a card alone has none");
    assert_nothing_rests_in_the_clear(&world);
}

#[test]
fn the_same_key_is_answered_with_what_is_stored_and_another_token_is_a_mismatch() {
    let world = World::with(&sandbox::KEYED);
    let first = world.keep(&brought(TOKEN)).expect("an answer");
    let again = world.keep(&brought(TOKEN)).expect("an answer");
    assert!(again.replayed && again.method == first.method, "{again:?}");
    let refused = world.keep(&brought("tok_another"));
    let expected = Rejection::Mismatch { fields: vec!["paymentMethod"] };
    assert!(matches!(&refused, Err(Refusal::Rejection(rejection)) if *rejection == expected), "{refused:?}");
    assert_eq!(world.token(&first.method.id).as_deref(), Some(TOKEN));
}

#[test]
fn a_key_under_which_a_gateway_is_asked_is_not_kept_over() {
    let (world, asking) = (World::with(&sandbox::KEYED), asking("method 1"));
    world.fuse.burn_at(Some((1, Moment::Before)));
    assert!(poll_once(world.tokenizing(&asking)).is_none(), "its asker is killed");
    world.fuse.burn_at(None);
    let refused = world.keep(&asking);
    let expected = Rejection::InProgress { retry_after: LIFE + MARGIN };
    assert!(matches!(&refused, Err(Refusal::Rejection(rejection)) if *rejection == expected), "{refused:?}");
}

#[test]
fn what_was_kept_just_now_is_no_replay_however_often_it_was_written() {
    let rows = [
        &[Mishap::Unacknowledged][..],
        &[Mishap::SentTwice],
        &[Mishap::Unreachable, Mishap::Unacknowledged, Mishap::Unreachable],
    ];
    for mishaps in rows {
        let (world, asking) = (World::with(&sandbox::KEYED), brought(TOKEN));
        world.vault.suffer(mishaps, Mishap::None);
        let kept = world.keep(&asking).expect("an answer");
        assert_eq!((kept.replayed, world.stored(&asking.id)), (false, Some(kept.method)), "{mishaps:?}");
    }
}

#[test]
fn a_vault_that_is_down_keeps_nothing() {
    let (world, asking) = (World::with(&sandbox::KEYED), brought(TOKEN));
    world.vault.suffer(&[], Mishap::Unreachable);
    let refused = world.keep(&asking);
    assert!(matches!(refused, Err(Refusal::Fault(Fault::Store(_)))), "{refused:?}");
    assert_eq!(world.stored(&asking.id), None);
}

#[test]
fn whoever_is_killed_while_it_is_kept_finds_it_there_or_keeps_it_then() {
    for (moment, is_there) in [(Moment::Before, false), (Moment::After, true)] {
        let (world, asking) = (World::with(&sandbox::KEYED), brought(TOKEN));
        world.fuse.burn_at(Some((0, moment)));
        assert!(poll_once(world.shell.keep(&asking, Status::Active, EventNames::NONE, world.deadline())).is_none());
        world.fuse.burn_at(None);
        assert_eq!(world.stored(&asking.id).is_some(), is_there);
        assert_eq!(world.keep(&asking).expect("an answer").replayed, is_there);
        assert_eq!(world.token(&asking.id).as_deref(), Some(TOKEN));
    }
}
