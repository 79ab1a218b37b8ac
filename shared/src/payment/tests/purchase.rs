//! A payment with verbs: what a caller and a gateway do to it.

use std::time::Duration;

use super::fixtures::{START, acting, answer, asked, capture, claim, exactly, opening, place, stored_method};
use crate::ids::Ordinal;
use crate::money::Money;
use crate::payment::{Event, Kind, Nonce, Outcome, Payment, Request, Source, State, Step, Terms, step};
use crate::rejection::Rejection;
use crate::time::Timestamp;

pub(super) struct Purchase {
    pub(super) payment: Payment,
    pub(super) terms: Terms,
    pub(super) now: Timestamp,
    nonce: u64,
}

impl Purchase {
    /// One whose first operation was just claimed.
    pub(super) fn asked(request: &Request, terms: Terms) -> Self {
        let opened = step(None, &asked(request, claim(1, START)), &terms, START).expect("a payment");
        Self { payment: opened.payment, terms, now: START, nonce: 1 }
    }

    /// One whose first operation, of `minor` cents, is approved.
    pub(super) fn approved(kind: Kind, minor: i64, terms: Terms) -> Self {
        let mut purchase = Self::asked(&opening(kind, stored_method(), "order 1", minor), terms);
        purchase.hear(Ordinal::FIRST, Outcome::Approved(answer("first")));
        purchase
    }

    pub(super) fn put(&mut self, event: &Event<'_>) -> Result<Step, Rejection> {
        let step = step(Some(&self.payment), event, &self.terms, self.now)?;
        self.payment = step.payment.clone();
        Ok(step)
    }

    /// Asks for something, under a claim of its own.
    pub(super) fn ask(&mut self, request: &Request) -> Result<Step, Rejection> {
        self.nonce += 1;
        let claim = claim(self.nonce, self.now);
        self.put(&asked(request, claim))
    }

    /// Lets the time come to look at it.
    pub(super) fn look(&mut self) -> Step {
        self.nonce += 1;
        let claim = claim(self.nonce, self.now);
        self.put(&Event::Due { claim }).expect("a look is never refused")
    }

    /// The gateway answers to whoever asked last.
    pub(super) fn hear(&mut self, operation: Ordinal, outcome: Outcome) -> Step {
        self.hear_from(operation, Source::Answer, outcome)
    }

    pub(super) fn hear_from(&mut self, operation: Ordinal, source: Source, outcome: Outcome) -> Step {
        self.hear_of(operation, source, outcome, None)
    }

    /// The same, said of this amount.
    pub(super) fn hear_of(
        &mut self,
        operation: Ordinal,
        source: Source,
        outcome: Outcome,
        amount: Option<Money>,
    ) -> Step {
        let nonce = match self.state(operation) {
            State::Open(open) => open.nonce,
            State::Unsent | State::Accepted(_) | State::Settled(_) => Nonce(0),
        };
        self.put(&Event::Learned { operation, source, nonce, outcome, amount }).expect("news are never refused")
    }

    pub(super) fn captured(&mut self, minor: i64) -> Ordinal {
        let name = format!("capture {}", self.payment.operations.len());
        let kind = capture(Ordinal::FIRST);
        self.ask(&acting(kind, &name, exactly(minor))).expect("a capture");
        let captured = self.last();
        self.hear(captured, Outcome::Approved(answer("captured")));
        captured
    }

    pub(super) fn last(&self) -> Ordinal {
        place(self.payment.operations.len() - 1)
    }

    pub(super) fn state(&self, operation: Ordinal) -> &State {
        &self.payment.operation(operation).expect("an operation").state
    }

    pub(super) fn wait(&mut self, duration: Duration) {
        self.now = self.now.plus(duration);
    }
}
