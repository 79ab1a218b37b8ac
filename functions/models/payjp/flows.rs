//! Payment flows: which status follows which, and when.

use serde_json::{Value, json};

use super::fields::{Body, choice, flag, integer, metadata, text, texts, within};
use super::keeping::Way;
use super::problem::Problem;
use super::{Answered, Call, Payjp, moment, reference_of};
use crate::models::{Act, Answer, Effect, magic};
use crate::sandbox::{ACTION_MS, Behaviour, Decline, Ending, SETTLEMENT_MS};

/// Yen of a payment or a capture.
const AMOUNTS: std::ops::RangeInclusive<i64> = 50..=9_999_999;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// How long a hold lasts: of a card, and of one that was extended or of `PayPay`.
const HOLD_MS: i64 = 7 * DAY_MS;
const LONG_HOLD_MS: i64 = 30 * DAY_MS;

const TYPES: [&str; 3] = ["card", "paypay", "apple_pay"];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Succeeded,
    Canceled,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
}

#[derive(Clone)]
pub(super) struct Flow {
    pub(super) id: String,
    pub(super) is_live: bool,
    pub(super) amount: i64,
    is_manual: bool,
    pub(super) status: Status,
    pub(super) customer: Option<String>,
    method: Option<String>,
    /// What it is paid with, once that is known.
    pub(super) way: Option<Way>,
    types: Vec<String>,
    options: Body,
    description: Option<String>,
    return_url: Option<String>,
    page: Option<String>,
    pub(super) metadata: Body,
    pub(super) received: i64,
    error: Option<Value>,
    reason: Option<String>,
    pub(super) made_ms: i64,
    /// When it was last changed: where it is paid, when that was.
    pub(super) changed_ms: i64,
    due: Option<Box<Due>>,
}

/// What becomes of a flow by itself.
#[derive(Clone)]
struct Due {
    at_ms: i64,
    then: Flow,
    /// The event that tells it, where that is not on its way already.
    tells: Option<&'static str>,
}

impl Flow {
    pub(super) fn shown(&self) -> Value {
        let held = if self.status == Status::RequiresCapture { self.amount } else { 0 };
        let next = self.page.as_ref().filter(|_| self.status == Status::RequiresAction).map(
            |url| json!({"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": self.return_url}}),
        );
        let canceled = (self.status == Status::Canceled).then(|| moment(self.changed_ms));
        json!({
            "object": "payment_flow", "id": self.id, "livemode": self.is_live, "amount": self.amount,
            "currency": "jpy", "amount_capturable": held, "amount_received": self.received,
            "client_secret": format!("{}_secret_known_to_the_payer", self.id), "customer_id": self.customer,
            "description": self.description, "payment_method_id": self.method,
            "payment_method_options": self.options, "payment_method_types": self.types,
            "status": self.status.name(), "next_action": next, "return_url": self.return_url,
            "redirect_options": {"include_client_secret": true},
            "capture_method": if self.is_manual { "manual" } else { "automatic" },
            "last_payment_error": self.error, "cancellation_reason": self.reason, "canceled_at": canceled,
            "metadata": self.metadata, "created_at": moment(self.made_ms), "updated_at": moment(self.changed_ms),
        })
    }

    fn changed(&self, status: Status, at_ms: i64) -> Self {
        Self { status, changed_ms: at_ms, due: None, ..self.clone() }
    }

    /// Held or paid, as it was asked for; a hold runs out.
    fn approved(&self, at_ms: i64) -> Self {
        if !self.is_manual {
            return Self { received: self.amount, ..self.changed(Status::Succeeded, at_ms) };
        }
        let held = self.changed(Status::RequiresCapture, at_ms);
        let card = within(&self.options, "card").unwrap_or_default();
        let is_extended =
            matches!(text(&card, "request_extended_authorization"), Ok(Some("if_available" | "must_extend")));
        let is_long = is_extended || matches!(self.way, Some(Way::PayPay));
        let at_ms = at_ms.saturating_add(if is_long { LONG_HOLD_MS } else { HOLD_MS });
        let then = Self { reason: Some("expired".to_owned()), ..held.changed(Status::Canceled, at_ms) };
        Self { due: Some(Box::new(Due { at_ms, then, tells: Some("payment_flow.canceled") })), ..held }
    }

    fn failed(&self, problem: &Problem, at_ms: i64) -> Self {
        Self { error: Some(problem.kept()), ..self.changed(Status::RequiresPaymentMethod, at_ms) }
    }

    /// What tells that it is held or paid.
    fn approval(&self) -> &'static str {
        if self.is_manual { "payment_flow.amount_capturable_updated" } else { "payment_flow.succeeded" }
    }
}

