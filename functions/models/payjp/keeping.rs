//! Payment methods, and the customers who own them.

use kessai_shared::card::Pan;
use serde_json::{Value, json};

use super::fields::{Body, choice, integer, metadata, needed, text, within};
use super::problem::Problem;
use super::{Answered, Call, Payjp, list, moment};

/// Declined when it is registered, by PAY.JP's list of test cards.
const DECLINED_AT_ONCE: &str = "4000000000000002";

/// Declined when it is charged.
const DECLINED_WHEN_CHARGED: &str = "4000000000080319";

/// Something that can be paid with.
pub(super) struct Method {
    is_live: bool,
    customer: Option<String>,
    pub(super) way: Way,
    billing: Value,
    metadata: Body,
    made_ms: i64,
}

#[derive(Clone)]
pub(super) enum Way {
    Card { number: String, month: i64, year: i64 },
    PayPay,
}

pub(super) struct Customer {
    is_live: bool,
    pub(super) default: Option<String>,
    email: Option<String>,
    description: Option<String>,
    metadata: Body,
    made_ms: i64,
}

impl Way {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Card { .. } => "card",
            Self::PayPay => "paypay",
        }
    }

    pub(super) fn is_declined(&self) -> bool {
        matches!(self, Self::Card { number, .. } if number == DECLINED_WHEN_CHARGED)
    }
}

impl Method {
    pub(super) fn owner(&self) -> Option<&str> {
        self.customer.as_deref()
    }

    pub(super) fn shown(&self, id: &str) -> Value {
        let at = moment(self.made_ms);
        let mut shown = json!({
            "object": "payment_method", "id": id, "livemode": self.is_live, "type": self.way.name(),
            "customer_id": self.customer, "detached_at": null, "metadata": self.metadata,
            "billing_details": self.billing, "created_at": at, "updated_at": at,
        });
        if let (Way::Card { number, month, year }, Some(members)) = (&self.way, shown.as_object_mut()) {
            let last_four = number.get(number.len().saturating_sub(4)..).unwrap_or_default();
            let card = json!({
                "last4": last_four, "brand": brand_of(number), "exp_month": month, "exp_year": year,
                "fingerprint": format!("fp_{last_four}"), "country": "JP", "funding": null,
            });
            members.insert("card".to_owned(), card);
        }
        shown
    }
}

impl Customer {
    pub(super) fn shown(&self, id: &str) -> Value {
        let at = moment(self.made_ms);
        json!({
            "object": "customer", "id": id, "livemode": self.is_live, "email": self.email,
            "description": self.description, "default_payment_method_id": self.default, "metadata": self.metadata,
            "created_at": at, "updated_at": at,
        })
    }
}

fn brand_of(number: &str) -> &'static str {
    match number.as_bytes() {
        [b'5', ..] => "MasterCard",
        [b'3', b'5', ..] => "JCB",
        [b'3', b'4' | b'7', ..] => "American Express",
        [b'3', ..] => "Diners Club",
        [b'6', ..] => "Discover",
        _ => "Visa",
    }
}

fn billing_of(body: &Body) -> Result<Value, Problem> {
    let details = within(body, "billing_details")?;
    let address = within(&details, "address")?;
    let mut shown = json!({"address": {}});
    for name in ["name", "phone", "email"] {
        if let Some(members) = shown.as_object_mut() {
            members.insert(name.to_owned(), json!(text(&details, name)?));
        }
    }
    for name in ["country", "zip", "state", "city", "line1", "line2"] {
        let value = json!(text(&address, name)?);
        if let Some(members) = shown.get_mut("address").and_then(Value::as_object_mut) {
            members.insert(name.to_owned(), value);
        }
    }
    Ok(shown)
}

impl Payjp {
    pub(super) fn make_method(&mut self, body: &Body, call: Call) -> Answered {
        let billing = billing_of(body)?;
        let way = match choice(body, "type", &["card", "paypay"])? {
            Some("card") => card_of(body, &billing, call)?,
            Some(_) => Way::PayPay,
            None => return Err(Problem::invalid("type", "Field required")),
        };
        let metadata = metadata(body)?;
        let customer = text(body, "customer_id")?.map(str::to_owned);
        if let Some(customer) = &customer {
            self.customer(customer, call)?;
        }
        if matches!(&way, Way::Card { number, .. } if number == DECLINED_AT_ONCE) {
            return Err(Problem::declined("card_declined"));
        }
        let id = self.name("pm");
        let method = Method { is_live: call.is_live, customer, way, billing, metadata, made_ms: call.now_ms };
        let shown = method.shown(&id);
        self.methods.insert(id, method);
        Ok(shown)
    }

