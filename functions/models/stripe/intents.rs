//! PaymentIntents: made and confirmed at once, authenticated, captured, canceled.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::Act;
use super::super::form::Form;
use super::cards::{AUTHENTICATED_ONCE, AUTHENTICATION_REQUIRED, GENERIC, NOT_AUTHENTICATED, No, Plan, charged};
use super::failure::Failure;
use super::{OF_THREE_DECIMALS, Stripe, Timed, amount, effect, flag, metadata, minor, only};
use crate::sandbox::{Ending, SETTLEMENT_MS, Verdict};

/// Digits of an amount, for all but a few currencies.
const MOST: i64 = 99_999_999;

/// The least amount of these currencies ("Minimum charge amounts").
const LEAST: [(&str, i64); 3] = [("usd", 50), ("eur", 50), ("jpy", 50)];

/// How long a hold on a card lasts.
const HOLD_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

const PARAMETERS: [&str; 15] = [
    "amount",
    "currency",
    "capture_method",
    "confirm",
    "metadata",
    "expand",
    "payment_method_types",
    "payment_method",
    "payment_method_data",
    "customer",
    "off_session",
    "return_url",
    "error_on_requires_action",
    "setup_future_usage",
    "description",
];

#[derive(Clone)]
pub(super) struct PaymentIntent {
    pub id: String,
    pub amount: i64,
    pub currency: String,
    pub status: &'static str,
    pub received: i64,
    pub metadata: BTreeMap<String, String>,
    pub number: String,
    is_manual: bool,
    created_ms: i64,
    customer: Option<String>,
    method: String,
    /// Once the card was charged or held.
    has_charge: bool,
    error: Option<No>,
    cancellation_reason: Option<String>,
    page: Option<String>,
    return_url: Option<String>,
}

impl PaymentIntent {
    pub fn reference(&self) -> Option<&String> {
        self.metadata.get("reference")
    }

    fn charge(&self) -> Option<String> {
        self.has_charge.then(|| self.id.replacen("pi", "ch", 1))
    }

    pub fn shown(&self) -> Value {
        let capturable = if self.status == "requires_capture" { self.amount } else { 0 };
        let next_action = self.page.as_ref().map(
            |page| json!({"type": "redirect_to_url", "redirect_to_url": {"url": page, "return_url": self.return_url}}),
        );
        let canceled_at = (self.status == "canceled").then_some(self.created_ms / 1_000);
        json!({
            "id": self.id, "object": "payment_intent", "amount": self.amount, "amount_capturable": capturable,
            "amount_received": self.received, "canceled_at": canceled_at, "cancellation_reason": self.cancellation_reason,
            "capture_method": if self.is_manual { "manual" } else { "automatic" },
            "client_secret": format!("{}_secret_{}", self.id, self.created_ms), "confirmation_method": "automatic",
            "created": self.created_ms / 1_000, "currency": self.currency, "customer": self.customer,
            "last_payment_error": self.error.map(No::error), "latest_charge": self.charge(), "livemode": false,
            "metadata": self.metadata, "next_action": next_action, "payment_method": self.method,
            "payment_method_types": ["card"], "status": self.status,
        })
    }

    /// With what else was asked for.
    fn expanded(&self, form: &Form) -> Value {
        let mut shown = self.shown();
        let wanted = ["expand[]", "expand[0]"].iter().any(|name| form.text(name) == Some("latest_charge"));
        if let (true, Some(id), Some(members)) = (wanted, self.charge(), shown.as_object_mut()) {
            let charge = json!({
                "id": id, "object": "charge", "amount": self.amount, "amount_captured": self.received,
                "captured": self.received > 0, "created": self.created_ms / 1_000, "currency": self.currency, "paid": true,
                "payment_intent": self.id, "status": "succeeded", "authorization_code": "123456",
                "payment_method_details": {"type": "card", "card": {"checks": {
                    "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass",
                }}},
            });
            members.insert("latest_charge".to_owned(), charge);
        }
        shown
    }

