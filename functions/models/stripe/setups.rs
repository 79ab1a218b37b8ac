//! SetupIntents: made and confirmed at once, authenticated, canceled.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::form::Form;
use super::cards::{NOT_SET_UP, No, authenticates, kept};
use super::failure::Failure;
use super::{Stripe, flag, metadata, only};

const PARAMETERS: [&str; 9] = [
    "confirm",
    "usage",
    "customer",
    "payment_method",
    "payment_method_types",
    "metadata",
    "return_url",
    "description",
    "expand",
];

#[derive(Clone)]
pub(super) struct SetupIntent {
    id: String,
    status: &'static str,
    usage: String,
    metadata: BTreeMap<String, String>,
    created_ms: i64,
    customer: Option<String>,
    method: Option<String>,
    error: Option<No>,
    cancellation_reason: Option<String>,
    return_url: Option<String>,
}

impl SetupIntent {
    pub fn waits(&self) -> bool {
        self.status == "requires_action"
    }

    /// Without a way back there is no page, only what a browser would do.
    fn next_action(&self, base_url: &str) -> Option<Value> {
        self.waits().then(|| match &self.return_url {
            Some(url) => json!({
                "type": "redirect_to_url",
                "redirect_to_url": {"url": format!("{base_url}/3d_secure/{}", self.id), "return_url": url},
            }),
            None => json!({"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}),
        })
    }

    fn shown(&self, base_url: &str) -> Value {
        json!({
            "id": self.id, "object": "setup_intent", "cancellation_reason": self.cancellation_reason,
            "client_secret": format!("{}_secret_{}", self.id, self.created_ms), "created": self.created_ms / 1_000,
            "customer": self.customer, "last_setup_error": self.error.map(No::error), "livemode": false,
            "metadata": self.metadata, "next_action": self.next_action(base_url), "payment_method": self.method,
            "payment_method_types": ["card"], "status": self.status, "usage": self.usage,
        })
    }

    /// What fails leaves no payment method behind.
    fn failed(self, no: No) -> Self {
        Self { status: "requires_payment_method", error: Some(no), method: None, ..self }
    }

    fn event(&self) -> &'static str {
        match self.status {
            "succeeded" => "setup_intent.succeeded",
            "requires_action" => "setup_intent.requires_action",
            "canceled" => "setup_intent.canceled",
            _ => "setup_intent.setup_failed",
        }
    }
}

impl Stripe {
    fn setup(&self, id: &str) -> Result<SetupIntent, Failure> {
        self.setups.get(id).cloned().ok_or_else(|| Failure::missing("setupintent", id))
    }

    pub(super) fn show_setup(&self, id: &str) -> Result<Value, Failure> {
        self.setup(id).map(|setup| setup.shown(&self.base_url))
    }

    pub(super) fn create_setup(&mut self, form: &Form, now_ms: i64) -> Result<Value, Failure> {
        only(form, &PARAMETERS)?;
        let is_confirmed = flag(form, "confirm")?;
        if form.text("return_url").is_some() && !is_confirmed {
            return Err(Failure::invalid("return_url", "parameter_invalid", "can only be used with confirm=true"));
        }
        let usage = form.text("usage").unwrap_or("off_session");
        if !["off_session", "on_session"].contains(&usage) {
            return Err(Failure::invalid("usage", "parameter_invalid", "Invalid usage"));
        }
        let customer = form.text("customer").map(str::to_owned);
        if let Some(customer) = customer.as_ref().filter(|customer| !self.customers.contains_key(*customer)) {
            return Err(Failure::missing("customer", customer));
        }
        let method = match form.text("payment_method") {
            Some(id) => Some(self.settable(id, customer.as_deref(), now_ms)?),
            None if is_confirmed => return Err(Failure::absent("payment_method")),
            None => None,
        };
        let setup = SetupIntent {
            id: self.id("seti"),
            status: if method.is_some() { "requires_confirmation" } else { "requires_payment_method" },
            usage: usage.to_owned(),
            metadata: metadata(form),
            created_ms: now_ms,
            customer,
            method,
            error: None,
            cancellation_reason: None,
            return_url: form.text("return_url").map(str::to_owned),
        };
        if !is_confirmed {
            self.setups.insert(setup.id.clone(), setup.clone());
            return Ok(setup.shown(&self.base_url));
        }
        let number = self.number_of(&setup);
        if let Err(no) = kept(&number) {
            let failed = self.stand(setup.failed(no), now_ms);
            return Err(Failure::declined(no, Some(("setup_intent", &failed))));
        }
        if authenticates(&number) {
            return Ok(self.stand(SetupIntent { status: "requires_action", ..setup }, now_ms));
        }
        self.succeed(setup, now_ms)
    }

