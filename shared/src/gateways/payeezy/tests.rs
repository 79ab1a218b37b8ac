//! What Payeezy's codec says and understands, to the letter.

mod answers;
mod requests;
mod tokens;

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::ADAPTER;
use crate::card::Secret;
use crate::gateways::{Account, Credential, Intent, Known};
use crate::merchant::Gateway;
use crate::payment::asked::{Details, OnFile};
use crate::payment::tests::fixtures::{START, cents, known, method_id};
use crate::payment::{Instrument, Kind};
use crate::ports::{HttpRequest, HttpResponse};

const REFERENCE: &str = "0Xc000000000001AAA";
const API_SECRET: &str = "secret-of-the-account";
const NONCE: u64 = 6_057_786_719_490_086_000;

/// The names of the operation that is acted on.
const DETAILS: &str = r#"{"transaction_id":"ET176427","method":"credit_card"}"#;

/// A stored token, as it rests.
const TOKEN: &str = r#"{"type":"Visa","value":"2537446225198291","cardholder_name":"Carol Smith","exp_date":"1230"}"#;

fn credential(with_ta_token: bool) -> Credential {
    let members = [("apiKey", "key-of-the-account"), ("apiSecret", API_SECRET), ("token", "fdoa-merchant")];
    let ta_token = with_ta_token.then_some(("taToken", "NOIW"));
    let member = |(name, text): (&str, &str)| (name.to_owned(), Secret::new(text.to_owned()));
    Credential::of(members.into_iter().chain(ta_token).map(member).collect(), ADAPTER.credential).expect("a credential")
}

fn account<'a>(gateway: &'a Gateway, credential: &'a Credential) -> Account<'a> {
    Account { gateway, credential, now: START, nonce: NONCE }
}

fn target(details: &str) -> Known<'_> {
    Known { details: Some(details), ..known("69601874") }
}

fn intent<'a>(kind: &'a Kind, instrument: Option<&'a Instrument>, details: &'a Details) -> Intent<'a> {
    Intent {
        kind,
        reference: REFERENCE.to_owned(),
        key: "00112233445566778899aabbccddeeff".to_owned(),
        amount: cents(12_050),
        target: kind.target().map(|_| target(DETAILS)),
        opening: None,
        known: None,
        instrument,
        details,
        duplicate: false,
    }
}

fn stored(token: &str) -> Instrument {
    Instrument::Stored(OnFile { token: Some(Secret::new(token.to_owned())), ..OnFile::unopened(method_id()) })
}

fn body(request: &HttpRequest) -> Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

/// What Payeezy's sandbox has answered, by its name.
fn recorded() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/payeezy/recorded-responses.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut whole: Value = serde_json::from_str(&text).expect("JSON");
    whole["bodies"].take()
}

fn response(status: u16, body: &str) -> HttpResponse {
    HttpResponse { status, body: body.as_bytes().to_vec() }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}
