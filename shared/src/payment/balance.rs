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
    fn sum(&self, count: Count, picks: impl Fn(&Kind) -> bool) -> Money {
        let counts = |operation: &&Operation| match count {
            Count::Reserved => operation.reserves(),
            Count::Processed => operation.is_approved(),
        };
        let minor = self
            .operations
            .iter()
            .filter(|operation| picks(&operation.asked.kind))
            .filter(counts)
            .fold(0_i64, |sum, operation| sum.saturating_add(operation.amount.minor));
        Money::new(minor, self.currency)
    }

    /// Captured of an authorization, for certain.
    pub fn captured(&self, authorization: Ordinal) -> Money {
        self.sum(Count::Processed, |kind| is_capture_of(kind, authorization))
    }

    /// Released of an authorization, for certain.
    pub fn reversed(&self, authorization: Ordinal) -> Money {
        self.sum(Count::Processed, |kind| is_reversal_of(kind, authorization))
    }

    /// Given back of a sale or capture, for certain.
    pub fn refunded(&self, payment: Ordinal) -> Money {
        self.sum(Count::Processed, |kind| is_refund_of(kind, payment))
    }

    /// What may still be captured or reversed of an authorization: negative where the gateway allowed
    /// a reversal beyond it.
    pub fn uncaptured(&self, authorization: Ordinal) -> Money {
        let taken =
            self.sum(Count::Reserved, |kind| is_capture_of(kind, authorization) || is_reversal_of(kind, authorization));
        self.approved(authorization, taken)
    }

    /// What a caller may capture now: nothing once the hold has ended or was closed.
    pub fn available_to_capture(&self, authorization: Ordinal, now: Timestamp) -> Money {
        let left = self.uncaptured(authorization);
        let over = self.has_expired(now) || self.is_closed(authorization);
        left.with(if over { 0 } else { left.minor.max(0) })
    }

    /// What may still be given back of a sale or capture.
    pub fn refundable(&self, payment: Ordinal) -> Money {
        let taken = self.sum(Count::Reserved, |kind| is_refund_of(kind, payment));
        self.approved(payment, taken)
    }

    fn approved(&self, ordinal: Ordinal, taken: Money) -> Money {
        let approved = self.operation(ordinal).filter(|operation| operation.is_approved());
        let amount = approved.map_or(0, |operation| operation.amount.minor);
        taken.with(amount.saturating_sub(taken.minor))
    }

    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    fn is_closed(&self, authorization: Ordinal) -> bool {
        self.operations.iter().any(|operation| {
            is_capture_of(&operation.asked.kind, authorization)
                && operation.asked.kind.is_final()
                && operation.reserves()
        })
    }

    fn has_capture(&self, authorization: Ordinal) -> bool {
        self.operations
            .iter()
            .any(|operation| is_capture_of(&operation.asked.kind, authorization) && operation.reserves())
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
        if !self.multi_capture && self.has_capture(authorization) {
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

fn is_capture_of(kind: &Kind, ordinal: Ordinal) -> bool {
    matches!(kind, Kind::Capture { authorization, .. } if *authorization == ordinal)
}

fn is_reversal_of(kind: &Kind, ordinal: Ordinal) -> bool {
    matches!(kind, Kind::Reverse { authorization } if *authorization == ordinal)
}

fn is_refund_of(kind: &Kind, ordinal: Ordinal) -> bool {
    matches!(kind, Kind::Refund { payment, .. } if *payment == ordinal)
}