    pub(super) fn cancel_setup(&mut self, id: &str, form: &Form, now_ms: i64) -> Result<Value, Failure> {
        only(form, &["cancellation_reason", "expand"])?;
        let reason = form.text("cancellation_reason");
        if reason.is_some_and(|reason| !["abandoned", "duplicate", "requested_by_customer"].contains(&reason)) {
            return Err(Failure::invalid("cancellation_reason", "parameter_invalid", "Invalid cancellation_reason"));
        }
        let setup = self.setup(id)?;
        if matches!(setup.status, "succeeded" | "canceled") {
            let message =
                format!("This SetupIntent could not be canceled because it has a status of {}.", setup.status);
            return Err(Failure::unexpected("setup_intent_unexpected_state", &message));
        }
        let cancellation_reason = reason.map(str::to_owned);
        Ok(self.stand(SetupIntent { status: "canceled", cancellation_reason, ..setup }, now_ms))
    }

    /// The payer has acted; where the payer goes from there.
    pub(super) fn set_up_on_page(&mut self, id: &str, approves: bool, now_ms: i64) -> Option<String> {
        let setup = self.setup(id).ok()?;
        let return_url = setup.return_url.clone();
        if !approves || self.succeed(setup.clone(), now_ms).is_err() {
            self.stand(setup.failed(NOT_SET_UP), now_ms);
        }
        return_url
    }

    /// A method that nobody else has, and that was not spent.
    fn settable(&mut self, id: &str, customer: Option<&str>, now_ms: i64) -> Result<String, Failure> {
        let id = self.known_method(id, now_ms).ok_or_else(|| Failure::missing("PaymentMethod", id))?;
        let method = self.methods.get(&id).ok_or_else(|| Failure::missing("PaymentMethod", &id))?;
        if method.customer.is_some() && method.customer.as_deref() != customer {
            let message = "The PaymentMethod does not belong to the Customer of this request";
            return Err(Failure::invalid("payment_method", "setup_intent_invalid_parameter", message));
        }
        if method.is_used {
            let message = "The PaymentMethod was used without being attached to a Customer and may not be used again";
            return Err(Failure::unexpected("payment_method_unexpected_state", message));
        }
        Ok(id)
    }

    fn number_of(&self, setup: &SetupIntent) -> String {
        let method = setup.method.as_ref().and_then(|id| self.methods.get(id));
        method.map(|method| method.number.clone()).unwrap_or_default()
    }

    /// The customer has the method from now on.
    fn succeed(&mut self, setup: SetupIntent, now_ms: i64) -> Result<Value, Failure> {
        let id = setup.method.as_deref().unwrap_or_default();
        if let Some(customer) = &setup.customer {
            self.keep(id, customer)?;
        }
        if let Some(method) = self.methods.get_mut(id) {
            method.is_set_up = true;
        }
        Ok(self.stand(SetupIntent { status: "succeeded", ..setup }, now_ms))
    }

    /// Keeps it as it is from now on, and tells so.
    fn stand(&mut self, setup: SetupIntent, now_ms: i64) -> Value {
        let shown = setup.shown(&self.base_url);
        self.tell(setup.event(), &shown, None, now_ms);
        self.setups.insert(setup.id.clone(), setup);
        shown
    }
}
