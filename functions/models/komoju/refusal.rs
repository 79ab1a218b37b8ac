//! What KOMOJU says no with, and how members of a body are read.

use serde_json::{Map, Value, json};

use crate::models::Answer;

/// An error as KOMOJU documents it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: u16,
    code: String,
    message: String,
    param: Option<String>,
}

impl Refusal {
    pub fn new(status: u16, code: &str, message: &str) -> Self {
        Self { status, code: code.to_owned(), message: message.to_owned(), param: None }
    }

    pub fn not_found(what: &str) -> Self {
        Self::new(404, "not_found", &format!("the requested {what} could not be found"))
    }

    pub fn unprocessable(message: &str) -> Self {
        Self::new(422, "unprocessable_entity", message)
    }

    pub fn missing(param: &str) -> Self {
        let message = format!("A required parameter ({param}) is missing");
        Self { param: Some(param.to_owned()), ..Self::new(422, "missing_parameter", &message) }
    }

    pub fn invalid(param: &str) -> Self {
        let message = format!("The value of {param} is invalid");
        Self { param: Some(param.to_owned()), ..Self::new(422, &format!("invalid_{param}"), &message) }
    }

    pub fn answer(&self) -> Answer {
        let Self { status, code, message, param } = self;
        Answer::json(*status, &json!({"error": {"code": code, "message": message, "param": param, "details": {}}}))
    }
}

/// The members of an object.
#[derive(Clone, Copy)]
pub struct Members<'a>(pub &'a Map<String, Value>);

impl<'a> Members<'a> {
    /// Whether it has members beside these.
    pub fn only(self, known: &[&str]) -> Result<Self, Refusal> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(stranger) => Err(Refusal::invalid(stranger)),
            None => Ok(self),
        }
    }

    /// What is null is not there.
    pub fn value(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub fn text(self, name: &str) -> Result<Option<&'a str>, Refusal> {
        let text = |value: &'a Value| value.as_str().ok_or_else(|| Refusal::invalid(name));
        self.value(name).map(text).transpose()
    }

    pub fn needed(self, name: &str) -> Result<&'a str, Refusal> {
        self.text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| Refusal::missing(name))
    }

    /// Zero or more, in the currency's lowest denomination.
    pub fn amount(self, name: &str) -> Result<Option<i64>, Refusal> {
        let amount = |value: &Value| value.as_i64().filter(|amount| *amount >= 0).ok_or_else(|| Refusal::invalid(name));
        self.value(name).map(amount).transpose()
    }

    pub fn flag(self, name: &str) -> Result<Option<bool>, Refusal> {
        self.value(name).map(|value| value.as_bool().ok_or_else(|| Refusal::invalid(name))).transpose()
    }

    pub fn object(self, name: &str) -> Result<Option<Members<'a>>, Refusal> {
        let object = |value: &'a Value| value.as_object().map(Members).ok_or_else(|| Refusal::invalid(name));
        self.value(name).map(object).transpose()
    }

    /// Texts under keys of at most 30 characters, of at most 2,000 each.
    pub fn metadata(self) -> Result<Value, Refusal> {
        let Some(Members(texts)) = self.object("metadata")? else { return Ok(json!({})) };
        let fits = |(key, value): (&String, &Value)| {
            key.chars().count() <= 30 && value.as_str().is_some_and(|text| text.chars().count() <= 2_000)
        };
        if texts.iter().all(fits) { Ok(Value::Object(texts.clone())) } else { Err(Refusal::invalid("metadata")) }
    }
}
