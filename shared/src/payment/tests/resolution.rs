//! How what nobody knows is found out: when it is sent again, asked for, undone, waited for, given up.

use std::time::Duration;

use super::fixtures::{LIFE, START, acting, answer, capture, exactly, opening, raw_card, stored_method, terms};
use super::purchase::Purchase;
use crate::gateways::{ADAPTERS, sandbox};
use crate::ids::Ordinal;
use crate::merchant::AUTHORIZATION_LIFETIME;
use crate::payment::{
    Decline, Effect, Event, Instrument, Interaction, Kind, MARGIN, Outcome, Reach, Source, State, Terms, Verdict,
};
use crate::rejection::Rejection;

const FIRST: Ordinal = Ordinal::FIRST;

fn open(kind: Kind, instrument: Instrument, terms: Terms) -> Purchase {
    Purchase::asked(&opening(kind, instrument, "order 1", 100), terms)
}

/// Whoever claimed it was killed, and every request it sent has arrived.
fn abandoned(kind: Kind, instrument: Instrument, terms: Terms) -> Purchase {
    let mut purchase = open(kind, instrument, terms);
    purchase.wait(LIFE + MARGIN);
    purchase
}

fn verdict(purchase: &Purchase) -> Option<Verdict> {
    match purchase.state(FIRST) {
        State::Settled(settled) => Some(settled.verdict),
        State::Open(_) | State::Unsent | State::Accepted(_) => None,
    }
}

fn due_in(purchase: &Purchase) -> Option<Duration> {
    purchase.payment.due_at().map(|due| due.since(purchase.now))
}

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 60 * 60)
}

#[test]
fn it_is_sent_again_only_well_inside_the_key_window_and_for_an_hour_where_it_can_be_asked() {
    let moment = Duration::from_millis(1);
    let keyed = terms(&sandbox::KEYED);
    let reach = |reaches| if reaches { Reach::Everything } else { Reach::Nothing };
    let without = |looks, reverses| Terms { look_up: reach(looks), timeout_reversal: reach(reverses), ..keyed };
    let short = Terms { key_window: Some(hours(1)), ..keyed };
    let rows = [
        (keyed, hours(1) - moment, "sends again"),
        (keyed, hours(1), "looks up"),
        (without(true, true), hours(1), "looks up"),
        (without(false, true), hours(23) - moment, "sends again"),
        (without(false, true), hours(23), "undoes"),
        (without(false, false), hours(23) - moment, "sends again"),
        (without(false, false), hours(23), "waits"),
        (short, LIFE + MARGIN, "looks up"),
    ];
    for (terms, after, expected) in rows {
        let mut purchase = open(Kind::Authorize, stored_method(), terms);
        purchase.wait(after);
        let told = match purchase.look().effect {
            Some(Effect::Send { duplicate: true, .. }) => "sends again",
            Some(Effect::Send { duplicate: false, .. }) => "sends as if for the first time",
            Some(Effect::LookUp { .. }) => "looks up",
            Some(Effect::Reverse { .. }) => "undoes",
            None => "waits",
        };
        assert_eq!(told, expected, "{after:?} after it was asked, under {terms:?}");
    }
}

#[test]
fn the_callers_own_retry_brings_the_card_again() {
    let request = || opening(Kind::Authorize, raw_card(), "order 1", 100);
    let mut purchase = open(Kind::Authorize, raw_card(), terms(&sandbox::KEYED));
    purchase.wait(LIFE + MARGIN - Duration::from_millis(1));
    let refused = purchase.ask(&request()).expect_err("somebody may still be asking");
    assert_eq!(refused, Rejection::InProgress { retry_after: Duration::from_millis(1) });

    purchase.wait(Duration::from_millis(1));
    let looked = purchase.look();
    let Some(Effect::LookUp { nonce, .. }) = looked.effect else { panic!("it can only be asked for: {looked:?}") };
    let resent = purchase.ask(&request()).expect("the card is here again");
    assert!(matches!(resent.effect, Some(Effect::Send { duplicate: true, .. })), "{resent:?}");

    let late = Event::Learned {
        operation: FIRST,
        source: Source::LookUp,
        nonce,
        outcome: Outcome::NeverReceived,
        amount: None,
    };
    let before = purchase.payment.clone();
    purchase.put(&late).expect("news are never refused");
    assert_eq!(purchase.payment, before, "what was looked up before the retry says nothing about it");
    purchase.hear(FIRST, Outcome::Approved(answer("a")));
    assert_eq!(verdict(&purchase), Some(Verdict::Approved));
}

