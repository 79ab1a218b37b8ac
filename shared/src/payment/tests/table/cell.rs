//! The cells of the table: every value of every column.

use std::time::Duration;

use crate::gateways::{Adapter, sandbox};
use crate::ids::Ordinal;
use crate::payment::tests::fixtures::{START, answer, asked, claim, exactly, opening, raw_card, stored_method, terms};
use crate::payment::{
    Accepted, Claim, Decline, Event, Kind, Nonce, Open, Outcome, PayerAction, Payment, Request, Settled, Source, State,
    Terms, Verdict, step,
};
use crate::time::Timestamp;

/// Gateway, instrument, where it stands, event, what is heard, under whose claim it was asked.
pub(super) const COLUMNS: usize = 6;

/// The nonce of the claim that stands, of whoever asks now, and of a claim that nobody holds any more.
const CURRENT: u64 = 1;
const ASKING: u64 = 2;
const FOREIGN: u64 = 3;

/// One for each way to find out what became of a request. Combinations of them, and how far they reach, are in
/// `payment/tests/resolution.rs`.
const GATEWAYS: [(&str, &Adapter); 4] = [
    ("keyed", &sandbox::KEYED),
    ("look-up", &sandbox::LOOK_UP),
    ("reversal", &sandbox::TIMEOUT_REVERSAL),
    ("plain", &sandbox::NONE),
];

/// Each with the words that tell of it.
const SOURCES: [(&[&str], Source); 4] = [
    (&["answer", "asked", "heard"], Source::Answer),
    (&["look-up", "asked", "heard"], Source::LookUp),
    (&["reversal", "asked", "heard"], Source::TimeoutReversal),
    (&["notice", "heard"], Source::Notice),
];

const DECLINES: [Decline; 4] = [Decline::Soft, Decline::Permanent, Decline::RequiresReview, Decline::InvalidData];

#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    gateway: usize,
    /// What is paid with is stored whole; otherwise a card of which only facts are.
    whole: bool,
    before: Before,
    happens: Happens,
}

/// Where the operation stands.
#[derive(Clone, Copy, Debug)]
enum Before {
    Absent,
    Open {
        unknown: bool,
        late: bool,
    },
    /// The gateway was asked to undo it, and has not said yet that it did.
    Undone {
        late: bool,
    },
    Unsent,
    Accepted,
    Settled(Verdict),
}

#[derive(Clone, Copy, Debug)]
enum Happens {
    /// The same key comes with the same parameters, or with others.
    Asked {
        same: bool,
    },
    /// The request that made the claim is put again: its acknowledgement was lost.
    OwnClaim,
    Heard {
        source: usize,
        heard: usize,
        current: bool,
    },
    Due {
        early: bool,
    },
}

fn outcomes() -> Vec<Outcome> {
    let declined = DECLINES.map(|decline| Outcome::Declined(decline, answer("d")));
    [Outcome::Approved(answer("a")), Outcome::Accepted(answer("p")), Outcome::Voided(answer("v"))]
        .into_iter()
        .chain([Outcome::ActionRequired(answer("p"), payer_action())])
        .chain([Outcome::NotSent, Outcome::Unknown, Outcome::NeverReceived])
        .chain(declined)
        .collect()
}

/// To be done by the next day.
fn payer_action() -> PayerAction {
    let expires_at = START.plus(Duration::from_secs(24 * 60 * 60));
    PayerAction { url: "https://gateway.example/challenge".to_owned(), expires_at }
}

impl Before {
    fn all() -> Vec<Self> {
        let open = [(false, false), (false, true), (true, false), (true, true)];
        let open = open.map(|(unknown, late)| Self::Open { unknown, late });
        [Self::Absent, Self::Unsent, Self::Accepted]
            .into_iter()
            .chain(open)
            .chain([false, true].map(|late| Self::Undone { late }))
            .chain(Verdict::ALL.map(Self::Settled))
            .collect()
    }

    fn words(self) -> Vec<&'static str> {
        match self {
            Self::Absent => vec!["absent"],
            Self::Open { unknown: false, late: false } => vec!["in-time", "open"],
            Self::Open { unknown: false, late: true } => vec!["late", "open"],
            Self::Open { unknown: true, late: false } => vec!["unknown-in-time", "open"],
            Self::Open { unknown: true, late: true } => vec!["unknown-late", "open"],
            Self::Undone { late: false } => vec!["undone-in-time", "undone"],
            Self::Undone { late: true } => vec!["undone-late", "undone"],
            Self::Unsent => vec!["unsent"],
            Self::Accepted => vec!["accepted"],
            Self::Settled(Verdict::Approved) => vec!["approved", "settled"],
            Self::Settled(Verdict::Declined(_)) => vec!["declined", "settled"],
            Self::Settled(Verdict::Voided) => vec!["voided", "settled"],
            Self::Settled(Verdict::NeverReceived) => vec!["never-received", "settled"],
            Self::Settled(Verdict::Lapsed) => vec!["lapsed", "settled"],
        }
    }

    fn now(self) -> Timestamp {
        let late = !matches!(self, Self::Open { late: false, .. } | Self::Undone { late: false });
        START.plus(Duration::from_secs(if late { 60 } else { 10 }))
    }

    fn state(self, due: Option<Timestamp>) -> Option<State> {
        let Claim { nonce, deadline } = claim(CURRENT, START);
        match self {
            Self::Absent => None,
            Self::Open { unknown, .. } => {
                Some(State::Open(Open { nonce, deadline, attempts: 1, unknown, undoing: false, due }))
            }
            Self::Undone { .. } => {
                Some(State::Open(Open { nonce, deadline, attempts: 2, unknown: true, undoing: true, due }))
            }
            Self::Unsent => Some(State::Unsent),
            Self::Accepted => Some(State::Accepted(Accepted { answer: answer("p"), action: None, attempts: 1, due })),
            Self::Settled(verdict) => Some(State::Settled(Settled { verdict, answer: answer("a"), at: START })),
        }
    }
}

