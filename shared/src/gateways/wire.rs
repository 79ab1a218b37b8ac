//! What the codecs of all gateways have in common: bodies, headers, and amounts in a gateway's own exponents.

use data_encoding::BASE64;
use serde::Serialize;
use zeroize::Zeroizing;

use super::Account;
use crate::money::Money;
use crate::ports::{HttpRequest, Method};

/// Longer than any body of ours: a buffer that grows leaves copies behind that nobody wipes.
const BODY: usize = 16 * 1024;

/// Headers of a request, beside that of its content.
pub type Headers = Vec<(&'static str, String)>;

/// A body of JSON, posted to a path of the account's gateway.
pub fn post_json(account: &Account<'_>, path: &str, headers: Headers, body: &impl Serialize) -> HttpRequest {
    post(account, path, headers, "application/json", json(body))
}

/// JSON in a buffer that is wiped.
pub fn json(body: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(BODY));
    // Our own shapes of texts and numbers always serialise, and memory takes them.
    let written = serde_json::to_writer(&mut *bytes, body);
    debug_assert!(written.is_ok());
    bytes
}

/// A body of named fields, posted to a path of the account's gateway.
pub fn post_form(account: &Account<'_>, path: &str, headers: Headers, form: Form) -> HttpRequest {
    post(account, path, headers, "application/x-www-form-urlencoded", form.0)
}

/// A question, which changes nothing.
pub fn get(account: &Account<'_>, path: &str, headers: Headers) -> HttpRequest {
    let url = format!("{}/{path}", account.gateway.base_url);
    HttpRequest { method: Method::Get, url, headers, body: Zeroizing::default() }
}

fn post(
    account: &Account<'_>,
    path: &str,
    mut headers: Headers,
    content: &str,
    body: Zeroizing<Vec<u8>>,
) -> HttpRequest {
    headers.insert(0, ("content-type", content.to_owned()));
    HttpRequest { method: Method::Post, url: format!("{}/{path}", account.gateway.base_url), headers, body }
}

/// `Authorization` of who has a key and no password.
pub fn basic(key: &str) -> (&'static str, String) {
    let text = Zeroizing::new(format!("{key}:"));
    ("authorization", format!("Basic {}", BASE64.encode(text.as_bytes())))
}

/// `Authorization` of who bears a token.
pub fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

/// Fields of a form, as they are sent: `name=value&…`, each character escaped that is not plain.
pub struct Form(Zeroizing<Vec<u8>>);

impl Default for Form {
    fn default() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(BODY)))
    }
}

impl Form {
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push(b'&');
        }
        escape_into(&mut self.0, name);
        self.0.push(b'=');
        escape_into(&mut self.0, value);
        self
    }

    #[must_use]
    pub fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

/// A text as a segment of a path, or as a value of a query.
pub fn escaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    escape_into(&mut bytes, text);
    String::from_utf8(bytes).unwrap_or_default()
}

/// By RFC 3986: what is unreserved stays.
fn escape_into(bytes: &mut Vec<u8>, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            bytes.push(byte);
        } else {
            let digit = |bits: u8| DIGITS.get(usize::from(bits)).copied().unwrap_or(b'0');
            bytes.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

/// An amount in the units of a gateway that counts this currency with so many decimals; none where that is not exact.
pub fn in_units(amount: Money, decimals: u32) -> Option<i64> {
    let (ours, theirs) = (amount.currency.exponent(), decimals);
    if theirs >= ours {
        return amount.minor.checked_mul(10_i64.checked_pow(theirs.saturating_sub(ours))?);
    }
    let unit = 10_i64.checked_pow(ours.saturating_sub(theirs))?;
    let whole = amount.minor.checked_div(unit)?;
    (whole.checked_mul(unit) == Some(amount.minor)).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn a_form_is_escaped_as_browsers_do_and_by_no_other_rule() {
        let form =
            Form::default().with("metadata[a b]", "日本 & more").with_some("x", None).with_some("y", Some("~-._"));
        let expected = "metadata%5Ba%20b%5D=%E6%97%A5%E6%9C%AC%20%26%20more&y=~-._";
        assert_eq!(String::from_utf8_lossy(&form.0), expected);
        assert_eq!(escaped("a/b?c=d#e\0"), "a%2Fb%3Fc%3Dd%23e%00");
    }

    #[test]
    fn amounts_change_their_units_exactly_or_not_at_all() {
        let money = |minor, code| Money::new(minor, Currency::parse(code).expect("a currency"));
        let rows = [
            (money(1_299, "USD"), 2, Some(1_299)),
            (money(500, "JPY"), 0, Some(500)),
            (money(500, "JPY"), 2, Some(50_000)),
            (money(12_300, "ISK"), 2, Some(1_230_000)),
            (money(1_500, "BHD"), 2, Some(150)),
            (money(1_501, "BHD"), 2, None),
            (money(i64::MAX, "JPY"), 2, None),
            (money(100, "USD"), 0, Some(1)),
            (money(101, "USD"), 0, None),
        ];
        for (amount, decimals, expected) in rows {
            assert_eq!(in_units(amount, decimals), expected, "{amount} in {decimals}");
        }
    }

    #[test]
    fn a_key_without_a_password_is_a_user() {
        assert_eq!(basic("sk_1"), ("authorization", "Basic c2tfMTo=".to_owned()));
    }
}
