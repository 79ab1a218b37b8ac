//! The table of [`step`] and [`heard`]: every state of a method × everything that may happen. Each cell of the product
//! must be told by exactly one row, and each word of each row must be needed.

use std::time::Duration;

use super::fixtures::{DECLINES, full, kept, open, refused, sealed};
use crate::method::step::heard;
use crate::method::{Method, Open, State, Status, Step, step};
use crate::payment::tests::fixtures::{LIFE, START, answer, claim};
use crate::payment::{Claim, Decline, MARGIN, Nonce, Outcome};
use crate::rejection::Rejection;
use crate::time::Timestamp;

/// The nonce of the claim that stands, and of whoever asks now.
const CURRENT: u64 = 1;
const ASKING: u64 = 2;

const TOKEN: [&str; 2] = ["token", "bare"];

/// Where it stands | what happens | what is heard | with a token | under whose claim | what follows.
const ROWS: &str = "
absent                             | again own-claim otherwise | -              | -     | -       | asks
open unsent known                  | otherwise                 | -              | -     | -       | mismatch
in-time in-margin                  | again                     | -              | -     | -       | in progress
late unknown                       | again                     | -              | -     | -       | asks again
unsent                             | again own-claim           | -              | -     | -       | asks
known                              | again own-claim           | -              | -     | -       | known
first                              | own-claim                 | -              | -     | -       | is asking
resent unknown                     | own-claim                 | -              | -     | -       | is asking again
open                               | heard                     | any            | any   | foreign | nothing
unsent known                       | heard                     | any            | any   | any     | nothing
open                               | heard                     | approved       | token | current | keeps
open                               | heard                     | approved       | bare  | current | stays unknown
open                               | heard                     | soft           | any   | current | refuses Soft
open                               | heard                     | permanent      | any   | current | refuses Permanent
open                               | heard                     | review         | any   | current | refuses RequiresReview
open                               | heard                     | invalid        | any   | current | refuses InvalidData
first                              | heard                     | not-sent       | any   | current | frees
resent unknown                     | heard                     | not-sent       | any   | current | stays unknown
open                               | heard                     | accepted voided unknown never-received | any | current | stays unknown
";

#[derive(Clone, Debug)]
struct Before {
    words: Vec<&'static str>,
    state: Option<State>,
    now: Timestamp,
}

#[derive(Clone, Debug)]
enum Happens {
    /// The same key comes from somebody, with the same parameters or with others.
    Asked {
        same: bool,
    },
    /// The request that made the claim is put again: its acknowledgement was lost.
    OwnClaim,
    Heard {
        outcome: Outcome,
        token: bool,
        current: bool,
    },
}

fn befores() -> Vec<Before> {
    let end = START.plus(LIFE + MARGIN);
    let (early, last) = (START.plus(Duration::from_secs(10)), Timestamp::from_millis(end.as_millis() - 1));
    let open = open(CURRENT);
    let (again, unknown) = (Open { duplicate: true, ..open }, Open { unknown: true, ..open });
    let mut all = vec![
        (vec!["absent"], None, early),
        (vec!["in-time", "first", "open"], Some(State::Open(open)), early),
        (vec!["in-margin", "first", "open"], Some(State::Open(open)), last),
        (vec!["late", "first", "open"], Some(State::Open(open)), end),
        (vec!["in-time", "resent", "open"], Some(State::Open(again)), early),
        (vec!["in-margin", "resent", "open"], Some(State::Open(again)), last),
        (vec!["late", "resent", "open"], Some(State::Open(again)), end),
        (vec!["unknown", "open"], Some(State::Open(unknown)), early),
        (vec!["unknown", "open"], Some(State::Open(unknown)), end),
        (vec!["unknown", "open"], Some(State::Open(Open { unknown: true, ..again })), early),
        (vec!["unsent"], Some(State::Unsent), early),
    ];
    all.extend(DECLINES.map(|decline| (vec!["known"], Some(refused(decline)), early)));
    all.extend(Status::ALL.map(|status| (vec!["known"], Some(kept(status)), early)));
    all.into_iter().map(|(words, state, now)| Before { words, state, now }).collect()
}

