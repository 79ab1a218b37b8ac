//! A gateway is asked for a token, and the token is kept.

use std::time::Duration;

use super::super::fuse::{Moment, block_on, poll_once};
use super::super::gateway::Fate;
use super::super::shelf::Mishap;
use super::super::world::World;
use super::secrets::assert_nothing_rests_in_the_clear;
use super::{asking, asking_for};
use crate::gateways::{Adapter, sandbox};
use crate::ids::token_key;
use crate::method::{Method, Open, State, Status};
use crate::payment::asked::Address;
use crate::payment::tests::fixtures::{LIFE, START, card_of, gateway_id, merchant};
use crate::payment::{Answer, Decline, MARGIN};
use crate::ports::Clock;
use crate::rejection::{Fault, Refusal, Rejection};
use crate::shell::Route;
use crate::vault::Kept;

fn is_kept(method: &Method) -> bool {
    method.status() == Some(Status::Active)
}

/// It waits for an answer that nobody will hear; a second request may have been sent.
fn is_unknown(method: &Method) -> bool {
    matches!(method.state, State::Open(Open { unknown: true, .. })) && method.token.is_none()
}

fn rejection(result: Result<Kept, Refusal>) -> Rejection {
    match result {
        Err(Refusal::Rejection(rejection)) => rejection,
        other => panic!("{other:?}"),
    }
}

/// Asks for one while these writes suffer this, and expects one that is kept after one request.
fn kept_once(mishaps: &[Mishap]) {
    for adapter in sandbox::ALL {
        let world = World::with(adapter);
        world.vault.suffer(mishaps, Mishap::None);
        let asking = asking("method 1");
        let kept = world.tokenize(&asking).unwrap_or_else(|refusal| panic!("{mishaps:?}: {refusal:?}"));
        assert!(is_kept(&kept.method) && !kept.replayed, "{mishaps:?}: {kept:?}");
        assert_eq!(world.gateway.seen().len(), 1, "{mishaps:?}");
        assert_eq!(world.stored(&asking.id).as_ref(), Some(&kept.method), "the caller hears what is stored");
        assert_eq!(world.token(&asking.id).as_deref(), Some("tok_of_the_gateway_0"));
        assert_nothing_rests_in_the_clear(&world);
    }
}

#[test]
fn a_card_becomes_a_token_that_is_sealed() {
    for adapter in sandbox::ALL {
        let (world, asking) = (World::with(adapter), asking("method 1"));
        let Kept { method, replayed } = world.tokenize(&asking).expect("an answer");
        assert!(!replayed);
        assert_eq!((method.id, method.version, method.requested_at), (asking.id, 2, START));
        let answer = Answer { reference: Some("deed0".to_owned()), code: Some("00".to_owned()), ..Answer::default() };
        assert_eq!(method.state, State::Kept { status: Status::Active, answer, at: START });
        assert_eq!(
            world.gateway.tokens(&asking.id.to_string()),
            world.token(&asking.id).into_iter().collect::<Vec<_>>()
        );
        let seen = world.gateway.seen();
        let [seen] = seen.as_slice() else { panic!("{seen:?}") };
        assert_eq!((seen.path.as_str(), seen.key.clone()), ("/tokens", Some(token_key(&merchant(), &asking.id))));
        assert_nothing_rests_in_the_clear(&world);
    }
}

#[test]
fn the_same_key_is_answered_with_what_is_stored() {
    let (world, asking) = (World::with(&sandbox::KEYED), asking("method 1"));
    let first = world.tokenize(&asking).expect("an answer");
    let again = world.tokenize(&asking).expect("an answer");
    assert!(again.replayed && again.method == first.method, "{again:?}");
    let other = asking_for("method 1", card_of("4242420000004242", "123", Address::default()));
    let fields = vec!["paymentMethod"];
    assert_eq!(rejection(world.tokenize(&other)), Rejection::Mismatch { fields }, "the same six and four digits");
    assert_eq!(world.gateway.seen().len(), 1);
}

