//! What acts on a payment: received at once, and decided by what is left of it. The verdict is told later.

use serde_json::json;

use super::super::{Act, Answer, magic};
use super::book::{Move, State};
use super::error::Refusal;
use super::pay::steps_ms;
use super::post::Event;
use super::read::{Amount, Body};
use super::{Adyen, members};
use crate::sandbox::{Behaviour, Ending};

/// How long a verdict takes.
const VERDICT_MS: i64 = 1_000;

/// What is asked, in either dialect.
struct Asked<'a> {
    act: Act,
    payment: &'a str,
    /// None where it is the whole.
    amount: Option<Amount>,
    reference: String,
    merchant_account: String,
    /// What its event is called, where that is not as usual.
    code: Option<&'static str>,
}

/// What came of it, and when.
struct Verdict {
    at_ms: i64,
    failure: Option<&'static str>,
    /// When it turns out not to stand.
    failed_at_ms: Option<i64>,
}

impl Adyen {
    pub(super) fn modify_checkout(
        &mut self,
        payment: &str,
        what: &str,
        body: &Body,
        now_ms: i64,
    ) -> Result<Answer, Refusal> {
        let act = match what {
            "captures" => Act::Capture,
            "refunds" => Act::Refund,
            // Whichever of the two it can be.
            "reversals" if self.is_captured(payment, now_ms) => Act::Refund,
            _ => Act::Reverse,
        };
        let is_whole = matches!(what, "cancels" | "reversals");
        body.only(match act {
            _ if is_whole => members::CANCEL,
            Act::Capture => members::CAPTURE,
            Act::Refund | Act::Reverse | Act::Authorize | Act::Sale => members::REFUND,
        })?;
        let reasons = ["", "FRAUD", "CUSTOMER REQUEST", "RETURN", "DUPLICATE", "OTHER"];
        let reason = body.text("merchantRefundReason")?.to_owned();
        if !reasons.contains(&reason.as_str()) {
            return Err(Refusal::unexpected("merchantRefundReason"));
        }
        let merchant_account = body.merchant_account()?;
        let amount = if is_whole { None } else { Some(body.amount("amount")?) };
        let reference = body.text("reference")?.to_owned();
        let mut said = json!({
            "merchantAccount": merchant_account, "paymentPspReference": payment, "reference": reference, "status": "received",
        });
        if reference.is_empty() {
            said = json!({"merchantAccount": merchant_account, "paymentPspReference": payment, "status": "received"});
        }
        if let Some(amount) = &amount {
            said["amount"] = json!({"currency": amount.currency, "value": amount.value});
        }
        if !reason.is_empty() {
            said["merchantRefundReason"] = json!(reason);
        }
        let code = (what == "reversals").then_some("CANCEL_OR_REFUND");
        let name = self.modify(&Asked { act, payment, amount, reference, merchant_account, code }, now_ms)?;
        said["pspReference"] = json!(name);
        Ok(Answer::json(201, &said))
    }

    pub(super) fn modify_classic(&mut self, what: &str, body: &Body, now_ms: i64) -> Result<Answer, Refusal> {
        let act = match what {
            "capture" => Act::Capture,
            "refund" => Act::Refund,
            _ => Act::Reverse,
        };
        body.only(if act == Act::Reverse { members::CANCELLATION } else { members::MODIFICATION })?;
        let merchant_account = body.merchant_account()?;
        let payment = body.text("originalReference")?;
        let amount = if act == Act::Reverse { None } else { Some(body.amount("modificationAmount")?) };
        let reference = body.text("reference")?.to_owned();
        let name = self.modify(&Asked { act, payment, amount, reference, merchant_account, code: None }, now_ms)?;
        Ok(Answer::json(200, &json!({"pspReference": name, "response": format!("[{what}-received]")})))
    }

