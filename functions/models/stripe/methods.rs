//! Payment methods, and the customers that keep them.

use serde_json::{Value, json};

use super::super::form::Form;
use super::cards::{INVALID_NUMBER, kept};
use super::failure::Failure;
use super::{Stripe, metadata, only};

/// A method of Stripe's own for tests, which is there without being made.
const TEST_METHOD: (&str, &str) = ("pm_card_visa", "4242424242424242");

pub(super) struct Method {
    pub number: String,
    pub customer: Option<String>,
    /// Without a customer it is of use once.
    pub is_used: bool,
    /// By a SetupIntent that succeeded.
    pub is_set_up: bool,
    shown: Value,
}

impl Method {
    fn shown(&self) -> Value {
        let mut shown = self.shown.clone();
        if let Some(members) = shown.as_object_mut() {
            members.insert("customer".to_owned(), json!(self.customer));
        }
        shown
    }
}

impl Stripe {
    pub(super) fn create_method(&mut self, form: &Form, now_ms: i64) -> Result<Value, Failure> {
        only(form, &["type", "card", "billing_details", "metadata", "expand"])?;
        let id = self.new_method(form, "", now_ms)?;
        self.methods.get(&id).map(Method::shown).ok_or_else(|| Failure::missing("PaymentMethod", &id))
    }

    /// A method of what lies there in the form.
    pub(super) fn new_method(&mut self, form: &Form, under: &str, now_ms: i64) -> Result<String, Failure> {
        let name = |outer: &str, inner: &str| match (under, inner) {
            ("", "") => outer.to_owned(),
            ("", inner) => format!("{outer}[{inner}]"),
            (under, "") => format!("{under}[{outer}]"),
            (under, inner) => format!("{under}[{outer}][{inner}]"),
        };
        let kind = name("type", "");
        match form.text(&kind) {
            Some("card") => {}
            Some(_) => return Err(Failure::invalid(&kind, "parameter_invalid", "This model takes cards")),
            None => return Err(Failure::absent(if under.is_empty() { "type" } else { "payment_method" })),
        }
        let text = |inner: &str| {
            let name = name("card", inner);
            form.text(&name).map(str::to_owned).ok_or_else(|| Failure::absent(&name))
        };
        let (number, month, year) = (text("number")?, text("exp_month")?, text("exp_year")?);
        if number.len() < 12 || number.bytes().any(|byte| !byte.is_ascii_digit()) {
            return Err(Failure::declined(INVALID_NUMBER, None));
        }
        let month = month.parse::<u8>().ok().filter(|month| (1..=12).contains(month));
        let invalid = |what: &str| Failure::invalid(what, &format!("invalid_expiry_{what}"), "The expiry is invalid");
        let month = month.ok_or_else(|| invalid("month"))?;
        let year = year.parse::<u16>().ok().filter(|year| (1..=99).contains(year) || (2000..=2100).contains(year));
        let year = year.ok_or_else(|| invalid("year"))?;
        let id = self.id("pm");
        let last_four = number.get(number.len().saturating_sub(4)..).unwrap_or_default();
        let shown = json!({
            "id": id, "object": "payment_method", "type": "card", "livemode": false, "created": now_ms / 1_000,
            "card": {"brand": "visa", "exp_month": month, "exp_year": year, "funding": "credit", "last4": last_four},
            "metadata": if under.is_empty() { json!(metadata(form)) } else { json!({}) },
        });
        self.methods.insert(id.clone(), Method { number, customer: None, is_used: false, is_set_up: false, shown });
        Ok(id)
    }

    /// The id under which this method is known. One of those for tests is made when it is named.
    pub(super) fn known_method(&mut self, id: &str, now_ms: i64) -> Option<String> {
        if id == TEST_METHOD.0 {
            let number = TEST_METHOD.1;
            let form = format!("type=card&card[number]={number}&card[exp_month]=12&card[exp_year]=2030");
            return self.new_method(&Form::parse(form.as_bytes())?, "", now_ms).ok();
        }
        self.methods.contains_key(id).then(|| id.to_owned())
    }

    pub(super) fn attach(&mut self, id: &str, form: &Form) -> Result<Value, Failure> {
        only(form, &["customer", "expand"])?;
        let customer = form.text("customer").ok_or_else(|| Failure::absent("customer"))?.to_owned();
        if !self.customers.contains_key(&customer) {
            return Err(Failure::missing("customer", &customer));
        }
        self.keep(id, &customer)
    }

    pub(super) fn keep(&mut self, id: &str, customer: &str) -> Result<Value, Failure> {
        let method = self.methods.get_mut(id).ok_or_else(|| Failure::missing("PaymentMethod", id))?;
        if method.is_used || method.customer.as_deref().is_some_and(|known| known != customer) {
            let message = "The PaymentMethod has been used, or belongs to another Customer";
            return Err(Failure::unexpected("payment_method_unexpected_state", message));
        }
        kept(&method.number).map_err(|no| Failure::declined(no, None))?;
        method.customer = Some(customer.to_owned());
        Ok(method.shown())
    }

    pub(super) fn create_customer(&mut self, form: &Form, now_ms: i64) -> Result<Value, Failure> {
        only(form, &["payment_method", "name", "email", "phone", "description", "metadata", "expand"])?;
        let id = self.id("cus");
        if let Some(method) = form.text("payment_method") {
            self.keep(method, &id)?;
        }
        let shown = json!({
            "id": id, "object": "customer", "created": now_ms / 1_000, "livemode": false, "metadata": metadata(form),
            "name": form.text("name"), "email": form.text("email"),
        });
        self.customers.insert(id, shown.clone());
        Ok(shown)
    }
}