impl Happens {
    fn all() -> Vec<Self> {
        let asked = [Self::Asked { same: true }, Self::Asked { same: false }, Self::OwnClaim];
        let due = [Self::Due { early: true }, Self::Due { early: false }];
        let mut all: Vec<Self> = asked.into_iter().chain(due).collect();
        for source in 0..SOURCES.len() {
            for heard in 0..outcomes().len() {
                all.extend([true, false].map(|current| Self::Heard { source, heard, current }));
            }
        }
        all
    }

    /// The words for the event, for what is heard, and for whose claim it was asked under.
    fn words(self) -> [Vec<&'static str>; 3] {
        let event = match self {
            Self::Asked { same: true } => "again",
            Self::Asked { same: false } => "otherwise",
            Self::OwnClaim => "own-claim",
            Self::Due { early: true } => "early",
            Self::Due { early: false } => "due",
            Self::Heard { source, heard, current } => {
                let under = if current { "current" } else { "foreign" };
                return [SOURCES[source].0.to_vec(), outcome_words(&outcomes()[heard]), vec![under]];
            }
        };
        [vec![event], vec!["-"], vec!["-"]]
    }
}

fn outcome_words(outcome: &Outcome) -> Vec<&'static str> {
    match outcome {
        Outcome::Approved(_) => vec!["approved"],
        Outcome::Accepted(_) => vec!["accepted"],
        Outcome::ActionRequired(..) => vec!["action-required"],
        Outcome::Voided(_) => vec!["voided"],
        Outcome::NotSent => vec!["not-sent"],
        Outcome::Unknown => vec!["unknown"],
        Outcome::NeverReceived => vec!["never-received"],
        Outcome::Declined(Decline::Soft, _) => vec!["soft", "declined"],
        Outcome::Declined(Decline::Permanent, _) => vec!["permanent", "declined"],
        Outcome::Declined(Decline::RequiresReview, _) => vec!["review", "declined"],
        Outcome::Declined(Decline::InvalidData, _) => vec!["invalid", "declined"],
    }
}

impl Cell {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let columns = (0..GATEWAYS.len()).flat_map(|gateway| [(gateway, true), (gateway, false)]);
        columns.flat_map(|(gateway, whole)| {
            Before::all().into_iter().flat_map(move |before| {
                Happens::all().into_iter().map(move |happens| Self { gateway, whole, before, happens })
            })
        })
    }

    /// For each column, the words by which a row may name this cell's value.
    pub(super) fn words(&self) -> [Vec<&'static str>; COLUMNS] {
        let [event, heard, under] = self.happens.words();
        let paid = if self.whole { "whole" } else { "card" };
        [vec![GATEWAYS[self.gateway].0], vec![paid], self.before.words(), event, heard, under]
    }

    pub(super) fn terms(&self) -> Terms {
        terms(GATEWAYS[self.gateway].1)
    }

    pub(super) fn request(&self) -> Request {
        let instrument = if self.whole { stored_method() } else { raw_card() };
        let request = opening(Kind::Authorize, instrument, "order 1", 10_000);
        match self.happens {
            Happens::Asked { same: false } => Request { amount: exactly(9_999), ..request },
            Happens::Asked { same: true } | Happens::OwnClaim | Happens::Heard { .. } | Happens::Due { .. } => request,
        }
    }

    /// The payment as it stands before, and the time it is.
    pub(super) fn payment(&self) -> (Option<Payment>, Timestamp) {
        let now = self.before.now();
        let due = match self.happens {
            Happens::Due { early: false } => now,
            Happens::Due { early: true } => now.plus(Duration::from_millis(1)),
            // No wait after a try in vain is so long: whatever sets a time to look again is seen to.
            Happens::Asked { .. } | Happens::OwnClaim | Happens::Heard { .. } => now.plus(Duration::from_secs(7)),
        };
        let Some(state) = self.before.state(Some(due)) else { return (None, now) };
        let request =
            opening(Kind::Authorize, if self.whole { stored_method() } else { raw_card() }, "order 1", 10_000);
        let opened = step(None, &asked(&request, claim(CURRENT, START)), &self.terms(), START).expect("a payment");
        let mut payment = opened.payment;
        payment.operations[0].state = state;
        (Some(payment), now)
    }

    pub(super) fn event<'a>(&self, request: &'a Request) -> Event<'a> {
        match self.happens {
            Happens::Asked { .. } => asked(request, claim(ASKING, self.before.now())),
            Happens::OwnClaim => asked(request, claim(CURRENT, START)),
            Happens::Due { .. } => Event::Due { claim: claim(ASKING, self.before.now()) },
            Happens::Heard { source, heard, current } => Event::Learned {
                operation: Ordinal::FIRST,
                source: SOURCES[source].1,
                nonce: Nonce(if current { CURRENT } else { FOREIGN }),
                outcome: outcomes().swap_remove(heard),
                amount: None,
            },
        }
    }
}