impl Payjp {
    pub(super) fn flow(&self, id: &str, call: Call) -> Result<&Flow, Problem> {
        let found = self.flows.get(id).filter(|flow| flow.is_live == call.is_live);
        found.ok_or_else(|| Problem::not_found("payment_flow", id))
    }

    pub(super) fn make_flow(&mut self, body: &Body, call: Call) -> Answered {
        let required = |name| Problem::invalid(name, "Field required");
        let amount = integer(body, "amount", AMOUNTS)?.ok_or_else(|| required("amount"))?;
        choice(body, "currency", &["jpy"])?.ok_or_else(|| required("currency"))?;
        let is_manual = choice(body, "capture_method", &["automatic", "manual"])? == Some("manual");
        let is_confirmed = flag(body, "confirm")?;
        let types = texts(body, "payment_method_types", &TYPES)?;
        let (options, metadata) = (options_of(body)?, metadata(body)?);
        let return_url = text(body, "return_url")?.map(str::to_owned);
        if return_url.is_some() && !is_confirmed {
            return Err(Problem::invalid("return_url", "confirm must be true"));
        }
        let types = types.unwrap_or_else(|| vec!["card".to_owned(), "paypay".to_owned()]);
        let mut flow = Flow {
            id: String::new(),
            is_live: call.is_live,
            amount,
            is_manual,
            status: Status::RequiresPaymentMethod,
            customer: text(body, "customer_id")?.map(str::to_owned),
            method: None,
            way: None,
            types,
            options,
            description: text(body, "description")?.map(str::to_owned),
            return_url,
            page: None,
            metadata,
            received: 0,
            error: None,
            reason: None,
            made_ms: call.now_ms,
            changed_ms: call.now_ms,
            due: None,
        };
        self.choose_method(&mut flow, text(body, "payment_method_id")?, call)?;
        flow.id = self.name("pfw");
        let id = flow.id.clone();
        self.tell_of_flow("payment_flow.created", &flow, call.now_ms);
        self.flows.insert(id.clone(), flow);
        if is_confirmed { self.charge(&id, call) } else { self.flow(&id, call).map(Flow::shown) }
    }

    pub(super) fn confirm_flow(&mut self, id: &str, body: &Body, call: Call) -> Answered {
        let mut flow = self.flow(id, call)?.clone();
        if !matches!(flow.status, Status::RequiresPaymentMethod | Status::RequiresConfirmation) {
            let expected = "requires_payment_method, requires_confirmation";
            return Err(Problem::status("payment_flow", expected, flow.status.name()));
        }
        if let Some(return_url) = text(body, "return_url")? {
            flow.return_url = Some(return_url.to_owned());
        }
        self.choose_method(&mut flow, text(body, "payment_method_id")?, call)?;
        if flow.method.is_none() {
            let detail = "The payment flow has no payment method.";
            return Err(Problem::new(400, "missing_payment_method", "Missing Payment Method", detail));
        }
        self.flows.insert(id.to_owned(), flow);
        self.charge(id, call)
    }

    /// The method that is named, or the customer's default.
    fn choose_method(&self, flow: &mut Flow, named: Option<&str>, call: Call) -> Result<(), Problem> {
        let Some(customer) = &flow.customer else {
            return match named {
                Some(_) => Err(Problem::invalid("payment_method_id", "customer_id is required")),
                None => Ok(()),
            };
        };
        let default = self.customer(customer, call)?.default.clone();
        let Some(named) = named.map(str::to_owned).or_else(|| flow.method.clone()).or(default) else { return Ok(()) };
        let (_, method) = self.method(&named, call)?;
        if method.owner() != Some(customer) {
            let detail = format!("Payment method {named} is not owned by customer {customer}.");
            let code = "payment_method_not_owned_by_customer";
            return Err(Problem::new(400, code, "Payment Method Not Owned By Customer", detail));
        }
        if !flow.types.iter().any(|allowed| allowed == method.way.name()) {
            let detail = format!(
                "Payment method type {} is not included in the allowed payment method types {:?}.",
                method.way.name(),
                flow.types
            );
            let code = "payment_method_not_in_allowed_types";
            return Err(Problem::new(400, code, "Payment Method Type Not Allowed", detail));
        }
        flow.way = Some(method.way.clone());
        flow.method = Some(named);
        flow.status = Status::RequiresConfirmation;
        Ok(())
    }

