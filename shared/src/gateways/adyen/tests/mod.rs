//! What Adyen's codecs say and understand, to the letter.

mod answers;
mod notices;
mod requests;
mod schemas;
mod tokens;

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{CHECKOUT, CLASSIC};
use crate::card::Secret;
use crate::gateways::{Account, Adapter, Credential, Intent, Known};
use crate::ids::{Ordinal, PaymentId, Record};
use crate::merchant::Gateway;
use crate::payment::asked::{Address, Details};
use crate::payment::tests::fixtures::{START, card_of, cents, gateway, known, place};
use crate::payment::{Answer, Instrument, Kind};
use crate::ports::{HttpRequest, HttpResponse};

const KEY: &str = "00112233445566778899aabbccddeeff";
const API_KEY: &str = "AQEyhmfxLI3MaBFLw0m";
const PSP: &str = "8536214160615591";
const BOTH: [&Adapter; 2] = [&CHECKOUT, &CLASSIC];

fn read(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(path);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

fn fixture(name: &str) -> Value {
    read(&format!("fixtures/adyen/{name}.json"))
}

fn record(kind: &Kind) -> String {
    let index = usize::from(kind.target().is_some());
    kind.record().id(PaymentId::from_bits(7), place(index)).to_string()
}

fn kinds() -> [Kind; 5] {
    [
        Kind::Authorize,
        Kind::Sale,
        Kind::Capture { authorization: Ordinal::FIRST, is_final: false },
        Kind::Reverse { authorization: Ordinal::FIRST },
        Kind::Refund { payment: Ordinal::FIRST, reason: None },
    ]
}

fn card() -> Instrument {
    card_of("4242424242424242", "123", Address::default())
}

/// An intent as the shell would have it: what acts on a payment knows it.
fn intent<'a>(kind: &'a Kind, instrument: &'a Instrument, details: &'a Details) -> Intent<'a> {
    Intent {
        kind,
        reference: record(kind),
        key: KEY.to_owned(),
        amount: cents(12_050),
        target: kind.target().map(|_| Known { amount: cents(12_050), ..known("capture") }),
        opening: kind.target().map(|_| known(PSP)),
        known: None,
        instrument: kind.target().is_none().then_some(instrument),
        details,
        requested_at: START,
        duplicate: false,
    }
}

fn details(members: &[(&str, &str)]) -> Details {
    let text = |text: &&str| (*text).to_owned();
    Details {
        additional_data: members.iter().map(|(name, said)| (text(name), text(said))).collect(),
        ..Details::default()
    }
}

fn credential(adapter: &Adapter, more: &[(&str, &str)]) -> Credential {
    let members = [("apiKey", API_KEY), ("merchantAccount", "KessaiCOM")].into_iter().chain(more.iter().copied());
    let members = members.map(|(name, text)| (name.to_owned(), Secret::new(text.to_owned()))).collect();
    Credential::of(members, adapter.credential).expect("a credential")
}

fn account<'a>(gateway: &'a Gateway, credential: &'a Credential) -> Account<'a> {
    Account { gateway, credential, now: START, nonce: 1 }
}

/// What is sent by an account whose credential has these members too.
fn sent(adapter: &Adapter, intent: &Intent<'_>, more: &[(&str, &str)]) -> HttpRequest {
    let (gateway, credential) = (gateway(adapter), credential(adapter, more));
    (adapter.send.encode)(intent, &account(&gateway, &credential))
}

fn body(request: &HttpRequest) -> Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

fn response(status: u16, body: &str) -> HttpResponse {
    HttpResponse { status, body: body.as_bytes().to_vec() }
}

fn said(reference: &str, code: &str) -> Answer {
    let text = |text: &str| Some(text.to_owned());
    Answer { reference: text(reference), code: text(code), ..Answer::default() }
}

/// What no gateway says: an answer that came in pieces, or from somebody else.
fn unreadable(whole: &str) -> impl Iterator<Item = String> {
    let strange = ["", "<html>busy</html>", "[]", "null", "{}", "7", "\"Authorised\"", "{\"resultCode\":7}"];
    let deep = ["[".repeat(10_000), "{\"resultCode\":".repeat(10_000)];
    let long = format!("{{\"pspReference\":\"{}\"}}", "x".repeat(300_000));
    let cut = (0..whole.len()).filter_map(|end| whole.get(..end)).map(str::to_owned);
    strange.into_iter().map(str::to_owned).chain(deep).chain([long]).chain(cut.collect::<Vec<_>>())
}

#[test]
fn an_account_is_known_by_what_its_table_says() {
    let of = |members: &[(&str, &str)]| {
        let secret = |(name, text): &(&str, &str)| ((*name).to_owned(), Secret::new((*text).to_owned()));
        let credential = Credential::of(members.iter().map(secret).collect(), CHECKOUT.credential);
        credential.err().map(|misfit| misfit.member)
    };
    let (key, merchant) = (("apiKey", API_KEY), ("merchantAccount", "KessaiCOM"));
    type Row<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);
    let rows: [Row<'_>; 6] = [
        (&[key, merchant], None),
        (&[key, merchant, ("returnUrl", "https://shop.test/back")], None),
        (&[merchant], Some("apiKey")),
        (&[("apiKey", "short"), merchant], Some("apiKey")),
        (&[key, ("merchantAccount", "a b")], Some("merchantAccount")),
        (&[key, merchant, ("returnUrl", "shop.test")], Some("returnUrl")),
    ];
    for (members, misfit) in rows {
        assert_eq!(of(members).as_deref(), misfit, "{members:?}");
    }
}

#[test]
fn records_of_a_payment_have_their_own_references() {
    let all: Vec<String> = kinds().iter().map(record).collect();
    assert!(all.iter().all(|one| one.len() == 18), "{all:?}");
    assert!(Record::Payment.locate(&all[1]).is_some_and(|(_, place)| place == Ordinal::FIRST));
}
