//! A payment, what it comes to by and by, and how KOMOJU shows it.
//!
//! What has happened and what is going to stand in one list with their moments: how a payment stands follows from the
//! moment at which it is asked for.

use kessai_shared::time::Timestamp;
use serde_json::{Value, json};

use super::opening::Paying;
use crate::models::{Act, Effect};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Pending,
    Authorized,
    Captured,
    Refunded,
    Cancelled,
    Expired,
    Failed,
}

impl Status {
    fn literal(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Authorized => "authorized",
            Self::Captured => "captured",
            Self::Refunded => "refunded",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }

    /// The event by which it is told that a payment has come to it.
    pub fn event(self) -> Option<&'static str> {
        match self {
            Self::Pending => None,
            Self::Authorized => Some("payment.authorized"),
            Self::Captured => Some("payment.captured"),
            Self::Refunded => Some("payment.refunded"),
            Self::Cancelled => Some("payment.cancelled"),
            Self::Expired => Some("payment.expired"),
            Self::Failed => Some("payment.failed"),
        }
    }
}

pub struct Payment {
    pub id: String,
    pub made_ms: i64,
    pub amount: i64,
    pub currency: String,
    /// Whether it is captured as soon as it can be.
    pub captures: bool,
    pub paying: Paying,
    pub customer: Option<String>,
    /// The asker's name for it.
    pub order: Option<String>,
    pub metadata: Value,
    /// The payer's page; of use until the end.
    pub page: Option<String>,
    /// When the payer's time is over.
    pub ends_ms: Option<i64>,
    /// In the order of their moments.
    pub turns: Vec<(i64, Status)>,
    /// What was taken of what was held.
    pub captured: i64,
    pub refunds: Vec<Refund>,
    pub requests: Vec<RefundRequest>,
    pub is_told_expired: bool,
}

pub struct Refund {
    pub id: String,
    pub at_ms: i64,
    pub amount: i64,
    pub description: Option<String>,
    pub is_chargeback: bool,
}

/// A refund by bank.
pub struct RefundRequest {
    pub id: String,
    pub at_ms: i64,
    pub amount: i64,
    /// When it is decided, and how.
    pub decided_ms: i64,
    pub is_paid: bool,
    pub description: Option<String>,
    /// The account, as it is shown.
    pub account: Value,
}

impl Payment {
    pub fn status(&self, now_ms: i64) -> Status {
        let turn = self.turns.iter().rev().find(|(at_ms, _)| *at_ms <= now_ms).map_or(Status::Pending, |turn| turn.1);
        match turn {
            Status::Pending | Status::Authorized | Status::Failed if self.ends_ms.is_some_and(|end| end <= now_ms) => {
                Status::Expired
            }
            Status::Captured if self.captured > 0 && self.refunded(now_ms) >= self.captured => Status::Refunded,
            turn => turn,
        }
    }

    /// Whether its payer is still to act, and nothing else will happen by itself.
    pub fn waits(&self, now_ms: i64) -> bool {
        let is_unpaid = match self.status(now_ms) {
            Status::Pending | Status::Authorized => true,
            // Sent away to pay, and not paid: there is another try.
            Status::Failed => !self.paying.waits_long(),
            Status::Captured | Status::Refunded | Status::Cancelled | Status::Expired => false,
        };
        is_unpaid && self.page.is_some() && !self.is_about_to_turn(now_ms)
    }

    pub fn is_about_to_turn(&self, now_ms: i64) -> bool {
        self.turns.iter().any(|(at_ms, _)| *at_ms > now_ms)
    }

    /// Given back, or taken back by the payer's bank.
    pub fn refunded(&self, now_ms: i64) -> i64 {
        self.refunds
            .iter()
            .filter(|refund| refund.at_ms <= now_ms)
            .fold(0, |sum, refund| sum.saturating_add(refund.amount))
    }

    /// What may still be given back, with what is promised taken off.
    pub fn refundable(&self, now_ms: i64) -> i64 {
        let promised = self.requests.iter().filter(|request| request.decided_ms > now_ms);
        let promised = promised.fold(0_i64, |sum, request| sum.saturating_add(request.amount));
        self.captured.saturating_sub(self.refunded(now_ms)).saturating_sub(promised)
    }