#[test]
fn a_retry_sends_it_again_until_the_key_window_ends_and_then_gets_the_answer_that_there_is() {
    for (after, version) in [(hours(23) - Duration::from_millis(1), 2), (hours(23), 1)] {
        let mut purchase = open(Kind::Sale, raw_card(), terms(&sandbox::KEYED));
        purchase.wait(after);
        let answered = purchase.ask(&opening(Kind::Sale, raw_card(), "order 1", 100)).expect("an answer");
        assert_eq!(matches!(answered.effect, Some(Effect::Send { duplicate: true, .. })), version == 2, "{after:?}");
        assert_eq!(answered.payment.version, version);
    }
}

#[test]
fn nobody_asks_before_every_request_must_have_arrived() {
    for adapter in [&sandbox::LOOK_UP, &sandbox::TIMEOUT_REVERSAL] {
        let mut purchase = open(Kind::Sale, stored_method(), terms(adapter));
        assert_eq!(due_in(&purchase), Some(LIFE + MARGIN), "{}", adapter.name);
        purchase.wait(Duration::from_secs(10));
        purchase.hear(FIRST, Outcome::Unknown);
        assert_eq!(due_in(&purchase), Some(LIFE + MARGIN - Duration::from_secs(10)), "{}", adapter.name);
    }
}

#[test]
fn what_may_not_be_sent_again_any_more_is_not_looked_up_or_undone_early() {
    let keyed = terms(&sandbox::KEYED);
    let undoing = Terms { look_up: Reach::Nothing, timeout_reversal: Reach::Everything, ..keyed };
    for (terms, until) in [(keyed, hours(1)), (undoing, hours(23))] {
        let mut purchase = open(Kind::Sale, stored_method(), terms);
        purchase.wait(until - Duration::from_secs(1));
        assert!(matches!(purchase.look().effect, Some(Effect::Send { duplicate: true, .. })));
        purchase.hear(FIRST, Outcome::Unknown);
        purchase.now = purchase.payment.due_at().expect("a time to look again");
        assert_eq!(purchase.look().effect, None, "the request sent just now may still be on its way");
        purchase.now = purchase.payment.due_at().expect("a time to look again");
        assert!(matches!(purchase.look().effect, Some(Effect::LookUp { .. } | Effect::Reverse { .. })));
    }
}

#[test]
fn what_is_being_undone_is_not_believed_to_stand() {
    for outcome in [Outcome::Approved(answer("a")), Outcome::Accepted(answer("a"))] {
        for source in Source::ALL {
            let mut purchase = abandoned(Kind::Sale, stored_method(), terms(&sandbox::TIMEOUT_REVERSAL));
            assert!(matches!(purchase.look().effect, Some(Effect::Reverse { .. })));
            let claimed = purchase.state(FIRST).clone();
            purchase.hear_from(FIRST, source, outcome.clone());
            assert_eq!(*purchase.state(FIRST), claimed, "{source:?} says {outcome:?}");
            let logs = &purchase.payment.operations[0].logs;
            assert_eq!(logs.iter().map(|log| log.source).collect::<Vec<_>>(), [source], "it is logged");
            purchase.hear_from(FIRST, Source::TimeoutReversal, Outcome::Voided(answer("v")));
            assert_eq!(verdict(&purchase), Some(Verdict::Voided));
        }
    }
}

#[test]
fn what_was_declined_needs_no_undoing() {
    let mut purchase = abandoned(Kind::Sale, stored_method(), terms(&sandbox::TIMEOUT_REVERSAL));
    purchase.look();
    purchase.hear_from(FIRST, Source::Notice, Outcome::Declined(Decline::Soft, answer("d")));
    assert_eq!(verdict(&purchase), Some(Verdict::Declined(Decline::Soft)));
    let undone = purchase.hear_from(FIRST, Source::TimeoutReversal, Outcome::Voided(answer("v")));
    assert!(!undone.contradiction, "nothing was charged either way");
}

