//! What was paid, and what was done to it since: moments may lie ahead, as the verdicts of what was only received do.

use super::super::{Act, Effect};
use super::read::Amount;

/// What opened, or may yet.
pub(super) struct Payment {
    /// Adyen's name for it.
    pub name: String,
    /// The asker's.
    pub reference: String,
    pub merchant_account: String,
    pub amount: Amount,
    pub is_sale: bool,
    pub state: State,
    pub return_url: String,
    /// By the holder's name that asks for it.
    pub captures_fail: bool,
    pub refunds_fail: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The payer has a page to visit.
    Offered {
        since_ms: i64,
    },
    Authorised {
        at_ms: i64,
    },
    Refused,
}

/// Something that moved money, or held or freed it.
pub(super) struct Move {
    pub at_ms: i64,
    pub act: Act,
    pub name: String,
    pub reference: String,
    /// Of which payment, by Adyen's name.
    pub payment: String,
    pub amount: Amount,
    /// When it turned out not to stand.
    pub failed_at_ms: Option<i64>,
}

#[derive(Default)]
pub(super) struct Book {
    pub payments: Vec<Payment>,
    pub moves: Vec<Move>,
}

impl Book {
    pub fn payment(&self, name: &str) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.name == name)
    }

    pub fn payment_mut(&mut self, name: &str) -> Option<&mut Payment> {
        self.payments.iter_mut().find(|payment| payment.name == name)
    }

    /// So much was moved by these acts until then; what was found not to stand by now does not count.
    pub fn moved(&self, payment: &str, acts: &[Act], until_ms: i64, now_ms: i64) -> i64 {
        let counts = |moved: &&Move| {
            let stands = moved.failed_at_ms.is_none_or(|failed| now_ms < failed);
            moved.payment == payment && acts.contains(&moved.act) && moved.at_ms <= until_ms && stands
        };
        self.moves.iter().filter(counts).fold(0, |sum, moved| sum.saturating_add(moved.amount.value))
    }

    pub fn effects(&self, now_ms: i64) -> Vec<Effect> {
        let mut effects: Vec<Effect> =
            self.moves.iter().filter(|moved| moved.at_ms <= now_ms).map(|moved| effect(moved, now_ms)).collect();
        effects.sort_by_key(|effect| effect.at_ms);
        effects
    }
}

fn effect(moved: &Move, now_ms: i64) -> Effect {
    Effect {
        at_ms: moved.at_ms,
        act: moved.act,
        reference: moved.reference.clone(),
        id: moved.name.clone(),
        minor: moved.amount.minor(),
        currency: moved.amount.currency.clone(),
        undone: moved.failed_at_ms.is_some_and(|failed| failed <= now_ms),
    }
}
