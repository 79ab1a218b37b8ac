//! What Stripe's codec says and understands, to the letter.

mod answers;
mod notices;
mod requests;
mod setup;
mod tokens;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{CREDENTIAL, STRIPE};
use crate::card::Secret;
use crate::gateways::{Account, Credential, Intent};
use crate::merchant::Gateway;
use crate::payment::asked::Details;
use crate::payment::tests::fixtures::{START, cents, gateway, known};
use crate::payment::{Instrument, Kind};
use crate::ports::{HttpRequest, HttpResponse};

const REFERENCE: &str = "0Xc000000000001AAA";
const KEY: &str = "00112233445566778899aabbccddeeff";
const SECRET_KEY: &str = "sk_test_51Secret";

fn credential(more: &[(&str, &str)]) -> Credential {
    let members = [("secretKey", SECRET_KEY)].into_iter().chain(more.iter().copied());
    let members = members.map(|(name, text)| (name.to_owned(), Secret::new(text.to_owned()))).collect();
    Credential::of(members, CREDENTIAL).expect("a credential")
}

fn account<'a>(gateway: &'a Gateway, credential: &'a Credential) -> Account<'a> {
    Account { gateway, credential, now: START, nonce: 1 }
}

fn stripe() -> Gateway {
    gateway(&STRIPE)
}

fn intent<'a>(kind: &'a Kind, instrument: Option<&'a Instrument>, details: &'a Details) -> Intent<'a> {
    Intent {
        kind,
        reference: REFERENCE.to_owned(),
        key: KEY.to_owned(),
        amount: cents(12_050),
        target: kind.target().map(|_| known("pi_1")),
        opening: None,
        known: None,
        requested_at: START,
        instrument,
        details,
        duplicate: false,
    }
}

fn more(members: &[(&str, &str)]) -> BTreeMap<String, String> {
    members.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

/// The fields of a form, as they are meant.
fn fields(request: &HttpRequest) -> Vec<(String, String)> {
    let body = String::from_utf8(request.body.to_vec()).expect("text");
    body.split('&')
        .filter(|field| !field.is_empty())
        .map(|field| field.split_once('=').expect("a field"))
        .map(|(name, value)| (plain(name), plain(value)))
        .collect()
}

fn plain(escaped: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = escaped.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let pair = [rest.next().expect("a digit"), rest.next().expect("a digit")];
                let pair = String::from_utf8(pair.to_vec()).expect("digits");
                bytes.push(u8::from_str_radix(&pair, 16).expect("hexadecimal digits"));
            }
            _ => {
                assert!(byte.is_ascii_alphanumeric() || b"-._~".contains(&byte), "{byte} is not escaped");
                bytes.push(byte);
            }
        }
    }
    String::from_utf8(bytes).expect("text")
}

fn response(status: u16, body: &Value) -> HttpResponse {
    HttpResponse { status, body: body.to_string().into_bytes() }
}

/// An intent of ours as Stripe shows it, in this state and with these members besides.
fn shown(status: &str, members: &Value) -> Value {
    let mut body = json!({
        "id": "pi_1", "object": "payment_intent", "amount": 12_050, "currency": "usd", "status": status,
        "amount_capturable": 0, "amount_received": 0, "capture_method": "manual", "created": 1_790_000_000,
        "client_secret": "pi_1_secret_x", "metadata": {"reference": REFERENCE}, "latest_charge": "ch_1",
        "next_action": null, "last_payment_error": null, "cancellation_reason": null,
    });
    for (name, value) in members.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

fn shown_refund(status: &str, members: &Value) -> Value {
    let mut body = json!({
        "id": "re_1", "object": "refund", "amount": 12_050, "currency": "usd", "status": status,
        "payment_intent": "pi_1", "charge": "ch_1", "created": 1_790_000_000, "metadata": {"reference": REFERENCE},
    });
    for (name, value) in members.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

/// A card that a customer is to keep, likewise.
fn shown_setup(status: &str, members: &Value) -> Value {
    let mut body = json!({
        "id": "seti_1", "object": "setup_intent", "status": status, "usage": "off_session", "customer": "cus_7",
        "payment_method": "pm_1", "created": 1_790_000_000, "client_secret": "seti_1_secret_x",
        "metadata": {"reference": REFERENCE}, "next_action": null, "last_setup_error": null, "cancellation_reason": null,
    });
    for (name, value) in members.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

/// Bodies that nobody can read as what they should be.
fn unreadable(whole: &Value) -> Vec<Vec<u8>> {
    let whole = whole.to_string().into_bytes();
    let cut = (0..whole.len()).map(|length| whole[..length].to_vec());
    let others = ["", "<html>", "[]", "null", "{}", "0", "\"\"", "\u{0}"].map(|text| text.as_bytes().to_vec());
    let deep = ["[", "{\"a\":", "{\"error\":", "{\"latest_charge\":"].map(|text| text.repeat(2_000).into_bytes());
    let long = [vec![b' '; 300_000], vec![0xff; 300_000]];
    cut.chain(others).chain(deep).chain(long).collect()
}