#[test]
fn a_card_that_is_declined_stays_declined_for_its_key() {
    let (world, asking) = (World::with(&sandbox::NONE), asking("method 1"));
    world.gateway.foresee(&[Fate::Declines]);
    let first = world.tokenize(&asking).expect("an answer");
    assert!(matches!(first.method.state, State::Refused { decline: Decline::Soft, .. }), "{first:?}");
    let again = world.tokenize(&asking).expect("an answer");
    assert!(again.replayed && again.method == first.method && again.method.token.is_none());
    assert_eq!(world.gateway.seen().len(), 1);
    assert_nothing_rests_in_the_clear(&world);
}

#[test]
fn what_the_gateway_never_heard_of_is_asked_for_anew() {
    for adapter in sandbox::ALL {
        for fate in [Fate::Refuses, Fate::IsBusy] {
            let (world, asking) = (World::with(adapter), asking("method 1"));
            world.gateway.foresee(&[fate, fate, Fate::Rejects]);
            for _ in 0..2 {
                let kept = world.tokenize(&asking).expect("an answer");
                assert_eq!((kept.method.state, kept.replayed), (State::Unsent, false), "{fate:?}");
            }
            // What it says of the first request that it hears is said of nothing that came before.
            let refused = world.tokenize(&asking).expect("an answer").method.state;
            assert!(matches!(refused, State::Refused { decline: Decline::InvalidData, .. }), "{refused:?}");
        }
    }
}

#[test]
fn an_answer_that_is_lost_is_asked_for_again_at_once_under_the_same_key() {
    for adapter in sandbox::ALL {
        for fate in [Fate::LosesAnswer, Fate::LosesRequest, Fate::Breaks, Fate::GivesToken(None)] {
            let (world, asking) = (World::with(adapter), asking("method 1"));
            world.gateway.foresee(&[fate]);
            let lost = world.tokenize(&asking).expect("an answer");
            assert!(is_unknown(&lost.method) && !lost.replayed, "{fate:?}: {lost:?}");
            let again = world.tokenize(&asking).expect("an answer");
            // What it gave no token for, a gateway with keys answers as before.
            let is_stuck = adapter.key_window.is_some() && matches!(fate, Fate::GivesToken(_));
            assert!(if is_stuck { is_unknown(&again.method) } else { is_kept(&again.method) }, "{fate:?}: {again:?}");
            assert_eq!((world.gateway.seen().len(), world.gateway.token_keys().len()), (2, 1));
            assert_nothing_rests_in_the_clear(&world);
        }
    }
}

#[test]
fn what_is_said_of_a_second_request_says_nothing_of_the_first() {
    for fate in [Fate::Refuses, Fate::IsBusy] {
        for of_claim in [Mishap::None, Mishap::Unacknowledged, Mishap::SentTwice] {
            let (world, asking) = (World::with(&sandbox::KEYED), asking("method 1"));
            world.gateway.foresee(&[Fate::LosesAnswer, fate, fate]);
            world.tokenize(&asking).expect("an answer");
            for _ in 0..2 {
                // It finds what is there, and then takes its claim.
                world.vault.suffer(&[Mishap::None, of_claim], Mishap::None);
                let again = world.tokenize(&asking).expect("an answer");
                assert!(is_unknown(&again.method), "{fate:?}, {of_claim:?}: {again:?}");
            }
            assert!(is_kept(&world.tokenize(&asking).expect("an answer").method));
            assert_eq!(world.token(&asking.id).as_deref(), Some("tok_of_the_gateway_0"), "the first one");
        }
    }
}

#[test]
fn a_refusal_is_one_for_good_whatever_came_before() {
    let (world, asking) = (World::with(&sandbox::KEYED), asking("method 1"));
    world.gateway.foresee(&[Fate::LosesRequest, Fate::Rejects]);
    world.tokenize(&asking).expect("an answer");
    let refused = world.tokenize(&asking).expect("an answer").method.state;
    assert!(matches!(refused, State::Refused { decline: Decline::InvalidData, .. }), "{refused:?}");
    assert!(world.tokenize(&asking).expect("an answer").replayed);
}