    /// Tries to take what is asked.
    fn charge(&mut self, id: &str, call: Call) -> Answered {
        let flow = self.flow(id, call)?.clone();
        let Some(way) = flow.way.clone() else { return Ok(flow.shown()) };
        let now_ms = call.now_ms;
        let card = within(&flow.options, "card").unwrap_or_default();
        let wants_payer =
            matches!(way, Way::PayPay) || matches!(text(&card, "request_three_d_secure"), Ok(Some("any")));
        let behaviour = match magic(flow.amount) {
            _ if way.is_declined() => Behaviour::Decline(Decline::DoNotHonour),
            Behaviour::Approve | Behaviour::AcceptToken(_) | Behaviour::Fault(_) if wants_payer => Behaviour::Challenge,
            behaviour => behaviour,
        };
        match behaviour {
            Behaviour::Approve | Behaviour::AcceptToken(_) | Behaviour::Fault(_) | Behaviour::Dispute(_) => {
                self.approve(&flow, now_ms);
            }
            Behaviour::Decline(because) => {
                let problem = Problem::declined(code_of(because));
                self.put(flow.failed(&problem, now_ms), "payment_flow.payment_failed");
                return Err(problem);
            }
            Behaviour::Accept(ending) => self.settle_later(&flow, ending == Ending::Approved, now_ms),
            Behaviour::AcceptThenFail => self.settle_later(&flow, true, now_ms),
            Behaviour::Challenge => self.challenge(&flow, now_ms),
        }
        self.flow(id, call).map(Flow::shown)
    }

    fn put(&mut self, flow: Flow, event: &'static str) {
        self.tell_of_flow(event, &flow, flow.changed_ms);
        self.flows.insert(flow.id.clone(), flow);
    }

    fn approve(&mut self, flow: &Flow, at_ms: i64) {
        let approved = flow.approved(at_ms);
        self.write_approval(&approved, at_ms);
        self.put(approved, flow.approval());
    }

    /// Writes that money is held or paid, and what comes of that.
    fn write_approval(&mut self, flow: &Flow, at_ms: i64) {
        let act = if flow.is_manual { Act::Authorize } else { Act::Sale };
        self.write(act, flow, flow.amount, at_ms);
        if !flow.is_manual {
            self.dispute(flow, at_ms);
        }
    }

    fn write(&mut self, act: Act, flow: &Flow, minor: i64, at_ms: i64) {
        self.ledger.push(Effect {
            at_ms,
            act,
            reference: reference_of(&flow.metadata),
            id: flow.id.clone(),
            minor,
            currency: "JPY".to_owned(),
            undone: false,
        });
    }

    /// Nothing can change it meanwhile, so how it ends is told already.
    fn settle_later(&mut self, flow: &Flow, is_approved: bool, now_ms: i64) {
        let at_ms = later(now_ms, SETTLEMENT_MS);
        let (then, event) = match is_approved {
            true => (flow.approved(at_ms), flow.approval()),
            false => (flow.failed(&Problem::declined("card_declined"), at_ms), "payment_flow.payment_failed"),
        };
        if is_approved {
            self.write_approval(&then, at_ms);
        }
        self.tell_of_flow(event, &then, at_ms);
        let due = Some(Box::new(Due { at_ms, then, tells: None }));
        self.put(Flow { due, ..flow.changed(Status::Processing, now_ms) }, "payment_flow.processing");
    }

    /// Waits for the payer, and not for ever.
    fn challenge(&mut self, flow: &Flow, now_ms: i64) {
        let at_ms = later(now_ms, ACTION_MS);
        let then = flow.failed(&Problem::declined("three_d_secure_failed"), at_ms);
        let due = Some(Box::new(Due { at_ms, then, tells: Some("payment_flow.payment_failed") }));
        let page = Some(format!("{}/payer/{}/approve", self.base_url, flow.id));
        let waiting = Flow { due, page, ..flow.changed(Status::RequiresAction, now_ms) };
        self.put(waiting, "payment_flow.requires_action");
    }