    /// Adyen's name for what is received.
    fn modify(&mut self, asked: &Asked<'_>, now_ms: i64) -> Result<String, Refusal> {
        let payment = self.book.payment(asked.payment).ok_or(Refusal::NO_PAYMENT)?;
        let (whole, original) = (payment.amount.clone(), payment.reference.clone());
        let amount = asked.amount.clone().unwrap_or(whole.clone());
        if amount.currency != whole.currency || amount.value == 0 {
            return Err(Refusal::WRONG_AMOUNT);
        }
        let Verdict { at_ms, failure, failed_at_ms } = self.verdict(asked, &amount, now_ms);
        let name = self.name_something();
        // Who gave it no name of its own hears of it under the payment's.
        let reference = if asked.reference.is_empty() { original } else { asked.reference.clone() };
        let (done, undone) = match asked.act {
            Act::Capture => ("CAPTURE", "CAPTURE_FAILED"),
            Act::Refund => ("REFUND", "REFUND_FAILED"),
            Act::Reverse | Act::Authorize | Act::Sale => ("CANCELLATION", "CANCELLATION"),
        };
        let event = |code, at_ms, failure| Event {
            at_ms,
            code,
            name: &name,
            original: asked.payment,
            reference: &reference,
            merchant_account: &asked.merchant_account,
            amount: &amount,
            failure,
            more: json!({}),
        };
        self.outbox.post(&event(asked.code.unwrap_or(done), at_ms, failure));
        if let Some(failed) = failed_at_ms {
            self.outbox.post(&event(undone, failed, None));
        }
        if failure.is_none() {
            let (payment, act) = (asked.payment.to_owned(), asked.act);
            let (name, amount, reference) = (name.clone(), amount.clone(), reference.clone());
            self.book.moves.push(Move { at_ms, act, name, reference, payment, amount, failed_at_ms });
            if act == Act::Capture {
                let amount = asked.amount.clone().unwrap_or(whole);
                self.dispute(asked.payment, &amount, at_ms);
            }
        }
        Ok(name)
    }

    fn is_captured(&self, payment: &str, now_ms: i64) -> bool {
        self.book.moved(payment, &[Act::Capture, Act::Sale], now_ms, now_ms) > 0
    }

    fn verdict(&self, asked: &Asked<'_>, amount: &Amount, now_ms: i64) -> Verdict {
        let settled = now_ms.saturating_add(steps_ms(1));
        let by_name = self.book.payment(asked.payment).is_some_and(|payment| match asked.act {
            Act::Capture => payment.captures_fail,
            Act::Refund => payment.refunds_fail,
            Act::Reverse | Act::Authorize | Act::Sale => false,
        });
        let (at_ms, declined, fails) = match magic(amount.minor()) {
            Behaviour::Decline(_) => (now_ms.saturating_add(VERDICT_MS), true, false),
            Behaviour::Accept(Ending::Declined) => (settled, true, false),
            Behaviour::Accept(Ending::Approved) => (settled, false, false),
            Behaviour::AcceptThenFail => (settled, false, asked.act != Act::Reverse),
            Behaviour::Approve
            | Behaviour::AcceptToken(_)
            | Behaviour::Challenge
            | Behaviour::Dispute(_)
            | Behaviour::Fault(_) => (now_ms.saturating_add(VERDICT_MS), false, by_name),
        };
        let failure = self.why_not(asked, amount, now_ms).or(declined.then_some("Refused"));
        let failed_at_ms = (fails && failure.is_none()).then(|| at_ms.saturating_add(steps_ms(1)));
        Verdict { at_ms, failure, failed_at_ms }
    }

    /// Why there is not enough left for it: Adyen lets nobody capture more than was authorised, nor refund more than was
    /// captured, nor cancel what was captured.
    fn why_not(&self, asked: &Asked<'_>, amount: &Amount, now_ms: i64) -> Option<&'static str> {
        const TOO_LITTLE: &str = "Insufficient balance on payment";
        let payment = self.book.payment(asked.payment)?;
        let is_authorised = matches!(payment.state, State::Authorised { at_ms } if at_ms <= now_ms);
        // What is received counts, although its verdict is yet to be told.
        let moved = |acts: &[Act]| self.book.moved(&payment.name, acts, i64::MAX, now_ms);
        let captured = self.book.moved(&payment.name, &[Act::Capture, Act::Sale], now_ms, now_ms);
        let left = match asked.act {
            _ if !is_authorised => return Some("Transaction not authorised"),
            Act::Refund if captured == 0 => return Some("Transaction hasn't been captured, refund not possible"),
            Act::Refund => captured.saturating_sub(moved(&[Act::Refund])),
            Act::Capture | Act::Reverse | Act::Authorize | Act::Sale => {
                payment.amount.value.saturating_sub(moved(&[Act::Capture, Act::Sale, Act::Reverse]))
            }
        };
        (amount.value > left).then_some(TOO_LITTLE)
    }
}
