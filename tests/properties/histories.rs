//! Arbitrary histories of one payment: who asks what, what is heard of it, and when. A history is a
//! plain description, so that it can be printed and shrunk; [`History::play`] makes the events of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use kessai_shared::fingerprint::{Fingerprint, FingerprintKey};
use kessai_shared::ids::Ordinal;
use kessai_shared::payment::asked::{Amount, Details, Opening};
use kessai_shared::payment::{
    Action, Claim, Event, Instrument, Kind, Nonce, Outcome, Payment, Request, Source, State, Step, Terms, Verdict, step,
};
use kessai_shared::rejection::Rejection;
use kessai_shared::time::Timestamp;
use proptest::test_runner::{TestCaseError, TestRunner};

use crate::fixed::cases;
use crate::fixtures::{START, dollars, gateway_id, key, merchant, raw_card, stored_method, token};
use crate::happenings::histories;

#[derive(Clone, Debug)]
pub struct History {
    pub terms: Terms,
    pub opening: Demand,
    pub moments: Vec<Moment>,
    /// What a gateway has denied it does not act upon later.
    pub keeps_its_word: bool,
}

#[derive(Clone, Debug)]
pub struct Moment {
    pub after: Duration,
    /// How long whoever comes now will live.
    pub life: Duration,
    pub happens: Happening,
}

#[derive(Clone, Debug)]
pub enum Happening {
    AskedAgain,
    Asked(Demand),
    /// `nonce` is none for that of whoever holds the claim.
    Learned {
        operation: usize,
        source: Source,
        nonce: Option<u64>,
        outcome: Outcome,
    },
    Due,
}

/// A request without its secrets, which cannot be printed.
#[derive(Clone, Debug)]
pub struct Demand {
    pub kind: Kind,
    pub key: &'static str,
    pub amount: Amount,
    pub paid_with: PaidWith,
    pub details: Details,
}

#[derive(Clone, Copy, Debug)]
pub enum PaidWith {
    Stored,
    Card,
    AnotherCard,
    Token,
}

impl PaidWith {
    fn instrument(self) -> Instrument {
        match self {
            Self::Stored => stored_method("03O000000000000"),
            Self::Card => raw_card("4242424242424242"),
            Self::AnotherCard => raw_card("5555555555554444"),
            Self::Token => token("tok_1"),
        }
    }
}

/// One event of a history, and what came of it.
pub struct Turn<'a> {
    pub before: Option<&'a Payment>,
    pub event: &'a Event<'a>,
    pub terms: &'a Terms,
    pub now: Timestamp,
    pub result: &'a Result<Step, Rejection>,
}