fn outcomes() -> Vec<Outcome> {
    let declined = DECLINES.map(|decline| Outcome::Declined(decline, answer("d")));
    [Outcome::Approved(answer("a")), Outcome::Accepted(answer("p")), Outcome::Voided(answer("v"))]
        .into_iter()
        .chain([Outcome::NotSent, Outcome::Unknown, Outcome::NeverReceived])
        .chain(declined)
        .collect()
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Approved(_) => "approved",
        Outcome::Accepted(_) => "accepted",
        Outcome::ActionRequired(..) => "action-required",
        Outcome::Voided(_) => "voided",
        Outcome::NotSent => "not-sent",
        Outcome::Unknown => "unknown",
        Outcome::NeverReceived => "never-received",
        Outcome::Declined(Decline::Soft, _) => "soft",
        Outcome::Declined(Decline::Permanent, _) => "permanent",
        Outcome::Declined(Decline::RequiresReview, _) => "review",
        Outcome::Declined(Decline::InvalidData, _) => "invalid",
    }
}

impl Happens {
    fn all() -> Vec<Self> {
        let mut all = vec![Self::Asked { same: true }, Self::Asked { same: false }, Self::OwnClaim];
        for outcome in outcomes() {
            for (token, current) in [(true, true), (true, false), (false, true), (false, false)] {
                all.push(Self::Heard { outcome: outcome.clone(), token, current });
            }
        }
        all
    }

    /// The words for what happens, what is heard, whether a token comes with it, and under whose claim it was asked.
    fn words(&self) -> [&'static str; 4] {
        match self {
            Self::Asked { same: true } => ["again", "-", "-", "-"],
            Self::Asked { same: false } => ["otherwise", "-", "-", "-"],
            Self::OwnClaim => ["own-claim", "-", "-", "-"],
            Self::Heard { outcome, token, current } => {
                let under = if *current { "current" } else { "foreign" };
                ["heard", word(outcome), TOKEN[usize::from(!token)], under]
            }
        }
    }
}

fn cells() -> Vec<(Before, Happens)> {
    let happens = |before: Before| Happens::all().into_iter().map(move |happens| (before.clone(), happens));
    // Nobody hears of what is not there.
    let is_cell =
        |(before, happens): &(Before, Happens)| before.state.is_some() || !matches!(happens, Happens::Heard { .. });
    befores().into_iter().flat_map(happens).filter(is_cell).collect()
}

/// The columns of a row, each as its words, and what follows.
fn rows() -> Vec<(Vec<Vec<&'static str>>, &'static str)> {
    let read = |line: &'static str| {
        let (columns, follows) = line.rsplit_once('|').expect("a row with columns");
        (columns.split('|').map(|column| column.split_whitespace().collect()).collect(), follows.trim())
    };
    ROWS.trim().lines().map(read).collect()
}

fn fits(word: &str, value: &[&str]) -> bool {
    word == "any" || value.contains(&word)
}

fn values((before, happens): &(Before, Happens)) -> Vec<Vec<&'static str>> {
    let words = happens.words().map(|word| vec![word]);
    [before.words.clone()].into_iter().chain(words).collect()
}

fn tells(columns: &[Vec<&str>], values: &[Vec<&str>]) -> bool {
    assert_eq!(columns.len(), values.len(), "the columns of {columns:?}");
    columns.iter().zip(values).all(|(column, value)| column.iter().any(|word| fits(word, value)))
}

/// What stands before: a method without a token, as one that is not kept has none.
fn found(before: &Before) -> Option<Method> {
    let state = before.state.clone()?;
    let token = full().token.filter(|_| matches!(state, State::Kept { .. }));
    Some(Method { state, token, ..full() })
}

