//! Refunds: of what was taken, until all of it is given back or it is too late.

use serde_json::{Value, json};

use super::fields::{Body, choice, integer, metadata, needed};
use super::flows::{Flow, Status, later};
use super::keeping::Way;
use super::problem::Problem;
use super::{Answered, Call, Payjp, moment, reference_of};
use crate::models::{Act, Effect, magic};
use crate::sandbox::{Behaviour, Ending, SETTLEMENT_MS};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// How long a payment can be refunded: by card after its creation, by `PayPay` to the end of a day in Tokyo.
const CARD_MS: i64 = 180 * DAY_MS;
const PAYPAY_DAYS: i64 = 365;
const TOKYO_MS: i64 = 9 * 60 * 60 * 1_000;

const REASONS: [&str; 3] = ["duplicate", "fraudulent", "requested_by_customer"];

#[derive(Clone)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) is_live: bool,
    pub(super) flow: String,
    amount: i64,
    reason: Option<String>,
    metadata: Body,
    /// It ends well, or it does not.
    is_approved: bool,
    made_ms: i64,
    settles_ms: i64,
}

impl Refund {
    fn status(&self, now_ms: i64) -> &'static str {
        match self.is_approved {
            _ if now_ms < self.settles_ms => "pending",
            true => "succeeded",
            false => "failed",
        }
    }

    /// By both of its forms: each knows the other's name of the flow.
    pub(super) fn shown(&self, now_ms: i64) -> Value {
        let changed_ms = if now_ms < self.settles_ms { self.made_ms } else { self.settles_ms };
        json!({
            "object": "payment_refund", "id": self.id, "livemode": self.is_live, "payment_flow_id": self.flow,
            "payment_flow": self.flow, "amount": self.amount, "status": self.status(now_ms), "reason": self.reason,
            "metadata": self.metadata, "created_at": moment(self.made_ms), "updated_at": moment(changed_ms),
        })
    }
}

impl Payjp {
    pub(super) fn refund(&self, id: &str, call: Call) -> Answered {
        let found = self.refunds.get(id).filter(|refund| refund.is_live == call.is_live);
        found.map(|refund| refund.shown(call.now_ms)).ok_or_else(|| Problem::not_found("payment_refund", id))
    }

    pub(super) fn make_refund(&mut self, member: &str, body: &Body, call: Call) -> Answered {
        let flow = self.flow(needed(body, member)?, call)?.clone();
        let asked = integer(body, "amount", 1..=i64::MAX)?;
        let reason = choice(body, "reason", &REASONS)?.map(str::to_owned);
        let metadata = metadata(body)?;
        if flow.status != Status::Succeeded {
            return Err(Problem::status("payment_flow", "succeeded", flow.status.name()));
        }
        let left = flow.received.saturating_sub(self.refunded(&flow.id, call.now_ms));
        if left <= 0 {
            let detail = "This payment has already been refunded.";
            return Err(Problem::new(400, "already_refunded", "Already Refunded", detail));
        }
        let amount = asked.unwrap_or(left);
        if amount > left {
            let detail = "The refund amount exceeds the payment amount.";
            return Err(Problem::new(400, "refund_exceeds_payment", "Refund Exceeds Payment", detail));
        }
        if is_too_late(&flow, call.now_ms) {
            return Err(Problem::invalid(member, "The payment can no longer be refunded"));
        }
        let (is_approved, is_later) = match magic(amount) {
            Behaviour::Accept(ending) => (ending == Ending::Approved, true),
            Behaviour::Decline(_) => (false, matches!(flow.way, Some(Way::PayPay))),
            Behaviour::Approve
            | Behaviour::AcceptThenFail
            | Behaviour::AcceptToken(_)
            | Behaviour::Challenge
            | Behaviour::Dispute(_)
            | Behaviour::Fault(_) => (true, matches!(flow.way, Some(Way::PayPay))),
        };
        let settles_ms = if is_later { later(call.now_ms, SETTLEMENT_MS) } else { call.now_ms };
        let id = self.name("re");
        let refund = Refund {
            id: id.clone(),
            is_live: call.is_live,
            flow: flow.id,
            amount,
            reason,
            metadata,
            is_approved,
            made_ms: call.now_ms,
            settles_ms,
        };
        self.write_refund(&refund);
        let shown = refund.shown(call.now_ms);
        self.refunds.insert(id, refund);
        Ok(shown)
    }

    /// The final status comes under the same event as the first.
    fn write_refund(&mut self, refund: &Refund) {
        if refund.is_approved {
            self.ledger.push(Effect {
                at_ms: refund.settles_ms,
                act: Act::Refund,
                reference: reference_of(&refund.metadata),
                id: refund.id.clone(),
                minor: refund.amount,
                currency: "JPY".to_owned(),
                undone: false,
            });
        }
        self.tell("refund.created", refund.shown(refund.made_ms), refund.is_live, refund.made_ms);
        if refund.settles_ms > refund.made_ms {
            self.tell("refund.created", refund.shown(refund.settles_ms), refund.is_live, refund.settles_ms);
        }
    }

    /// Given back, or about to be.
    fn refunded(&self, flow: &str, now_ms: i64) -> i64 {
        let counts = |refund: &&Refund| refund.flow == flow && refund.status(now_ms) != "failed";
        self.refunds.values().filter(counts).fold(0, |sum, refund| sum.saturating_add(refund.amount))
    }
}

fn is_too_late(flow: &Flow, now_ms: i64) -> bool {
    if !matches!(flow.way, Some(Way::PayPay)) {
        return now_ms.saturating_sub(flow.made_ms) > CARD_MS;
    }
    let day = |at_ms: i64| at_ms.saturating_add(TOKYO_MS).div_euclid(DAY_MS);
    day(now_ms).saturating_sub(day(flow.changed_ms)) > PAYPAY_DAYS
}
