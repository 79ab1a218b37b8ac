//! The table of [`step`] and [`heard`]: every state of a method × everything that may happen. Each cell of the product
//! must be told by exactly one row, and each word of each row must be needed.

use std::time::Duration;

use super::fixtures::{DECLINES, accepted, action, full, kept, open, refused, sealed};
use crate::method::step::{Heard, Learned, heard};
use crate::method::{Method, Open, State, Status, Step, step};
use crate::payment::tests::fixtures::{LIFE, START, answer, claim};
use crate::payment::{Claim, MARGIN, Nonce, Outcome};
use crate::rejection::Rejection;
use crate::time::Timestamp;

/// The nonce of the claim that stands, and of whoever asks now.
const CURRENT: u64 = 1;
const ASKING: u64 = 2;

const TOKENS: [&str; 3] = ["token", "bare", "another"];

/// Whose claim it is told under: the one that stands, another, or nobody's.
const UNDER: [&str; 3] = ["current", "foreign", "unasked"];

/// Where it stands | what happens | what is heard | with which token | under whose claim | what follows.
const ROWS: &str = "
absent                        | again own-claim otherwise | -                                     | -             | -               | asks
open unsent accepted known    | otherwise                 | -                                     | -             | -               | mismatch
in-time in-margin             | again                     | -                                     | -             | -               | in progress
late unknown                  | again                     | -                                     | -             | -               | asks again
unsent                        | again own-claim           | -                                     | -             | -               | asks
accepted known                | again own-claim           | -                                     | -             | -               | known
first                         | own-claim                 | -                                     | -             | -               | is asking
resent unknown                | own-claim                 | -                                     | -             | -               | is asking again
open                          | heard                     | any                                   | any           | foreign         | nothing
unsent                        | heard                     | any                                   | any           | current foreign | nothing
open                          | heard                     | approved                              | token another | current unasked | keeps
unsent                        | heard                     | approved                              | token another | unasked         | keeps
accepted                      | heard                     | approved                              | token another | any             | keeps
open                          | heard                     | approved                              | bare          | current         | stays unknown
open unsent                   | heard                     | approved                              | bare          | unasked         | nothing
accepted                      | heard                     | approved                              | bare          | any             | nothing
open                          | heard                     | declined                              | any           | current unasked | refuses
unsent                        | heard                     | declined                              | any           | unasked         | refuses
accepted                      | heard                     | declined                              | any           | any             | refuses
open                          | heard                     | accepted                              | any           | current unasked | accepts
unsent                        | heard                     | accepted                              | any           | unasked         | accepts
open                          | heard                     | action-required                       | any           | current unasked | waits for the payer
unsent                        | heard                     | action-required                       | any           | unasked         | waits for the payer
waiting                       | heard                     | accepted                              | any           | any             | waits no more
waiting                       | heard                     | action-required                       | any           | any             | nothing
plain                         | heard                     | accepted action-required              | any           | any             | nothing
first                         | heard                     | not-sent                              | any           | current         | frees
resent unknown                | heard                     | not-sent                              | any           | current         | stays unknown
open                          | heard                     | voided unknown never-received         | any           | current         | stays unknown
open unsent                   | heard                     | not-sent voided unknown never-received | any          | unasked         | nothing
accepted                      | heard                     | not-sent voided unknown never-received | any          | any             | nothing
kept canceled                 | heard                     | approved                              | token bare    | any             | nothing
kept                          | heard                     | approved                              | another       | any             | contradicts
canceled                      | heard                     | approved                              | another       | any             | nothing
kept canceled                 | heard                     | declined voided never-received        | any           | any             | contradicts
refused                       | heard                     | approved                              | any           | any             | contradicts
refused                       | heard                     | declined voided never-received        | any           | any             | nothing
known                         | heard                     | accepted action-required not-sent unknown | any       | any             | nothing
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
        token: &'static str,
        under: &'static str,
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
    all.push((vec!["accepted", "plain"], Some(accepted(None)), early));
    all.push((vec!["accepted", "waiting"], Some(accepted(Some(action()))), early));
    all.extend(DECLINES.map(|decline| (vec!["known", "refused"], Some(refused(decline)), early)));
    all.extend(Status::ALL.map(|status| {
        let word = if status == Status::Canceled { "canceled" } else { "kept" };
        (vec!["known", word], Some(kept(status)), early)
    }));
    all.into_iter().map(|(words, state, now)| Before { words, state, now }).collect()
}