fn follows(before: &Before, happens: &Happens) -> String {
    let now = before.now;
    let found = found(before);
    match happens {
        Happens::Asked { same } => asked(found, *same, claim(ASKING, now), now),
        Happens::OwnClaim => asked(found, true, claim(CURRENT, START), now),
        Happens::Heard { outcome, token, current } => {
            let before = found.expect("a method");
            let nonce = Nonce(if *current { CURRENT } else { ASKING });
            match heard(before.clone(), nonce, outcome, token.then(sealed), now) {
                Some(after) => settled(&before, &after, outcome, now),
                None => "nothing".to_owned(),
            }
        }
    }
}

fn asked(found: Option<Method>, same: bool, claim: Claim, now: Timestamp) -> String {
    let mut fresh = Method { version: 0, state: State::Unsent, token: None, ..full() };
    if !same {
        fresh.asked.details.comments = None;
    }
    let before = found.clone().unwrap_or_else(|| fresh.clone());
    let words = match step(found, &fresh, claim, now) {
        Ok(Step::Known(method)) => {
            assert_eq!(method, before);
            "known"
        }
        Ok(Step::Ask { method, duplicate }) => {
            let state = State::Open(Open { nonce: claim.nonce, deadline: claim.deadline, unknown: false, duplicate });
            assert_eq!(method, Method { state, version: before.version + 1, ..before }, "nothing else changes");
            if duplicate { "asks again" } else { "asks" }
        }
        Ok(Step::Asking { method, duplicate }) => {
            assert_eq!(method, before, "it is written already");
            if duplicate { "is asking again" } else { "is asking" }
        }
        Err(Rejection::InProgress { retry_after }) => {
            let again = now.plus(retry_after);
            assert_eq!(again, START.plus(LIFE + MARGIN), "whoever comes back then may ask");
            "in progress"
        }
        Err(Rejection::Mismatch { fields }) => {
            assert_eq!(fields, ["comments"]);
            "mismatch"
        }
        Err(other) => panic!("unexpected: {other:?}"),
    };
    words.to_owned()
}

fn settled(before: &Method, after: &Method, outcome: &Outcome, now: Timestamp) -> String {
    let heard = outcome.answer().cloned().unwrap_or_default();
    let (words, token) = match &after.state {
        State::Kept { status: Status::Active, answer, at } => {
            assert_eq!((answer, *at), (&heard, now));
            ("keeps".to_owned(), Some(sealed()))
        }
        State::Refused { decline, answer, at } => {
            assert_eq!((answer, *at), (&heard, now));
            (format!("refuses {decline:?}"), None)
        }
        State::Unsent => ("frees".to_owned(), None),
        State::Open(open) => {
            let State::Open(was) = before.state else { panic!("only what is open is heard of") };
            assert_eq!(*open, Open { unknown: true, ..was });
            ("stays unknown".to_owned(), None)
        }
        State::Kept { status, .. } => panic!("nobody asked for {status:?}"),
    };
    let expected = Method { state: after.state.clone(), token, version: before.version + 1, ..before.clone() };
    assert_eq!(*after, expected, "nothing else changes");
    words
}

#[test]
fn every_cell_follows_the_one_row_that_tells_of_it() {
    let rows = rows();
    for cell in cells() {
        let values = values(&cell);
        let telling: Vec<_> = rows.iter().filter(|(columns, _)| tells(columns, &values)).collect();
        let [(_, expected)] = telling.as_slice() else { panic!("{} rows tell of {values:?}", telling.len()) };
        assert_eq!(follows(&cell.0, &cell.1), *expected, "{cell:?}");
    }
}

#[test]
fn every_word_of_every_row_is_needed() {
    let cells: Vec<_> = cells().iter().map(values).collect();
    for (columns, follows) in rows() {
        let told: Vec<_> = cells.iter().filter(|values| tells(&columns, values)).collect();
        for (place, column) in columns.iter().enumerate() {
            for word in column {
                let is_needed = told.iter().any(|values| fits(word, &values[place]));
                assert!(is_needed, "{word:?} tells nothing in {columns:?}, which {follows}");
            }
        }
    }
}
