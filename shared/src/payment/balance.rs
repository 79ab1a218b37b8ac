//! What is left: computed from the operations, never stored.
//!
//! There are two ways to count, and they answer different questions. *Reserved* counts everything that
//! took effect or still may: it guards what may be asked next. *Processed* counts only what certainly
//! took effect: it is what the wire calls a balance.

use super::{BalanceCheck, Kind, Operation, Payment};
use crate::ids::Ordinal;
use crate::money::Money;
use crate::rejection::Rejection;
use crate::time::Timestamp;

/// How to count.
#[derive(Clone, Copy)]
enum Count {
    Reserved,
    Processed,
}

impl Payment {
    fn sum(&self, count: Count, draws: &[Draw]) -> Money {
        let counts = |operation: &&Operation| match count {
            Count::Reserved => operation.reserves(),
            Count::Processed => operation.stands(),
        };
        let minor = self
            .operations
            .iter()
            .filter(|operation| draw(&operation.asked.kind).is_some_and(|drawn| draws.contains(&drawn)))
            .filter(counts)
            .fold(0_i64, |sum, operation| sum.saturating_add(operation.amount.minor));
        Money::new(minor, self.currency)
    }

    /// Captured of an authorization, for certain.
    pub fn captured(&self, authorization: Ordinal) -> Money {
        self.sum(Count::Processed, &[Draw::Capture(authorization)])
    }

    /// Released of an authorization, for certain.
    pub fn reversed(&self, authorization: Ordinal) -> Money {
        self.sum(Count::Processed, &[Draw::Reversal(authorization)])
    }

    /// Given back of a sale or capture, for certain.
    pub fn refunded(&self, payment: Ordinal) -> Money {
        self.sum(Count::Processed, &[Draw::Refund(payment)])
    }

    /// What may still be captured or reversed of an authorization: negative where the gateway allowed
    /// a reversal beyond it.
    pub fn uncaptured(&self, authorization: Ordinal) -> Money {
        let taken = self.sum(Count::Reserved, &[Draw::Capture(authorization), Draw::Reversal(authorization)]);
        self.approved(authorization, taken)
    }

    /// What a caller may capture now: nothing once the hold has ended or was closed.
    pub fn available_to_capture(&self, authorization: Ordinal, now: Timestamp) -> Money {
        let left = self.uncaptured(authorization);
        let over = self.has_expired(now) || self.is_closed(authorization);
        left.with(if over { 0 } else { left.minor.max(0) })
    }

    /// What may still be given back of a sale or capture. What the buyer's bank has taken back is not given twice,
    /// whether it took it of the capture or of the authorization behind it.
    pub fn refundable(&self, payment: Ordinal) -> Money {
        let own = self.unrefunded(payment);
        let authorization = self.operation(payment).and_then(|operation| operation.asked.kind.target());
        let Some(authorization) = authorization.filter(|place| self.charged_back(*place).minor > 0) else { return own };
        let captures =
            self.numbered().filter(|(_, known)| draw(&known.asked.kind) == Some(Draw::Capture(authorization)));
        let all = captures.fold(0_i64, |sum, (place, _)| sum.saturating_add(self.unrefunded(place).minor));
        own.with(own.minor.min(all.saturating_sub(self.charged_back(authorization).minor)))
    }

    /// What the buyer's bank has taken back of an operation.
    pub fn charged_back(&self, ordinal: Ordinal) -> Money {
        self.operation(ordinal).map_or(Money::new(0, self.currency), Operation::charged_back)
    }

    fn unrefunded(&self, payment: Ordinal) -> Money {
        let taken = self.sum(Count::Reserved, &[Draw::Refund(payment)]);
        let taken = taken.with(taken.minor.saturating_add(self.charged_back(payment).minor));
        self.approved(payment, taken)
    }

    fn approved(&self, ordinal: Ordinal, taken: Money) -> Money {
        let approved = self.operation(ordinal).filter(|operation| operation.stands());
        let amount = approved.map_or(0, |operation| operation.amount.minor);
        taken.with(amount.saturating_sub(taken.minor))
    }

    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// The captures of an authorization that took effect or still may.
    fn captures(&self, authorization: Ordinal) -> impl Iterator<Item = &Operation> {
        let is_capture =
            move |operation: &&Operation| draw(&operation.asked.kind) == Some(Draw::Capture(authorization));
        self.operations.iter().filter(is_capture).filter(|operation| operation.reserves())
    }

    fn is_closed(&self, authorization: Ordinal) -> bool {
        self.captures(authorization).any(|capture| capture.asked.kind.is_final())
    }

    /// Whether `kind` may be asked for `amount` now.
    pub(super) fn admits(
        &self,
        kind: &Kind,
        amount: Money,
        check: BalanceCheck,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        match kind {
            Kind::Authorize | Kind::PostAuthorize | Kind::Sale => Ok(()),
            Kind::Capture { authorization, .. } => self.admits_capture(*authorization, amount, now),
            Kind::Reverse { authorization } => match check {
                BalanceCheck::Strict => within(amount, self.uncaptured(*authorization)),
                BalanceCheck::Gateway => Ok(()),
            },
            Kind::Refund { payment, .. } => within(amount, self.refundable(*payment)),
        }
    }

    fn admits_capture(&self, authorization: Ordinal, amount: Money, now: Timestamp) -> Result<(), Rejection> {
        if let Some(at) = self.expires_at.filter(|_| self.has_expired(now)) {
            return Err(Rejection::Expired { at });
        }
        if self.is_closed(authorization) {
            return Err(Rejection::Closed);
        }
        if !self.multi_capture && self.captures(authorization).next().is_some() {
            return Err(Rejection::SingleCapture);
        }
        within(amount, self.uncaptured(authorization))
    }
}

fn within(amount: Money, left: Money) -> Result<(), Rejection> {
    if amount.minor <= left.minor {
        Ok(())
    } else {
        Err(Rejection::OverBalance { available: left.with(left.minor.max(0)) })
    }
}

/// What an operation takes, and from which other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Draw {
    Capture(Ordinal),
    Reversal(Ordinal),
    Refund(Ordinal),
}

fn draw(kind: &Kind) -> Option<Draw> {
    match kind {
        Kind::Authorize | Kind::PostAuthorize | Kind::Sale => None,
        Kind::Capture { authorization, .. } => Some(Draw::Capture(*authorization)),
        Kind::Reverse { authorization } => Some(Draw::Reversal(*authorization)),
        Kind::Refund { payment, .. } => Some(Draw::Refund(*payment)),
    }
}