#[test]
fn what_is_approved_before_it_is_undone_stands() {
    let mut purchase = abandoned(Kind::Sale, stored_method(), terms(&sandbox::TIMEOUT_REVERSAL));
    purchase.hear_from(FIRST, Source::Notice, Outcome::Approved(answer("a")));
    assert_eq!(verdict(&purchase), Some(Verdict::Approved));
    assert_eq!((purchase.look().effect, purchase.payment.due_at()), (None, None));
}

#[test]
fn what_is_being_undone_is_undone_until_it_is_done_and_never_sent_again() {
    // The card is not stored, so that only its caller could send it again.
    let request = || opening(Kind::Sale, raw_card(), "order 1", 100);
    let keyed = terms(&sandbox::KEYED);
    let mut purchase = abandoned(
        Kind::Sale,
        raw_card(),
        Terms { look_up: Reach::Nothing, timeout_reversal: Reach::Everything, ..keyed },
    );
    for _ in 0..3 {
        assert!(matches!(purchase.look().effect, Some(Effect::Reverse { .. })));
        purchase.hear_from(FIRST, Source::TimeoutReversal, Outcome::Unknown);
        purchase.now = purchase.payment.due_at().expect("a time to look again");
        let before = purchase.payment.clone();
        let answered = purchase.ask(&request()).expect("an answer");
        assert_eq!((answered.effect, answered.payment), (None, before), "the key holds, but it is being undone");
        purchase.hear_from(FIRST, Source::Notice, Outcome::Approved(answer("a")));
    }
    purchase.look();
    purchase.hear_from(FIRST, Source::TimeoutReversal, Outcome::Voided(answer("v")));
    assert_eq!(verdict(&purchase), Some(Verdict::Voided));
}

#[test]
fn each_try_in_vain_waits_longer_than_the_last() {
    // To send or to undo it once more is a second try in itself. Nobody undoes it again before the request to
    // undo it must have arrived.
    let only_keyed = Terms { look_up: Reach::Nothing, ..terms(&sandbox::KEYED) };
    let rows = [
        (terms(&sandbox::LOOK_UP), Source::LookUp, [5, 15, 60, 300, 1_800, 10_800, 10_800]),
        (only_keyed, Source::Answer, [15, 60, 300, 1_800, 10_800, 10_800, 10_800]),
        (terms(&sandbox::TIMEOUT_REVERSAL), Source::TimeoutReversal, [50, 60, 300, 1_800, 10_800, 10_800, 10_800]),
    ];
    for (terms, source, expected) in rows {
        let mut purchase = abandoned(Kind::Sale, stored_method(), terms);
        let mut waits = Vec::new();
        for _ in expected {
            assert!(purchase.look().effect.is_some(), "{source:?}");
            purchase.hear_from(FIRST, source, Outcome::Unknown);
            let wait = due_in(&purchase).expect("a time to look again");
            waits.push(wait);
            purchase.wait(wait);
        }
        assert_eq!(waits, expected.map(Duration::from_secs), "{source:?}");
    }
}

#[test]
fn what_nobody_can_find_out_waits_and_a_hold_lapses_at_its_end() {
    for kind in [Kind::Authorize, Kind::PostAuthorize] {
        let mut purchase = abandoned(kind, stored_method(), terms(&sandbox::NONE));
        let end = START.plus(AUTHORIZATION_LIFETIME);
        assert_eq!(purchase.look().effect, None);
        assert_eq!(purchase.payment.due_at(), Some(end));
        purchase.now = end;
        purchase.look();
        assert_eq!((verdict(&purchase), purchase.payment.due_at()), (Some(Verdict::Lapsed), None));
        let last = purchase.payment.operations[0].logs.last().map(|log| (log.source, log.interaction));
        assert_eq!(last, Some((Source::Time, Interaction::Timeout)));
    }
}

#[test]
fn a_sale_or_capture_that_nobody_can_find_out_stays_open_for_ever() {
    let mut sale = abandoned(Kind::Sale, stored_method(), terms(&sandbox::NONE));
    assert_eq!(sale.look().effect, None);
    assert_eq!((verdict(&sale), sale.payment.due_at()), (None, None));

    let mut hold = Purchase::approved(Kind::Authorize, 100, terms(&sandbox::NONE));
    hold.ask(&acting(capture(FIRST), "capture", exactly(60))).expect("a capture");
    hold.wait(LIFE + MARGIN);
    assert_eq!(hold.look().effect, None);
    assert_eq!(hold.payment.due_at(), None);
    assert_eq!(hold.payment.uncaptured(FIRST).minor, 40, "its amount stays spoken for");
    hold.hear_from(hold.last(), Source::Notice, Outcome::Approved(answer("c")));
    assert_eq!(hold.payment.captured(FIRST).minor, 60, "a notice still settles it");
}