impl History {
    /// Puts every event in its turn and shows each to `check`. Returns the payment that is left.
    pub fn play(
        &self,
        mut check: impl FnMut(&Turn<'_>) -> Result<(), TestCaseError>,
    ) -> Result<Option<Payment>, TestCaseError> {
        let first = Moment { after: Duration::ZERO, life: Duration::ZERO, happens: Happening::AskedAgain };
        let (mut payment, mut now) = (None::<Payment>, START);
        for (nonce, moment) in (1_u64..).zip(std::iter::once(&first).chain(&self.moments)) {
            now = now.plus(moment.after);
            let claim = Claim { nonce: Nonce(nonce), deadline: now.plus(moment.life) };
            let request = match &moment.happens {
                Happening::AskedAgain => Some(self.opening.request()),
                Happening::Asked(demand) => Some(demand.request()),
                Happening::Learned { .. } | Happening::Due => None,
            };
            let event = self.event(moment, request.as_ref(), claim, payment.as_ref());
            let result = step(payment.as_ref(), &event, &self.terms, now);
            check(&Turn { before: payment.as_ref(), event: &event, terms: &self.terms, now, result: &result })?;
            payment = result.map(|step| step.payment).ok().or(payment);
        }
        Ok(payment)
    }

    fn event<'r>(
        &self,
        moment: &Moment,
        request: Option<&'r Request>,
        claim: Claim,
        payment: Option<&Payment>,
    ) -> Event<'r> {
        match (&moment.happens, request) {
            (Happening::Learned { operation, source, nonce, outcome }, _) => {
                let count = payment.map_or(1, |payment| payment.operations.len());
                let operation = Ordinal::new(operation % count).expect("a place that an id can hold");
                let state = payment.and_then(|payment| payment.operation(operation)).map(|known| &known.state);
                let held = if let Some(State::Open(open)) = state { open.nonce } else { Nonce(0) };
                // What it denied it does not act upon later.
                let is_denied = match state {
                    Some(State::Unsent) => true,
                    Some(State::Settled(settled)) => settled.verdict != Verdict::Approved,
                    Some(State::Open(_) | State::Accepted(_)) | None => false,
                };
                let acts = matches!(outcome, Outcome::Approved(_) | Outcome::Accepted(_) | Outcome::ActionRequired(..));
                let forgets = acts && is_denied && self.keeps_its_word;
                let outcome = if forgets { Outcome::Unknown } else { outcome.clone() };
                Event::Learned { operation, source: *source, nonce: nonce.map_or(held, Nonce), outcome, amount: None }
            }
            (_, Some(request)) => asked(request, claim),
            (_, None) => Event::Due { claim },
        }
    }
}

/// The event that `request` is, asked by whoever holds `claim`.
pub fn asked(request: &Request, claim: Claim) -> Event<'_> {
    let fingerprint = match &request.action {
        Action::Open(opening) => Fingerprint::of(&opening.instrument, &FingerprintKey::new([7; 32])),
        Action::Act(_) => None,
    };
    Event::Requested { merchant: merchant(), request, fingerprint, claim }
}

impl Demand {
    fn request(&self) -> Request {
        let action = match &self.kind {
            Kind::Authorize | Kind::PostAuthorize | Kind::Sale => Action::Open(Opening {
                kind: self.kind.clone(),
                gateway: gateway_id(),
                currency: dollars(),
                instrument: self.paid_with.instrument(),
            }),
            Kind::Capture { .. } | Kind::Reverse { .. } | Kind::Refund { .. } => Action::Act(self.kind.clone()),
        };
        Request { action, key: key(self.key), amount: self.amount, details: self.details.clone() }
    }
}

/// A generator that never gets anywhere would prove nothing.
#[test]
fn the_histories_reach_every_effect_every_verdict_and_every_refusal() {
    let seen = RefCell::new(BTreeMap::<String, usize>::new());
    let see = |what: String| *seen.borrow_mut().entry(what).or_default() += 1;
    let played = TestRunner::new(cases(600)).run(&histories(true), |history| {
        let payment = history.play(|turn| {
            match turn.result {
                Ok(Step { contradiction: true, .. }) => see("contradiction".to_owned()),
                Ok(Step { effect: Some(effect), .. }) => see(first_word(effect)),
                Ok(_) => {}
                Err(rejection) => see(first_word(rejection)),
            }
            Ok(())
        })?;
        for operation in payment.iter().flat_map(|payment| &payment.operations) {
            match &operation.state {
                State::Settled(settled) => see(first_word(settled.verdict)),
                other => see(first_word(other)),
            }
        }
        Ok(())
    });
    assert!(played.is_ok(), "{played:?}");
    let expected = "Send LookUp Reverse contradiction Open Unsent Accepted Approved Declined Voided NeverReceived Lapsed \
        NotFound InProgress Mismatch OverBalance Expired NotApproved Closed SingleCapture Amount";
    for name in expected.split_whitespace() {
        assert!(seen.borrow().get(name).is_some_and(|count| *count >= 5), "{name}: {seen:?}");
    }
}

fn first_word(what: impl std::fmt::Debug) -> String {
    format!("{what:?}").split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
}