    /// The payer decides, once and in time.
    pub(super) fn payer(&mut self, path: &str, now_ms: i64) -> Answer {
        let page = |status, text: &str| Answer {
            status,
            headers: vec![("content-type", "text/plain; charset=utf-8".to_owned())],
            body: text.to_owned(),
        };
        let (id, decision) = path.split_once('/').unwrap_or((path, ""));
        let Some(flow) = self.flows.get(id).cloned() else { return page(404, "There is no such payment.") };
        match (flow.status, decision) {
            (_, "approve" | "decline") if flow.status != Status::RequiresAction => {
                page(409, "There is nothing to decide any more.")
            }
            (_, "approve") => {
                self.approve(&flow, now_ms);
                page(200, "Approved.")
            }
            (_, "decline") => {
                let problem = Problem::declined("three_d_secure_failed");
                self.put(flow.failed(&problem, now_ms), "payment_flow.payment_failed");
                page(200, "Declined.")
            }
            _ => page(404, "There is no such page."),
        }
    }

    pub(super) fn capture_flow(&mut self, id: &str, body: &Body, call: Call) -> Answered {
        let asked = integer(body, "amount_to_capture", AMOUNTS)?;
        let flow = self.flow(id, call)?.clone();
        if flow.status != Status::RequiresCapture {
            return Err(Problem::status("payment_flow", "requires_capture", flow.status.name()));
        }
        let amount = asked.unwrap_or(flow.amount);
        if amount > flow.amount {
            return Err(Problem::invalid("amount_to_capture", "Input should be at most amount_capturable"));
        }
        let captured = Flow { received: amount, ..flow.changed(Status::Succeeded, call.now_ms) };
        self.write(Act::Capture, &captured, amount, call.now_ms);
        self.dispute(&captured, call.now_ms);
        self.put(captured, "payment_flow.succeeded");
        self.flow(id, call).map(Flow::shown)
    }

    pub(super) fn cancel_flow(&mut self, id: &str, body: &Body, call: Call) -> Answered {
        const REASONS: [&str; 4] = ["duplicate", "fraudulent", "requested_by_customer", "abandoned"];
        let reason = choice(body, "cancellation_reason", &REASONS)?.map(str::to_owned);
        let flow = self.flow(id, call)?.clone();
        let is_open = match flow.status {
            Status::RequiresPaymentMethod
            | Status::RequiresConfirmation
            | Status::RequiresAction
            | Status::RequiresCapture => true,
            Status::Processing | Status::Succeeded | Status::Canceled => false,
        };
        if !is_open {
            let expected = "requires_payment_method, requires_confirmation, requires_action, requires_capture";
            return Err(Problem::status("payment_flow", expected, flow.status.name()));
        }
        if flow.status == Status::RequiresCapture {
            self.write(Act::Reverse, &flow, flow.amount, call.now_ms);
        }
        let canceled = Flow { reason, ..flow.changed(Status::Canceled, call.now_ms) };
        self.put(canceled, "payment_flow.canceled");
        self.flow(id, call).map(Flow::shown)
    }

    /// Lets happen what has become due.
    pub(super) fn advance(&mut self, now_ms: i64) {
        let is_due = |flow: &&Flow| flow.due.as_ref().is_some_and(|due| due.at_ms <= now_ms);
        while let Some(due) = self.flows.values().find(is_due).and_then(|flow| flow.due.clone()) {
            let Due { at_ms, then, tells } = *due;
            if let Some(event) = tells {
                self.tell_of_flow(event, &then, at_ms);
            }
            self.flows.insert(then.id.clone(), then);
        }
    }
}

pub(super) fn later(now_ms: i64, by_ms: u64) -> i64 {
    now_ms.saturating_add(i64::try_from(by_ms).unwrap_or(i64::MAX))
}

fn code_of(because: Decline) -> &'static str {
    if because == Decline::ExpiredCard { "expired_card" } else { "card_declined" }
}

fn options_of(body: &Body) -> Result<Body, Problem> {
    let options = within(body, "payment_method_options")?;
    let card = within(&options, "card")?;
    choice(&card, "request_extended_authorization", &["if_available", "must_extend", "never"])?;
    choice(&card, "request_three_d_secure", &["any", "automatic"])?;
    Ok(options)
}