    /// Held, or taken.
    fn charged(&self) -> Self {
        let status = if self.is_manual { "requires_capture" } else { "succeeded" };
        let received = if self.is_manual { 0 } else { self.amount };
        Self { status, received, has_charge: true, page: None, error: None, ..self.clone() }
    }

    fn failed(&self, no: No) -> Self {
        Self { status: "requires_payment_method", error: Some(no), page: None, ..self.clone() }
    }

    /// What is told of it, and under which name.
    fn event(&self) -> &'static str {
        match self.status {
            "requires_capture" => "payment_intent.amount_capturable_updated",
            "succeeded" => "payment_intent.succeeded",
            "processing" => "payment_intent.processing",
            "requires_action" => "payment_intent.requires_action",
            "canceled" => "payment_intent.canceled",
            _ => "payment_intent.payment_failed",
        }
    }
}

impl Stripe {
    pub(super) fn intent(&self, id: &str, now_ms: i64) -> Result<PaymentIntent, Failure> {
        let found = self.intents.get(id).map(|intent| intent.at(now_ms).clone());
        found.ok_or_else(|| Failure::missing("payment_intent", id))
    }

    pub(super) fn show_intent(&self, id: &str, query: &Form, now_ms: i64) -> Result<Value, Failure> {
        self.intent(id, now_ms).map(|intent| intent.expanded(query))
    }

    pub(super) fn create_intent(&mut self, form: &Form, now_ms: i64) -> Result<Value, Failure> {
        only(form, &PARAMETERS)?;
        let asked = amount(form, "amount")?.ok_or_else(|| Failure::absent("amount"))?;
        let currency = form.text("currency").ok_or_else(|| Failure::absent("currency"))?.to_owned();
        check_amount(asked, &currency)?;
        let is_manual = match form.text("capture_method") {
            Some("manual") => true,
            None | Some("automatic" | "automatic_async") => false,
            Some(_) => return Err(Failure::invalid("capture_method", "parameter_invalid", "Invalid capture_method")),
        };
        let (off_session, fails) = (flag(form, "off_session")?, flag(form, "error_on_requires_action")?);
        for name in ["off_session", "error_on_requires_action", "return_url"] {
            if form.text(name).is_some() && !flag(form, "confirm")? {
                return Err(Failure::invalid(name, "parameter_invalid", "can only be used with confirm=true"));
            }
        }
        let customer = form.text("customer").map(str::to_owned);
        if let Some(customer) = customer.as_ref().filter(|customer| !self.customers.contains_key(*customer)) {
            return Err(Failure::missing("customer", customer));
        }
        let method = self.paid_with(form, customer.as_deref(), now_ms)?;
        let number = self.methods.get(&method).map(|method| method.number.clone()).unwrap_or_default();
        let intent = PaymentIntent {
            id: self.id("pi"),
            amount: asked,
            currency,
            status: "requires_confirmation",
            received: 0,
            metadata: metadata(form),
            number,
            is_manual,
            created_ms: now_ms,
            customer,
            method,
            has_charge: false,
            error: None,
            cancellation_reason: None,
            page: None,
            return_url: form.text("return_url").map(str::to_owned),
        };
        if !flag(form, "confirm")? {
            self.intents.insert(intent.id.clone(), Timed::new(intent.clone()));
            return Ok(intent.expanded(form));
        }
        self.confirm(intent, off_session, fails, now_ms).map(|intent| intent.expanded(form))
    }