    /// When it came to this.
    fn came_to(&self, status: Status, now_ms: i64) -> Option<i64> {
        self.turns.iter().find(|(at_ms, turn)| *turn == status && *at_ms <= now_ms).map(|(at_ms, _)| *at_ms)
    }

    pub fn view(&self, now_ms: i64) -> Value {
        let status = self.status(now_ms);
        let mut details = self.paying.shown.clone();
        if let Some(page) = &self.page {
            let member = if self.paying.waits_long() { "instructions_url" } else { "redirect_url" };
            details[member] = json!(page);
        }
        let captured_at = self.came_to(Status::Captured, now_ms);
        let amount = if captured_at.is_some() { self.captured } else { self.amount };
        json!({
            "id": self.id, "resource": "payment", "status": status.literal(), "amount": amount, "tax": 0,
            "customer": self.customer, "payment_deadline": self.ends_ms.map(moment), "payment_details": details,
            "payment_method_fee": 0, "total": amount, "currency": self.currency, "description": null,
            "captured_at": captured_at.map(moment), "external_order_num": self.order, "metadata": self.metadata,
            "created_at": moment(self.made_ms), "amount_refunded": self.refunded(now_ms), "locale": "ja",
            "session": null, "customer_family_name": null, "customer_given_name": null, "mcc": null,
            "statement_descriptor": null,
            "refunds": self.refunds.iter().filter(|refund| refund.at_ms <= now_ms)
                .map(|refund| refund.view(self)).collect::<Vec<_>>(),
            "refund_requests": self.requests.iter().filter(|request| request.at_ms <= now_ms)
                .map(|request| request.view(&self.id, now_ms)).collect::<Vec<_>>(),
        })
    }

    /// The money that it has moved or held until now.
    pub fn effects(&self, now_ms: i64) -> Vec<Effect> {
        let effect = |act, at_ms, reference: Option<&String>, id: &str, minor| Effect {
            at_ms,
            act,
            reference: reference.cloned().unwrap_or_default(),
            id: id.to_owned(),
            minor,
            currency: self.currency.clone(),
            undone: false,
        };
        let order = self.order.as_ref();
        let held = self.came_to(Status::Authorized, now_ms).filter(|_| !self.paying.waits_long());
        let captured = self.came_to(Status::Captured, now_ms);
        let cancelled = self.came_to(Status::Cancelled, now_ms).filter(|_| held.is_some());
        let taking = if self.captures { Act::Sale } else { Act::Capture };
        let opened = [
            held.map(|at_ms| effect(Act::Authorize, at_ms, order, &self.id, self.amount)),
            captured.map(|at_ms| effect(taking, at_ms, order, &self.id, self.captured)),
            cancelled.map(|at_ms| effect(Act::Reverse, at_ms, order, &self.id, self.amount)),
        ];
        let refunds = self.refunds.iter().filter(|refund| refund.at_ms <= now_ms && !refund.is_chargeback);
        let refunds = refunds
            .map(|refund| effect(Act::Refund, refund.at_ms, refund.description.as_ref(), &refund.id, refund.amount));
        opened.into_iter().flatten().chain(refunds).collect()
    }
}

impl Refund {
    fn view(&self, payment: &Payment) -> Value {
        json!({
            "id": self.id, "resource": "refund", "amount": self.amount, "currency": payment.currency,
            "payment": payment.id, "description": self.description, "created_at": moment(self.at_ms),
            "chargeback": self.is_chargeback,
        })
    }
}

impl RefundRequest {
    pub fn view(&self, payment: &str, now_ms: i64) -> Value {
        let status = match self.decided_ms <= now_ms {
            false => "pending",
            true if self.is_paid => "completed",
            true => "rejected",
        };
        let mut view = self.account.clone();
        let own = json!({
            "id": self.id, "payment": payment, "description": self.description, "status": status,
            "created_at": moment(self.at_ms),
        });
        for (name, value) in own.as_object().into_iter().flatten() {
            view[name] = value.clone();
        }
        view
    }
}

pub fn moment(at_ms: i64) -> String {
    Timestamp::from_millis(at_ms).to_string()
}
