//! What follows a payment: capture, cancellation, refunds, and what its payer's bank does.

use serde_json::{Map, Value, json};

use super::opening::{declined, refusal_of};
use super::payment::{Payment, Refund, RefundRequest, Status};
use super::refusal::{Members, Refusal};
use super::{Done, Komoju, SETTLEMENT_MS};
use crate::models::magic;
use crate::sandbox::{Behaviour, Ending, Verdict};

const REFUND_REQUEST: [&str; 11] = [
    "amount",
    "customer_name",
    "bank_name",
    "bank_code",
    "branch_name",
    "branch_number",
    "account_type",
    "account_number",
    "include_payment_method_fee",
    "description",
    "platform_details",
];

impl Komoju {
    pub(super) fn act(&mut self, id: &str, act: &str, body: &Map<String, Value>, now_ms: i64) -> Done {
        let known = self.payments.get(id).ok_or_else(|| Refusal::not_found("payment"))?;
        let members = Members(body);
        match act {
            "capture" => {
                let amount = capturable(known, members, now_ms)?;
                if let Some(payment) = self.payments.get_mut(id) {
                    payment.captured = amount;
                }
                self.turn(id, now_ms, Status::Captured);
            }
            "cancel" => {
                members.only(&[])?;
                let is_open = matches!(known.status(now_ms), Status::Pending | Status::Authorized);
                if !is_open || known.is_about_to_turn(now_ms) {
                    return Err(Refusal::new(422, "not_cancellable", "The payment cannot be cancelled"));
                }
                self.turn(id, now_ms, Status::Cancelled);
            }
            "refund" => {
                members.only(&["amount", "description", "platform_details"])?;
                let amount = refundable(known, members, now_ms)?;
                if known.paying.waits_long() {
                    return Err(not_refundable("This payment can be refunded by bank transfer only"));
                }
                let description = members.text("description")?.map(str::to_owned);
                self.give_back(id, now_ms, amount, description, false);
            }
            "refund_request" => return self.request_refund(id, members.only(&REFUND_REQUEST)?, now_ms),
            _ => return Err(Refusal::not_found("resource")),
        }
        Ok((200, self.payments.get(id).map(|payment| payment.view(now_ms)).unwrap_or_default()))
    }

    /// Money goes to the payer, by us or by the payer's bank.
    fn give_back(&mut self, id: &str, at_ms: i64, amount: i64, description: Option<String>, is_chargeback: bool) {
        let refund = Refund { id: self.id("ref"), at_ms, amount, description, is_chargeback };
        let Some(payment) = self.payments.get_mut(id) else { return };
        payment.refunds.push(refund);
        let (view, is_whole) = (payment.view(at_ms), payment.status(at_ms) == Status::Refunded);
        self.tell(at_ms, "payment.refund.created", &view);
        if is_whole {
            self.tell(at_ms, "payment.refunded", &view);
        }
    }

    fn request_refund(&mut self, id: &str, members: Members<'_>, now_ms: i64) -> Done {
        let known = self.payments.get(id).ok_or_else(|| Refusal::not_found("payment"))?;
        members.amount("amount")?.ok_or_else(|| Refusal::missing("amount"))?;
        let amount = refundable(known, members, now_ms)?;
        if known.paying.is_card() {
            return Err(not_refundable("This payment is refunded to its card"));
        }
        let mut account = json!({"resource": "refund_request"});
        for name in ["customer_name", "bank_name", "branch_number", "account_number"] {
            account[name] = json!(members.needed(name)?);
        }
        members.needed("account_type")?;
        members.flag("include_payment_method_fee")?.ok_or_else(|| Refusal::missing("include_payment_method_fee"))?;
        for name in ["bank_code", "branch_name"] {
            account[name] = json!(members.text(name)?);
        }
        let description = members.text("description")?.map(str::to_owned);
        let decided_ms = now_ms.saturating_add(i64::try_from(SETTLEMENT_MS).unwrap_or(i64::MAX));
        let is_paid = !matches!(magic(amount), Behaviour::Accept(Ending::Declined));
        let request = RefundRequest {
            id: self.id("req"),
            at_ms: now_ms,
            amount,
            decided_ms,
            is_paid,
            description: description.clone(),
            account,
        };
        let decided = request.view(id, decided_ms);
        if let Some(payment) = self.payments.get_mut(id) {
            payment.requests.push(request);
        }
        self.tell(decided_ms, "refund_request.updated", &decided);
        if is_paid {
            self.give_back(id, decided_ms, amount, description, false);
        }
        Ok((204, Value::Null))
    }

    /// The payer's bank takes back what an amount says that it will.
    pub(super) fn dispute(&mut self, id: &str, captured_ms: i64) {
        let Some(captured) = self.payments.get(id).map(|payment| payment.captured) else { return };
        if magic(captured) == Behaviour::Dispute(Verdict::ChargedBack) {
            let after_ms = i64::try_from(SETTLEMENT_MS.saturating_mul(2)).unwrap_or(i64::MAX);
            let at_ms = captured_ms.saturating_add(after_ms);
            self.give_back(id, at_ms, captured, Some("Chargeback".to_owned()), true);
        }
    }
}

/// Some or all of a hold on a card, once.
fn capturable(payment: &Payment, members: Members<'_>, now_ms: i64) -> Result<i64, Refusal> {
    let members = members.only(&["amount", "tax", "platform_details"])?;
    let amount = members.amount("amount")?.unwrap_or(payment.amount);
    if payment.status(now_ms) != Status::Authorized || payment.captures || !payment.paying.is_card() {
        return Err(Refusal::unprocessable("The payment cannot be captured"));
    }
    if amount == 0 || amount > payment.amount {
        return Err(Refusal::invalid("amount"));
    }
    refusal_of(magic(amount)).map_or(Ok(amount), |code| Err(declined(code)))
}

/// Some or all of what was taken.
fn refundable(payment: &Payment, members: Members<'_>, now_ms: i64) -> Result<i64, Refusal> {
    let left = payment.refundable(now_ms);
    let amount = members.amount("amount")?.unwrap_or(left);
    if payment.status(now_ms) != Status::Captured || amount > left {
        return Err(not_refundable("The payment cannot be refunded by this amount"));
    }
    match amount {
        0 => Err(Refusal::invalid("amount")),
        _ if refusal_of(magic(amount)).is_some() => Err(not_refundable("The payment cannot be refunded")),
        amount => Ok(amount),
    }
}

fn not_refundable(message: &str) -> Refusal {
    Refusal::new(422, "not_refundable", message)
}
