//! What a scripted fault of a model is meant for, in the words of the sandbox's scripts: a model, a kind of request, and
//! a part of its path.
//!
//! Only faults of the world can be scripted. What a gateway decides is asked of it by the card or the amount.

use serde_json::{Map, Value};

use super::Request;
use crate::sandbox::{AimOfScript, Behaviour, can_strike_notices, choice};

/// Faults strike requests by this method where a script says nothing else, for they are what moves money.
const METHOD: &str = "POST";

/// The methods that a script can mean.
const METHODS: [&str; 4] = ["GET", METHOD, "PATCH", "DELETE"];

/// How a body that is sent unasked is called among the kinds.
const NOTICE: &str = "notice";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aim {
    model: Option<String>,
    is_at_notices: bool,
    method: Option<&'static str>,
    /// A part of the path.
    path: Option<String>,
}

impl Aim {
    pub fn is_at(&self, model: &str, request: &Request) -> bool {
        !self.is_at_notices
            && self.is_in(model)
            && self.method.unwrap_or(METHOD) == request.method
            && self.path.as_ref().is_none_or(|part| request.path.contains(part))
    }

    pub fn is_at_notices(&self, model: &str) -> bool {
        self.is_at_notices && self.is_in(model)
    }

    fn is_in(&self, model: &str) -> bool {
        self.model.as_ref().is_none_or(|meant| meant == model)
    }
}

impl AimOfScript for Aim {
    const MEMBERS: &'static [&'static str] = &["model", "kind", "method", "path"];

    fn read(entry: &Value, behaviour: Behaviour) -> Result<Self, String> {
        if !matches!(behaviour, Behaviour::Fault(_)) {
            return Err("next.fault must be one of the world: a card or an amount asks for all else".to_owned());
        }
        let known = |method: &str| METHODS.into_iter().find(|known| *known == method);
        let kind = choice(entry, "kind", NOTICE, |kind| (kind == NOTICE).then_some(()))?;
        if kind.is_some() {
            can_strike_notices(behaviour)?;
        }
        Ok(Self {
            model: text(entry, "model")?,
            is_at_notices: kind.is_some(),
            method: choice(entry, "method", &METHODS.join(", "), known)?,
            path: text(entry, "path")?,
        })
    }

    fn show(&self, shown: &mut Map<String, Value>) {
        shown.insert("model".to_owned(), self.model.clone().into());
        shown.insert("kind".to_owned(), self.is_at_notices.then_some(NOTICE).into());
        shown.insert("method".to_owned(), self.method.into());
        shown.insert("path".to_owned(), self.path.clone().into());
    }
}

fn text(entry: &Value, name: &str) -> Result<Option<String>, String> {
    match entry.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("next.{name} must be a text")),
    }
}