    fn confirm(
        &mut self,
        intent: PaymentIntent,
        off_session: bool,
        fails: bool,
        now_ms: i64,
    ) -> Result<PaymentIntent, Failure> {
        let ours = minor(intent.amount, &intent.currency).unwrap_or_default();
        let is_set_up = self.methods.get(&intent.method).is_some_and(|method| method.is_set_up);
        let plan = match charged(&intent.number, ours) {
            Plan::Challenge if is_set_up && intent.number == AUTHENTICATED_ONCE => Plan::Approve,
            plan => plan,
        };
        match plan {
            Plan::Approve | Plan::Dispute(_) => Ok(self.settle(intent.charged(), now_ms)),
            Plan::Decline(no) => Err(self.refuse(&intent, no, now_ms)),
            Plan::Challenge if off_session || fails => Err(self.refuse(&intent, AUTHENTICATION_REQUIRED, now_ms)),
            Plan::Challenge => {
                let page = Some(format!("{}/3d_secure/{}", self.base_url, intent.id));
                let intent = PaymentIntent { status: "requires_action", page, ..intent };
                Ok(self.settle(intent, now_ms))
            }
            Plan::Process(ending) => {
                let processing = PaymentIntent { status: "processing", ..intent.clone() };
                let processing = self.settle(processing, now_ms);
                let then_ms = now_ms.saturating_add(i64::try_from(SETTLEMENT_MS).unwrap_or(i64::MAX));
                let then = match ending {
                    Ending::Approved => intent.charged(),
                    Ending::Declined => intent.failed(GENERIC),
                };
                self.became(&then, then_ms);
                if let Some(known) = self.intents.get_mut(&intent.id) {
                    known.later.push((then_ms, then));
                }
                Ok(processing)
            }
        }
    }

    fn refuse(&mut self, intent: &PaymentIntent, no: No, now_ms: i64) -> Failure {
        let failed = self.settle(intent.failed(no), now_ms);
        Failure::declined(no, Some(("payment_intent", &failed.shown())))
    }

    /// Keeps it as it is from now on.
    fn settle(&mut self, intent: PaymentIntent, now_ms: i64) -> PaymentIntent {
        self.became(&intent, now_ms);
        let mut timed = Timed::new(intent.clone());
        if intent.status == "requires_capture" {
            let reason = Some("automatic".to_owned());
            let ended = PaymentIntent { status: "canceled", cancellation_reason: reason, ..intent.clone() };
            timed.later.push((intent.created_ms.saturating_add(HOLD_MS), ended));
        }
        self.intents.insert(intent.id.clone(), timed);
        intent
    }

    /// What follows from what an intent is at that moment.
    fn became(&mut self, intent: &PaymentIntent, at_ms: i64) {
        let act = match intent.status {
            "requires_capture" => Some(Act::Authorize),
            "succeeded" if intent.is_manual => Some(Act::Capture),
            "succeeded" => Some(Act::Sale),
            _ => None,
        };
        if let Some(act) = act {
            let units = if act == Act::Authorize { intent.amount } else { intent.received };
            self.book(effect(act, intent, &intent.id, intent.reference(), units, at_ms));
        }
        self.tell(intent.event(), &intent.shown(), None, at_ms);
        if intent.status == "succeeded" {
            let ours = minor(intent.received, &intent.currency).unwrap_or_default();
            if let Plan::Dispute(verdict) = charged(&intent.number, ours) {
                self.dispute(intent, verdict == Verdict::Won, at_ms);
            }
        }
    }

    /// The payment method: one that is there, or a new one.
    fn paid_with(&mut self, form: &Form, customer: Option<&str>, now_ms: i64) -> Result<String, Failure> {
        let Some(id) = form.text("payment_method") else {
            let method = self.new_method(form, "payment_method_data", now_ms)?;
            return Ok(method);
        };
        let id = self.known_method(id, now_ms).ok_or_else(|| Failure::missing("PaymentMethod", id))?;
        let method = self.methods.get_mut(&id).ok_or_else(|| Failure::missing("PaymentMethod", &id))?;
        if method.customer.as_deref() != customer {
            let message = "The PaymentMethod does not belong to the Customer of this request";
            return Err(Failure::invalid("payment_method", "payment_method_invalid_parameter", message));
        }
        if method.customer.is_none() && std::mem::replace(&mut method.is_used, true) {
            let message = "The PaymentMethod was used without being attached to a Customer and may not be used again";
            return Err(Failure::unexpected("payment_method_unexpected_state", message));
        }
        Ok(id)
    }