    pub(super) fn make_customer(&mut self, body: &Body, call: Call) -> Answered {
        let is_name = |text: &str| {
            (1..=100).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let id = match text(body, "id")? {
            Some(id) if !is_name(id) => return Err(Problem::invalid("id", "String should match pattern")),
            Some(id) => id.to_owned(),
            None => self.name("cus"),
        };
        let email = text(body, "email")?;
        if email.is_some_and(|email| email.len() > 255 || !email.contains('@')) {
            return Err(Problem::invalid("email", "value is not a valid email address"));
        }
        let (metadata, description) = (metadata(body)?, text(body, "description")?.map(str::to_owned));
        if self.customers.contains_key(&id) {
            let detail = format!("The specified customer ID {id} already exists.");
            return Err(Problem::new(400, "already_exists_id", "Already Exists ID", detail));
        }
        let default = text(body, "payment_method_id")?;
        if let Some(method) = default {
            self.attach(method, &id, call)?;
        }
        let customer = Customer {
            is_live: call.is_live,
            default: default.map(str::to_owned),
            email: email.map(str::to_owned),
            description,
            metadata,
            made_ms: call.now_ms,
        };
        let shown = customer.shown(&id);
        self.customers.insert(id, customer);
        Ok(shown)
    }

    fn attach(&mut self, method: &str, customer: &str, call: Call) -> Result<(), Problem> {
        let found = self.methods.get_mut(method).filter(|found| found.is_live == call.is_live);
        let found = found.ok_or_else(|| Problem::not_found("payment_method", method))?;
        if found.customer.is_some() {
            let detail = "This payment method is attached to a customer already.";
            return Err(Problem::new(400, "payment_method_already_attached", "Already Attached", detail));
        }
        found.customer = Some(customer.to_owned());
        Ok(())
    }

    pub(super) fn method<'a>(&self, id: &'a str, call: Call) -> Result<(&'a str, &Method), Problem> {
        let found = self.methods.get(id).filter(|found| found.is_live == call.is_live);
        found.map(|found| (id, found)).ok_or_else(|| Problem::not_found("payment_method", id))
    }

    pub(super) fn customer(&self, id: &str, call: Call) -> Result<&Customer, Problem> {
        let found = self.customers.get(id).filter(|found| found.is_live == call.is_live);
        found.ok_or_else(|| Problem::not_found("customer", id))
    }

    /// The flows of a customer, or all of them.
    pub(super) fn flows_of(&self, query: &str, call: Call) -> Value {
        let customer = query.split('&').find_map(|pair| pair.strip_prefix("customer_id="));
        let is_wanted = |flow: &&super::Flow| {
            flow.is_live == call.is_live && customer.is_none_or(|customer| flow.customer.as_deref() == Some(customer))
        };
        let flows: Vec<Value> = self.flows.values().rev().filter(is_wanted).take(10).map(super::Flow::shown).collect();
        list("/v2/payment_flows", &flows)
    }
}

fn card_of(body: &Body, billing: &Value, call: Call) -> Result<Way, Problem> {
    if call.is_live {
        return Err(Problem::invalid("card", "Card numbers are taken in test mode only"));
    }
    let card = within(body, "card")?;
    let number = needed(&card, "number")?;
    if !(14..=16).contains(&number.len()) || Pan::parse(number).is_none() {
        return Err(Problem::invalid("card.number", "String should match pattern"));
    }
    let cvc = needed(&card, "cvc")?;
    if !(3..=4).contains(&cvc.len()) || !cvc.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::invalid("card.cvc", "String should match pattern"));
    }
    let required = |name| Problem::invalid(name, "Field required");
    let month = integer(&card, "exp_month", 1..=12)?.ok_or_else(|| required("card.exp_month"))?;
    let year = integer(&card, "exp_year", 0..=9999)?.ok_or_else(|| required("card.exp_year"))?;
    let is_given = |name| billing.get(name).is_some_and(|value: &Value| !value.is_null());
    if !is_given("phone") && !is_given("email") {
        return Err(Problem::invalid("billing_details", "phone or email is required"));
    }
    Ok(Way::Card { number: number.to_owned(), month, year })
}
