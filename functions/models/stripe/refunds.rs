//! Refunds: never more than is left of what was taken.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::form::Form;
use super::super::{Act, magic};
use super::failure::Failure;
use super::{Stripe, Timed, amount, effect, metadata, minor, only};
use crate::sandbox::{Behaviour, Ending, SETTLEMENT_MS};

/// Cards whose refunds take their time, or do not stand ("Test cards", refunds).
const SLOW_CARD: &str = "4000000000007726";
const FAILING_CARD: &str = "4000000000005126";

#[derive(Clone)]
pub(super) struct Refund {
    id: String,
    intent: String,
    amount: i64,
    currency: String,
    status: &'static str,
    reason: Option<String>,
    failure_reason: Option<&'static str>,
    metadata: BTreeMap<String, String>,
    created_ms: i64,
}

impl Refund {
    pub fn shown(&self) -> Value {
        json!({
            "id": self.id, "object": "refund", "amount": self.amount, "charge": self.intent.replacen("pi", "ch", 1),
            "created": self.created_ms / 1_000, "currency": self.currency, "failure_reason": self.failure_reason,
            "metadata": self.metadata, "payment_intent": self.intent, "reason": self.reason, "status": self.status,
        })
    }

    fn is_alive(&self) -> bool {
        self.status != "failed"
    }
}

impl Stripe {
    pub(super) fn create_refund(&mut self, form: &Form, now_ms: i64) -> Result<Value, Failure> {
        only(form, &["payment_intent", "amount", "reason", "metadata", "expand"])?;
        let asked = amount(form, "amount")?;
        let named = form.text("payment_intent").ok_or_else(|| Failure::absent("payment_intent"))?;
        let reason = form.text("reason");
        if reason.is_some_and(|reason| !["duplicate", "fraudulent", "requested_by_customer"].contains(&reason)) {
            return Err(Failure::invalid("reason", "parameter_invalid", "Invalid reason"));
        }
        let intent = self.intent(named, now_ms)?;
        if intent.status != "succeeded" {
            let message = "This PaymentIntent does not have a successful charge to refund.";
            return Err(Failure::unexpected("payment_intent_unexpected_state", message));
        }
        if self.is_charged_back(named, now_ms) {
            return Err(Failure::unexpected("charge_disputed", "The charge has been charged back."));
        }
        let of_it = self.refunds.values().map(|refund| refund.at(now_ms));
        let given = of_it.filter(|refund| refund.intent == named && refund.is_alive()).map(|refund| refund.amount);
        let left = intent.received.saturating_sub(given.fold(0, i64::saturating_add));
        let asked = asked.unwrap_or(left);
        if left == 0 {
            return Err(Failure::unexpected("charge_already_refunded", "The charge has already been refunded."));
        }
        if asked > left {
            let message = "Refund amount is greater than unrefunded amount on charge";
            return Err(Failure::unexpected("amount_too_large", message));
        }
        let ours = minor(asked, &intent.currency).unwrap_or_default();
        let course = course(&intent.number, ours);
        let refund = Refund {
            id: self.id("re"),
            intent: named.to_owned(),
            amount: asked,
            currency: intent.currency.clone(),
            status: "succeeded",
            reason: reason.map(str::to_owned),
            failure_reason: None,
            metadata: metadata(form),
            created_ms: now_ms,
        };
        let settlement = i64::try_from(SETTLEMENT_MS).unwrap_or(i64::MAX);
        let mut states = Vec::new();
        let mut at_ms = now_ms;
        for status in course {
            let failure_reason = (*status == "failed").then_some("declined");
            states.push((at_ms, Refund { status, failure_reason, ..refund.clone() }));
            at_ms = at_ms.saturating_add(settlement);
        }
        self.run(&states);
        let mut states = states.into_iter();
        let first = states.next().map_or(refund, |(_, first)| first);
        let shown = first.shown();
        // It is given as soon as it is taken on, and comes back where it fails.
        if first.is_alive() {
            let reference = first.metadata.get("reference");
            let mut entry = effect(Act::Refund, &intent, &first.id, reference, asked, now_ms);
            let last = states.as_slice().iter().find(|(_, refund)| refund.is_alive() && refund.status == "succeeded");
            if first.status != "succeeded" {
                entry.at_ms = last.map_or(i64::MAX, |(at, _)| *at);
            }
            let failed = states.as_slice().iter().find(|(_, refund)| !refund.is_alive()).map(|(at, _)| *at);
            self.book(entry);
            if let Some(booked) = self.ledger.last_mut() {
                booked.undone_at_ms = failed;
            }
        }
        self.refunds.insert(first.id.clone(), Timed { now: first, later: states.collect() });
        Ok(shown)
    }

    /// Tells of each state as it comes.
    fn run(&mut self, states: &[(i64, Refund)]) {
        let mut before = None;
        for (at_ms, refund) in states {
            let was = before.replace(refund.status).map(|status| json!({"status": status}));
            let name = if was.is_some() { "refund.updated" } else { "refund.created" };
            self.tell(name, &refund.shown(), was.as_ref(), *at_ms);
            if was.is_some() {
                self.tell("charge.refund.updated", &refund.shown(), was.as_ref(), *at_ms);
            }
            if !refund.is_alive() {
                self.tell("refund.failed", &refund.shown(), None, *at_ms);
            }
        }
    }
}

/// The states that a refund goes through.
fn course(number: &str, minor: i64) -> &'static [&'static str] {
    match (number, magic(minor)) {
        (SLOW_CARD, _) | (_, Behaviour::Accept(Ending::Approved)) => &["pending", "succeeded"],
        (FAILING_CARD, _) => &["succeeded", "failed"],
        (_, Behaviour::Accept(Ending::Declined)) => &["pending", "failed"],
        (_, Behaviour::AcceptThenFail) => &["pending", "succeeded", "failed"],
        (_, Behaviour::Decline(_)) => &["failed"],
        (
            _,
            Behaviour::Approve
            | Behaviour::AcceptToken(_)
            | Behaviour::Challenge
            | Behaviour::Dispute(_)
            | Behaviour::Fault(_),
        ) => &["succeeded"],
    }
}