fn outcomes() -> Vec<Outcome> {
    let declined = DECLINES.map(|decline| Outcome::Declined(decline, answer("d")));
    let waits = Outcome::ActionRequired(answer("w"), action());
    [Outcome::Approved(answer("a")), Outcome::Accepted(answer("p")), waits, Outcome::Voided(answer("v"))]
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
        Outcome::Declined(..) => "declined",
    }
}

impl Happens {
    fn all() -> Vec<Self> {
        let mut all = vec![Self::Asked { same: true }, Self::Asked { same: false }, Self::OwnClaim];
        for outcome in outcomes() {
            for (token, under) in TOKENS.into_iter().flat_map(|token| UNDER.map(|under| (token, under))) {
                all.push(Self::Heard { outcome: outcome.clone(), token, under });
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
            Self::Heard { outcome, token, under } => ["heard", word(outcome), token, under],
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
    let token = full().token.filter(|_| matches!(state, State::Kept { status, .. } if status != Status::Canceled));
    Some(Method { state, token, ..full() })
}

fn follows(before: &Before, happens: &Happens) -> String {
    let now = before.now;
    let found = found(before);
    match happens {
        Happens::Asked { same } => asked(found, *same, claim(ASKING, now), now),
        Happens::OwnClaim => asked(found, true, claim(CURRENT, START), now),
        Happens::Heard { outcome, token, under } => {
            let before = found.expect("a method");
            let nonce = match *under {
                "current" => Some(Nonce(CURRENT)),
                "foreign" => Some(Nonce(ASKING)),
                _ => None,
            };
            let given = sealed();
            let is_another = *token == "another" && before.token.is_some();
            let news = Heard { nonce, outcome, token: (*token != "bare").then_some(&given), is_another };
            let Learned { method: after, contradiction } = heard(&before, &news, now);
            if after == before {
                return if contradiction { "contradicts" } else { "nothing" }.to_owned();
            }
            assert!(!contradiction, "what contradicts changes nothing");
            settled(&before, &after, outcome, now)
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
            ("keeps", Some(sealed()))
        }
        State::Refused { decline, answer, at } => {
            assert_eq!(*outcome, Outcome::Declined(*decline, answer.clone()));
            assert_eq!(*at, now);
            ("refuses", None)
        }
        State::Accepted { answer, action: known, at } => match &before.state {
            State::Accepted { answer: first, at: since, .. } => {
                assert_eq!((answer, at, known), (first, since, &None));
                ("waits no more", None)
            }
            State::Open(_) | State::Unsent | State::Refused { .. } | State::Kept { .. } => {
                assert_eq!((answer, *at), (&heard, now));
                assert!(known.as_ref().is_none_or(|known| *known == action()));
                (if known.is_some() { "waits for the payer" } else { "accepts" }, None)
            }
        },
        State::Unsent => ("frees", None),
        State::Open(open) => {
            let State::Open(was) = before.state else { panic!("only what is open is heard of") };
            assert_eq!(*open, Open { unknown: true, ..was });
            ("stays unknown", None)
        }
        State::Kept { status, .. } => panic!("nobody asked for {status:?}"),
    };
    let expected = Method { state: after.state.clone(), token, version: before.version + 1, ..before.clone() };
    assert_eq!(*after, expected, "nothing else changes");
    words.to_owned()
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