    pub(super) fn capture(&mut self, id: &str, form: &Form, now_ms: i64) -> Result<Value, Failure> {
        only(form, &["amount_to_capture", "final_capture", "metadata", "expand"])?;
        let asked = amount(form, "amount_to_capture")?;
        let intent = self.intent(id, now_ms)?;
        if form.text("final_capture").is_some_and(|is_final| is_final != "true") {
            let message = "This account cannot capture more than once";
            return Err(Failure::invalid("final_capture", "parameter_invalid", message));
        }
        if intent.status != "requires_capture" {
            return Err(unexpected(&intent, "captured"));
        }
        let received = asked.unwrap_or(intent.amount);
        if received > intent.amount {
            let message = "The amount to capture is greater than the amount that can be captured";
            return Err(Failure::unexpected("amount_too_large", message));
        }
        let mut merged = intent.metadata.clone();
        merged.extend(metadata(form));
        let captured = PaymentIntent { status: "succeeded", received, metadata: merged, ..intent };
        Ok(self.settle(captured, now_ms).expanded(form))
    }

    pub(super) fn cancel(&mut self, id: &str, form: &Form, now_ms: i64) -> Result<Value, Failure> {
        only(form, &["cancellation_reason", "expand"])?;
        let reason = form.text("cancellation_reason");
        if reason
            .is_some_and(|reason| !["abandoned", "duplicate", "fraudulent", "requested_by_customer"].contains(&reason))
        {
            return Err(Failure::invalid("cancellation_reason", "parameter_invalid", "Invalid cancellation_reason"));
        }
        let intent = self.intent(id, now_ms)?;
        match intent.status {
            "requires_payment_method" | "requires_capture" | "requires_confirmation" | "requires_action" => {}
            _ => return Err(unexpected(&intent, "canceled")),
        }
        if intent.status == "requires_capture" {
            self.book(effect(Act::Reverse, &intent, id, None, intent.amount, now_ms));
        }
        let cancellation_reason = reason.map(str::to_owned);
        let canceled = PaymentIntent { status: "canceled", cancellation_reason, page: None, ..intent };
        Ok(self.settle(canceled, now_ms).expanded(form))
    }

    /// The payer has acted; where the payer goes from there.
    pub(super) fn pay_on_page(&mut self, id: &str, approves: bool, now_ms: i64) -> Option<String> {
        let intent = self.intent(id, now_ms).ok()?;
        let decided = if approves { intent.charged() } else { intent.failed(NOT_AUTHENTICATED) };
        self.settle(decided, now_ms).return_url
    }
}

fn unexpected(intent: &PaymentIntent, what: &str) -> Failure {
    let message = format!("This PaymentIntent could not be {what} because it has a status of {}.", intent.status);
    Failure::unexpected("payment_intent_unexpected_state", &message)
}

fn check_amount(amount: i64, currency: &str) -> Result<(), Failure> {
    if currency.bytes().any(|byte| !byte.is_ascii_lowercase()) || minor(amount, currency).is_none() {
        return Err(Failure::invalid("currency", "parameter_invalid", &format!("Invalid currency: {currency}")));
    }
    if OF_THREE_DECIMALS.contains(&currency) && amount.rem_euclid(10) != 0 {
        return Err(Failure::invalid("amount", "invalid_charge_amount", "The last digit must be 0 in this currency"));
    }
    let least = LEAST.iter().find(|(known, _)| *known == currency).map_or(1, |(_, least)| *least);
    match amount {
        _ if amount < least => Err(Failure::invalid("amount", "amount_too_small", "Amount is too small")),
        _ if amount > MOST && currency != "idr" => {
            Err(Failure::invalid("amount", "amount_too_large", "Amount is too large"))
        }
        _ => Ok(()),
    }
}
