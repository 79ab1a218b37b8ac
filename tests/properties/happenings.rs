//! What may happen to a payment, at random: requests whose keys collide, news of any kind, current and
//! stale, and time that goes on by milliseconds or days, under all terms that a gateway can have.

use std::time::Duration;

use kessai_shared::event::EventNames;
use kessai_shared::ids::Ordinal;
use kessai_shared::payment::asked::{AccountId, Amount, Details, Group, Membership, RefundReason};
use kessai_shared::payment::{
    Answer, BalanceCheck, Decline, Generation, Kind, Outcome, PayerAction, Reach, Source, Terms,
};
use kessai_shared::time::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::fixtures::{START, dollars, exactly, texts};
use crate::histories::{Demand, Happening, History, Moment, PaidWith};

/// Any history. Where `keeps_its_word` is false, a gateway may say anything at any time.
pub fn histories(keeps_its_word: bool) -> impl Strategy<Value = History> {
    (terms(), demands(openings(), Just("order"), Just(exactly(100))), vec(moments(), 0..40))
        .prop_map(move |(terms, opening, moments)| History { terms, opening, moments, keeps_its_word })
}

fn terms() -> impl Strategy<Value = Terms> {
    let hours = |hours: u64| Duration::from_secs(hours * 60 * 60);
    let windows = option::of(select(vec![hours(2), hours(24)]));
    let checks = select(vec![BalanceCheck::Strict, BalanceCheck::Gateway]);
    let lifetimes = select(vec![hours(1), hours(7 * 24)]);
    let reaches = || select(vec![Reach::Nothing, Reach::Named, Reach::Openings, Reach::Everything]);
    (windows, (reaches(), reaches()), any::<[bool; 2]>(), checks, lifetimes).prop_map(
        move |(key_window, (look_up, timeout_reversal), [multi_capture, tells], balance_check, lifetime)| Terms {
            key_window,
            look_up,
            timeout_reversal,
            multi_capture,
            balance_check,
            authorization_lifetime: lifetime,
            verdict_within: hours(24),
            generation: Generation::FIRST,
            wanted: if tells { EventNames::all() } else { EventNames::NONE },
        },
    )
}

fn moments() -> impl Strategy<Value = Moment> {
    let waits = prop_oneof![3 => Just(0_u64), 3 => 1..5_000_u64, 2 => 1_000..120_000_u64, 1 => 0..200_000_000_u64];
    let happens = prop_oneof![
        1 => Just(Happening::AskedAgain),
        5 => demands(actions(), select(vec!["a", "b", "c", "d", "e"]), amounts()).prop_map(Happening::Asked),
        1 => demands(openings(), select(vec!["order", "another"]), amounts()).prop_map(Happening::Asked),
        6 => news(),
        3 => Just(Happening::Due),
    ];
    (waits, 0..30_000_u64, happens).prop_map(|(after, life, happens)| Moment {
        after: Duration::from_millis(after),
        life: Duration::from_millis(life),
        happens,
    })
}

fn demands(
    kinds: impl Strategy<Value = Kind>,
    keys: impl Strategy<Value = &'static str>,
    amounts: impl Strategy<Value = Amount>,
) -> impl Strategy<Value = Demand> {
    let instruments = vec![PaidWith::Stored, PaidWith::Card, PaidWith::AnotherCard, PaidWith::Token];
    (kinds, keys, amounts, select(instruments), details()).prop_map(|(kind, key, amount, paid_with, details)| Demand {
        kind,
        key,
        amount,
        paid_with,
        details,
    })
}

fn openings() -> impl Strategy<Value = Kind> {
    select(vec![Kind::Authorize, Kind::PostAuthorize, Kind::Sale])
}

fn actions() -> impl Strategy<Value = Kind> {
    let target = |first| prop_oneof![first => Just(Ordinal::FIRST), 1 => (0..6_usize).prop_map(place_at)];
    prop_oneof![
        (target(5), prop::bool::weighted(0.2))
            .prop_map(|(authorization, is_final)| Kind::Capture { authorization, is_final }),
        target(5).prop_map(|authorization| Kind::Reverse { authorization }),
        (target(1), option::of(select(RefundReason::ALL.to_vec())))
            .prop_map(|(payment, reason)| Kind::Refund { payment, reason }),
    ]
}

fn place_at(place: usize) -> Ordinal {
    Ordinal::new(place).expect("a place that an id can hold")
}

fn amounts() -> impl Strategy<Value = Amount> {
    prop_oneof![5 => (1..60_i64).prop_map(exactly), 2 => (60..110_i64).prop_map(exactly), 1 => Just(Amount::Rest)]
}

/// Mostly nothing, so that the same is asked again.
fn details() -> impl Strategy<Value = Details> {
    let rich = || Details {
        account: AccountId::parse("001000000000001"),
        effective_at: Some(START),
        comments: Some("fragile \u{1f4e6}".to_owned()),
        additional_data: texts(&[("reference", "cs_1")]),
        group: Some(Group { member: Membership::New { source: None }, currency: Some(dollars()) }),
        submitted_by_merchant: true,
        ..Details::default()
    };
    prop_oneof![6 => Just(Details::default()), 1 => Just(rich())]
}

fn news() -> impl Strategy<Value = Happening> {
    let nonce = prop_oneof![4 => Just(None), 1 => (0..40_u64).prop_map(Some)];
    let source = prop_oneof![2 => Just(Source::Answer), 1 => select(Source::ALL.to_vec())];
    (0..12_usize, source, nonce, outcomes()).prop_map(|(operation, source, nonce, outcome)| Happening::Learned {
        operation,
        source,
        nonce,
        outcome,
    })
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    let declines = select(vec![Decline::Soft, Decline::Permanent, Decline::RequiresReview, Decline::InvalidData]);
    prop_oneof![
        8 => answers().prop_map(Outcome::Approved),
        1 => answers().prop_map(Outcome::Accepted),
        1 => (answers(), 0..200_000_000_u64).prop_map(|(answer, after)| Outcome::ActionRequired(answer, page(after))),
        1 => (declines, answers()).prop_map(|(decline, answer)| Outcome::Declined(decline, answer)),
        1 => answers().prop_map(Outcome::Voided),
        2 => Just(Outcome::NotSent),
        3 => Just(Outcome::Unknown),
        1 => Just(Outcome::NeverReceived),
    ]
}

/// Where the payer must go.
fn page(open_for_ms: u64) -> PayerAction {
    let expires_at = START.plus(Duration::from_millis(open_for_ms));
    PayerAction { url: "https://pay.example/challenges/1".to_owned(), expires_at }
}

/// Longer than any record takes.
const LONG: &str = match std::str::from_utf8(&[b'x'; 1001]) {
    Ok(text) => text,
    Err(_) => "",
};

/// Short and empty ones, and now and then one that is too long for its record.
fn answers() -> impl Strategy<Value = Answer> {
    let texts = ["a", "a", "b", "00", "", "\u{1f4b3} 4242424242424242", LONG];
    let text = || option::of(select(texts.map(str::to_owned).to_vec()));
    (text(), text(), text(), option::of(any::<i64>().prop_map(Timestamp::from_millis))).prop_map(
        |(reference, code, message, date)| Answer {
            reference_details: message.clone(),
            description: message.clone(),
            reference,
            code,
            message,
            date,
            ..Answer::default()
        },
    )
}
