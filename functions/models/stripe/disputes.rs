//! Disputes: opened, the money withdrawn, and won or not.

use serde_json::{Value, json};

use super::super::form::Form;
use super::failure::Failure;
use super::intents::PaymentIntent;
use super::{Stripe, Timed};
use crate::sandbox::SETTLEMENT_MS;

#[derive(Clone)]
pub(super) struct Dispute {
    id: String,
    intent: String,
    amount: i64,
    currency: String,
    status: &'static str,
    is_withdrawn: bool,
}

impl Dispute {
    fn shown(&self) -> Value {
        json!({
            "id": self.id, "object": "dispute", "amount": self.amount, "charge": self.intent.replacen("pi", "ch", 1),
            "currency": self.currency, "metadata": {}, "payment_intent": self.intent, "reason": "fraudulent",
            "status": self.status,
        })
    }
}

impl Stripe {
    /// What becomes of a payment that its payer disputes.
    pub(super) fn dispute(&mut self, intent: &PaymentIntent, is_won: bool, now_ms: i64) {
        let opened = Dispute {
            id: self.id("dp"),
            intent: intent.id.clone(),
            amount: intent.received,
            currency: intent.currency.clone(),
            status: "needs_response",
            is_withdrawn: false,
        };
        let withdrawn = Dispute { is_withdrawn: true, ..opened.clone() };
        let won = Dispute { status: "won", is_withdrawn: false, ..opened.clone() };
        let step = i64::try_from(SETTLEMENT_MS).unwrap_or(i64::MAX);
        let at = |steps: i64| now_ms.saturating_add(step.saturating_mul(steps));
        self.tell("charge.dispute.created", &opened.shown(), None, at(1));
        self.tell("charge.dispute.funds_withdrawn", &withdrawn.shown(), None, at(2));
        let mut later = vec![(at(2), withdrawn)];
        if is_won {
            self.tell("charge.dispute.funds_reinstated", &won.shown(), None, at(3));
            self.tell("charge.dispute.closed", &won.shown(), None, at(3));
            later.push((at(3), won));
        }
        self.disputes.insert(opened.id.clone(), Timed { now: opened, later });
    }

    pub(super) fn show_dispute(&self, id: &str, query: &Form, now_ms: i64) -> Result<Value, Failure> {
        let found = self.disputes.get(id).map(|dispute| dispute.at(now_ms));
        let dispute = found.ok_or_else(|| Failure::missing("dispute", id))?;
        let mut shown = dispute.shown();
        if query.text("expand[]") == Some("payment_intent")
            && let Some(members) = shown.as_object_mut()
        {
            let intent = self.show_intent(&dispute.intent, &Form::default(), now_ms)?;
            members.insert("payment_intent".to_owned(), intent);
        }
        Ok(shown)
    }

    pub(super) fn is_charged_back(&self, intent: &str, now_ms: i64) -> bool {
        self.disputes.values().map(|dispute| dispute.at(now_ms)).any(|it| it.intent == intent && it.is_withdrawn)
    }
}