#[test]
fn whoever_asks_again_too_soon_is_told_when() {
    let (world, asking) = (World::with(&sandbox::KEYED), asking("method 1"));
    world.fuse.burn_at(Some((1, Moment::After)));
    assert!(poll_once(world.tokenizing(&asking)).is_none(), "its asker is killed");
    world.fuse.burn_at(None);
    world.clock.advance(Duration::from_secs(7));
    let retry_after = LIFE + MARGIN - Duration::from_secs(7);
    assert_eq!(rejection(world.tokenize(&asking)), Rejection::InProgress { retry_after });
    world.clock.advance(retry_after - Duration::from_millis(1));
    assert_eq!(rejection(world.tokenize(&asking)), Rejection::InProgress { retry_after: Duration::from_millis(1) });
    world.clock.advance(Duration::from_millis(1));
    assert!(is_kept(&world.tokenize(&asking).expect("an answer").method));
    assert_eq!(world.gateway.effects(&asking.id.to_string()), 1);
}

#[test]
fn a_write_whose_acknowledgement_is_lost_asks_the_gateway_once() {
    kept_once(&[]);
    for mishap in [Mishap::Unacknowledged, Mishap::SentTwice] {
        kept_once(&[mishap]);
        kept_once(&[Mishap::None, mishap]);
        kept_once(&[mishap; 4]);
    }
}

#[test]
fn a_vault_that_is_throttled_is_asked_again() {
    kept_once(&[Mishap::Unreachable; 5]);
    kept_once(&[Mishap::None, Mishap::Unreachable, Mishap::Unreachable]);
    kept_once(&[Mishap::Unreachable, Mishap::Unacknowledged, Mishap::Unreachable, Mishap::Unacknowledged]);
}

#[test]
fn a_claim_that_cannot_be_written_asks_for_nothing() {
    let (world, asking) = (World::with(&sandbox::KEYED), asking("method 1"));
    world.vault.suffer(&[], Mishap::Unreachable);
    let refused = world.tokenize(&asking);
    assert!(matches!(refused, Err(Refusal::Fault(Fault::Store(_)))), "{refused:?}");
    assert_eq!((world.gateway.seen().len(), world.stored(&asking.id)), (0, None));
}