#[test]
fn who_undoes_openings_alone_leaves_what_acts_on_them_to_a_person() {
    let openings = || Terms { timeout_reversal: Reach::Openings, ..terms(&sandbox::NONE) };
    for kind in [Kind::Authorize, Kind::Sale] {
        let mut opened = abandoned(kind, raw_card(), openings());
        assert!(matches!(opened.look().effect, Some(Effect::Reverse { .. })));
    }
    let mut hold = Purchase::approved(Kind::Authorize, 100, openings());
    hold.ask(&acting(capture(FIRST), "capture", exactly(60))).expect("a capture");
    hold.wait(LIFE + MARGIN);
    assert_eq!(hold.look().effect, None);
    assert_eq!((hold.payment.due_at(), hold.payment.uncaptured(FIRST).minor), (None, 40), "its amount stays reserved");
}

#[test]
fn a_hold_that_was_accepted_and_never_decided_lapses_where_nobody_can_ask() {
    for adapter in ADAPTERS {
        let mut purchase = open(Kind::Authorize, stored_method(), terms(adapter));
        purchase.hear(FIRST, Outcome::Accepted(answer("p")));
        if adapter.look_up.is_some() {
            let patient = adapter.verdict_within.max(Duration::from_secs(5));
            assert_eq!(due_in(&purchase), Some(patient), "{}", adapter.name);
        } else {
            assert_eq!(due_in(&purchase), Some(adapter.verdict_within), "the gateway's own time");
            purchase.wait(adapter.verdict_within);
            assert_eq!(purchase.look().effect, None, "nobody can ask; somebody is told that it takes too long");
            purchase.now = START.plus(AUTHORIZATION_LIFETIME);
            purchase.look();
            assert_eq!(verdict(&purchase), Some(Verdict::Lapsed), "{}", adapter.name);
            assert_eq!(purchase.payment.operations[0].answer(), Some(&answer("p")));
        }
    }
    let mut sale = open(Kind::Sale, stored_method(), terms(&sandbox::NONE));
    sale.hear(FIRST, Outcome::Accepted(answer("p")));
    sale.wait(Duration::from_secs(5));
    assert_eq!(sale.look().effect, None);
    assert_eq!(sale.payment.due_at(), None, "a sale does not end by itself");
}

#[test]
fn a_gateway_that_keeps_talking_does_not_put_off_the_look_up() {
    let idle = [Outcome::Accepted(answer("p")), Outcome::Unknown, Outcome::NotSent, Outcome::NeverReceived];
    let mut accepted = open(Kind::Sale, stored_method(), terms(&sandbox::LOOK_UP));
    accepted.hear(FIRST, Outcome::Accepted(answer("p")));
    let mut unknown = open(Kind::Sale, stored_method(), terms(&sandbox::LOOK_UP));
    unknown.hear(FIRST, Outcome::Unknown);
    // To hear that what nobody knew was accepted is news.
    for (mut purchase, idle) in [(accepted, &idle[..]), (unknown, &idle[1..])] {
        let before = purchase.payment.clone();
        for outcome in idle {
            purchase.wait(Duration::from_secs(1));
            purchase.hear_from(FIRST, Source::Notice, outcome.clone());
            assert_eq!(purchase.payment, before, "{outcome:?}");
        }
    }
}

#[test]
fn a_verdict_that_is_long_in_coming_is_asked_for_less_and_less_often() {
    let mut purchase = open(Kind::Sale, stored_method(), terms(&sandbox::LOOK_UP));
    purchase.hear(FIRST, Outcome::Accepted(answer("p")));
    for (seconds, outcome) in [(5, Outcome::Accepted(answer("p"))), (15, Outcome::Unknown), (60, Outcome::NotSent)] {
        assert_eq!(due_in(&purchase), Some(Duration::from_secs(seconds)));
        purchase.wait(Duration::from_secs(seconds));
        assert!(matches!(purchase.look().effect, Some(Effect::LookUp { .. })));
        purchase.hear_from(FIRST, Source::LookUp, outcome);
    }
    assert_eq!(due_in(&purchase), Some(Duration::from_secs(300)));
}
