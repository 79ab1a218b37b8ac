//! The page at `/` that tells a newcomer what there is.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::catalog::{Line, line};
use super::{Answer, Model};
use crate::sandbox::{Behaviour, TABLE};

const ROUTES: [&str; 7] = [
    "/{model}/… as its gateway has it",
    "GET /ledger?model=M&reference=R",
    "GET /faults",
    "POST /faults",
    "DELETE /faults",
    "GET /",
    "faults are {\"next\":[{\"fault\",\"model\"?,\"method\"?,\"path\"?,\"kind\"?,\"delayMs\"?,\"times\"?}]}; a fault of the kind notice strikes what is sent unasked",
];

/// Of models that are served at this URL.
pub fn description<'a>(models: impl Iterator<Item = &'a dyn Model>, url: &str) -> Answer {
    let models: Vec<Value> = models.map(|model| described(model.name(), url)).collect();
    let (faults, amounts): (Vec<_>, Vec<_>) =
        TABLE.iter().filter(|row| row.code > 0).partition(|row| matches!(row.behaviour, Behaviour::Fault(_)));
    let faults: BTreeMap<&str, &str> = faults.into_iter().map(|row| (row.name, row.meaning)).collect();
    let amounts: BTreeMap<String, &str> = amounts.into_iter().map(|row| (row.code.to_string(), row.meaning)).collect();
    Answer::ok(&json!({
        "name": "Kessai's models of payment gateways",
        "models": models,
        "routes": ROUTES,
        "faults": faults,
        "amounts": "an amount is magic when its last four digits, in minor units, are a code; a gateway's own test cards go first",
        "magic": amounts,
    }))
}

fn described(name: &str, url: &str) -> Value {
    let base_urls = |line: &Line| -> BTreeMap<&str, String> {
        line.gateways.iter().map(|(adapter, path)| (*adapter, format!("{url}/{name}{path}"))).collect()
    };
    let credential = |line: &Line| -> BTreeMap<&str, &str> { line.credential.iter().copied().collect() };
    json!({ "name": name, "url": format!("{url}/{name}"), "baseUrls": line(name).map(base_urls), "credential": line(name).map(credential) })
}
