//! What tells one request from another under the same idempotency key.
//!
//! A fingerprint is stored, and a stored hash of a card could be reversed by trying them all. So it
//! sees only the last four digits of a card's number and never the CVC: two requests that differ in
//! nothing else are the same.

use serde_json::Value;

/// FNV-1a over the path and the parameters. It is our own because the fingerprint is stored and the
/// standard hasher may change.
#[must_use]
pub fn fingerprint(path: &str, body: &Value) -> u64 {
    let mut text = path.to_owned();
    canonical(body, &mut text);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The parameters as text, members in order of name, the card reduced.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (name, inner) in members {
                text.push_str(&Value::from(name.as_str()).to_string());
                match (name.as_str(), inner) {
                    ("cvc", _) => {}
                    ("number", Value::String(number)) => text.push_str(last_four(number)),
                    (_, other) => canonical(other, text),
                }
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for inner in values {
                canonical(inner, text);
            }
            text.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            text.push_str(&value.to_string());
            text.push(',');
        }
    }
}

fn last_four(number: &str) -> &str {
    let start = number.floor_char_boundary(number.len().saturating_sub(4));
    number.get(start..).unwrap_or_default()
}