#[test]
fn a_claim_whose_acknowledgement_comes_too_late_is_given_back_unsent() {
    for mishaps in
        [&[Mishap::Unreachable; 32][..], &[&[Mishap::Unacknowledged][..], &[Mishap::Unreachable; 31]].concat()]
    {
        let (world, asking) = (World::with(&sandbox::KEYED), asking("method 1"));
        world.vault.suffer(mishaps, Mishap::None);
        let kept = world.tokenize(&asking).expect("an answer");
        assert_eq!((kept.method.state, world.gateway.seen().len()), (State::Unsent, 0));
        assert!(is_kept(&world.tokenize(&asking).expect("an answer").method), "nobody has to wait for it");
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_not_told_but_asked_for_again() {
    let (world, asking) = (World::with(&sandbox::KEYED), asking("method 1"));
    world.vault.suffer(&[Mishap::None], Mishap::Unreachable);
    let lost = world.tokenize(&asking).expect("an answer");
    assert!(matches!(lost.method.state, State::Open(_)) && !lost.replayed, "{lost:?}");
    let noted = world.notes.read();
    let [note] = noted.as_slice() else { panic!("{noted:?}") };
    for word in ["Unwritten", &asking.id.to_string(), "Approved", "deed0"] {
        assert!(note.contains(word), "{word} stands nowhere: {note}");
    }
    world.vault.suffer(&[], Mishap::None);
    world.clock.advance(LIFE + MARGIN);
    assert!(is_kept(&world.tokenize(&asking).expect("an answer").method));
    assert_eq!(world.gateway.effects(&asking.id.to_string()), 1);
}

#[test]
fn that_nothing_was_sent_is_a_fault_where_it_cannot_be_written() {
    for (of_outcome, frees) in [(Mishap::Unreachable, false), (Mishap::Unacknowledged, true)] {
        let (world, asking) = (World::with(&sandbox::NONE), asking("method 1"));
        world.gateway.foresee(&[Fate::Refuses]);
        world.vault.suffer(&[Mishap::None, of_outcome], Mishap::Unreachable);
        let refused = world.tokenize(&asking);
        assert!(matches!(refused, Err(Refusal::Fault(Fault::Store(_)))), "{refused:?}");
        assert_eq!(world.stored(&asking.id).is_some_and(|method| method.state == State::Unsent), frees);
        world.vault.suffer(&[], Mishap::None);
        world.clock.advance(LIFE + MARGIN);
        assert!(is_kept(&world.tokenize(&asking).expect("an answer").method));
    }
}

#[test]
fn whoever_is_overtaken_puts_what_they_heard_to_what_the_other_wrote() {
    let (world, asking) = (World::with(&sandbox::KEYED), asking("method 1"));
    world.vault.suffer(&[Mishap::None, Mishap::Overtaken], Mishap::None);
    let overtaken = world.tokenize(&asking).expect("an answer");
    assert!(is_kept(&overtaken.method) && !overtaken.replayed, "{overtaken:?}");
    assert_eq!((&overtaken.method.version, world.stored(&asking.id)), (&3, Some(overtaken.method.clone())));
    assert_eq!(world.token(&asking.id).as_deref(), Some("tok_of_the_gateway_0"));
}

#[test]
fn a_token_that_the_gateway_repeats_rests_nowhere_else() {
    for fates in [&[Fate::RepeatsToken][..], &[Fate::LosesAnswer, Fate::RepeatsToken]] {
        let (world, asking) = (World::with(&sandbox::NONE), asking("method 1"));
        world.gateway.foresee(fates);
        let mut told: Vec<Kept> = fates.iter().map(|_| world.tokenize(&asking).expect("an answer")).collect();
        let kept = told.pop().expect("an answer");
        let State::Kept { answer, .. } = &kept.method.state else { panic!("{kept:?}") };
        assert_eq!(answer.reference.as_deref(), Some("****"));
        let message = format!("{}is kept as ****", "x".repeat(230));
        assert_eq!(answer.description.as_ref(), Some(&message), "the rest of it is as it was");
        assert_nothing_rests_in_the_clear(&world);
        assert!(world.token(&asking.id).is_some_and(|token| token.starts_with("tok_of_the_gateway")));
    }
}

#[test]
fn an_empty_token_is_none() {
    let (world, asking) = (World::with(&sandbox::NONE), asking("method 1"));
    world.gateway.foresee(&[Fate::GivesToken(Some(""))]);
    let kept = world.tokenize(&asking).expect("an answer");
    assert!(is_unknown(&kept.method), "{kept:?}");
}

#[test]
fn nobody_asks_whose_answer_could_not_be_kept() {
    let asking = asking("method 1");
    let mut world = World::with(&sandbox::KEYED);
    let deadline = world.clock.now().plus(Duration::from_millis(4_999));
    let refused = block_on(world.shell.tokenize(world.route(), &asking, deadline));
    assert!(matches!(refused, Err(Refusal::Fault(Fault::NoTime))), "{refused:?}");

    static KEEPS_NOTHING: Adapter = Adapter { tokenize: None, ..sandbox::KEYED };
    let route = Route { adapter: &KEEPS_NOTHING, ..world.route() };
    let refused = block_on(world.shell.tokenize(route, &asking, world.deadline()));
    assert_eq!(rejection(refused), Rejection::NoTokens);

    let (vault, keys) = (world.shell.vault.take(), world.shell.sealing_keys.take());
    for (vault, keys) in [(None, keys), (vault, None)] {
        (world.shell.vault, world.shell.sealing_keys) = (vault, keys);
        let refused = world.tokenize(&asking);
        assert!(matches!(refused, Err(Refusal::Fault(Fault::SetUp(_)))), "{refused:?}");
    }
    assert!(world.gateway.seen().is_empty() && world.stored(&asking.id).is_none());
}

#[test]
fn silence_and_no_connection_are_noted_with_the_method_that_they_are_about() {
    for (fate, says) in [(Fate::LosesAnswer, "Lost(\"timeout\")"), (Fate::Refuses, "NotSent(\"connection refused\")")] {
        let (world, asking) = (World::with(&sandbox::KEYED), asking("method 1"));
        world.gateway.foresee(&[fate]);
        world.tokenize(&asking).expect("an answer");
        let noted = world.notes.read();
        let [note] = noted.as_slice() else { panic!("{noted:?}") };
        for word in ["Called", &asking.id.to_string(), &gateway_id().to_string(), says] {
            assert!(note.contains(word), "{word} is missing: {note}");
        }
    }
}
