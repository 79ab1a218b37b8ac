//! What tells one request from another under the same idempotency key.
//!
//! A fingerprint is stored, and a stored hash of a card could be reversed by trying them all. So it
//! sees only the last four characters of the number of a card or a bank account and never the CVC: two
//! requests that differ in nothing else are the same.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

/// FNV-1a over the path and the parameters. It is our own because the fingerprint is stored and the
/// standard hasher may change.
#[must_use]
pub fn fingerprint(path: &str, body: &Value) -> u64 {
    let mut hash = Hash(0xcbf2_9ce4_8422_2325);
    hash.text(path);
    hash.parameters(body);
    hash.0
}

struct Hash(u64);

impl Hash {
    /// The parameters as JSON, members in order of name, numbers of cards and accounts reduced.
    fn parameters(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                let mut members: Vec<(&String, &Value)> = members.iter().collect();
                members.sort_by_key(|(name, _)| *name);
                self.text("{");
                for (name, inner) in members {
                    self.json(name);
                    match (name.as_str(), inner) {
                        ("cvc", _) => {}
                        ("number", Value::String(number)) => self.text(last_four(number)),
                        (_, other) => self.parameters(other),
                    }
                }
                self.text("}");
            }
            Value::Array(values) => {
                self.text("[");
                for inner in values {
                    self.parameters(inner);
                }
                self.text("]");
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.json(value);
                self.text(",");
            }
        }
    }

    fn json(&mut self, value: &impl Serialize) {
        let written = serde_json::to_writer(self, value);
        debug_assert!(written.is_ok(), "a hash takes everything");
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let mixed = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        self.0 = bytes.iter().fold(self.0, mixed);
    }
}

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn last_four(number: &str) -> &str {
    let start = number.floor_char_boundary(number.len().saturating_sub(4));
    number.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Ledgers hold fingerprints: every version must make the same.
    #[test]
    fn a_fingerprint_never_changes() {
        let body = json!({
            "card": {"number": "4242424242424242", "cvc": "123", "expiryMonth": 3, "holder": "A \"B\" \n 長"},
            "amount": 12_050,
            "final": true,
            "reason": null,
            "list": [1, [], {}, "x"],
        });
        let account = json!({
            "bankAccount": {"number": "DE0012345", "bankCode": "021000021", "type": "Checking", "holder": "A B"},
            "savedByMerchant": true,
        });
        let rows = [
            (fingerprint("/keyed/tokens", &account), 0x7e34_bbad_5ab5_0c3b),
            (fingerprint("/keyed/sales", &body), 0x2115_4d39_a40c_7908),
            (fingerprint("/keyed/authorizations", &body), 0x8ddc_4104_77a7_5b00),
            (fingerprint("", &json!({})), 0x08f4_4b07_b590_1a25),
        ];
        for (made, pinned) in rows {
            assert_eq!(made, pinned);
        }
    }
}
