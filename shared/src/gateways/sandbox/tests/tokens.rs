//! What the sandbox's token service is asked, and what its answers mean.

use std::fmt;

use serde_json::{Value, json};

use super::{ALL, KEY, REFERENCE, answer, body, of_reference, said};
use crate::bank::{AccountNumber, BankAccount, BankType};
use crate::card::{Pan, Secret};
use crate::gateways::sandbox::KEYED;
use crate::gateways::{TokenExchange, TokenIntent};
use crate::method::Details;
use crate::payment::asked::Address;
use crate::payment::tests::fixtures::{card_of, gateway, raw_card, stored_method, unnamed};
use crate::payment::{Answer, Decline, Instrument, Outcome};
use crate::ports::{HttpRequest, HttpResponse, Method};

const TOKEN: &str = "tok_of_the_gateway";

fn exchange() -> TokenExchange {
    KEYED.tokenize.expect("it keeps methods")
}

fn intent<'a>(instrument: &'a Instrument, details: &'a Details) -> TokenIntent<'a> {
    TokenIntent {
        reference: REFERENCE.to_owned(),
        key: KEY.to_owned(),
        instrument,
        details,
        duplicate: false,
        prepared: None,
    }
}

fn bank(bank_type: BankType, code: Option<&str>, number: &str, holder: Option<&str>) -> Instrument {
    let account = BankAccount {
        number: AccountNumber::parse(number).expect("an account number"),
        bank_type,
        bank_code: code.map(str::to_owned),
        account_type: None,
        holder: holder.map(str::to_owned),
        holder_type: None,
        entry_class: None,
        mandate: None,
    };
    Instrument::Bank { account: Box::new(account), address: Address::default() }
}

fn check_sent(instrument: &Instrument, details: &Details, more: &Value) {
    let mut expected = json!({"reference": REFERENCE});
    for (name, value) in more.as_object().expect("an object") {
        expected[name] = value.clone();
    }
    for adapter in ALL {
        for duplicate in [false, true] {
            let intent = TokenIntent { duplicate, ..intent(instrument, details) };
            let request = (adapter.tokenize.expect("it keeps methods").encode)(&intent, &unnamed(&gateway(adapter)));
            assert_eq!((request.method, request.url.as_str()), (Method::Post, "https://gateway.test/tokens"));
            let headers = [("content-type", "application/json".to_owned()), ("idempotency-key", KEY.to_owned())];
            assert_eq!(request.headers, headers);
            assert_eq!(body(&request), expected, "the same whether it was asked before or not");
        }
    }
}

#[test]
fn a_card_goes_to_the_token_service_with_what_it_needs() {
    let none = Details::default();
    let whole = json!({"card": {
        "number": "4242424242424242", "expiryMonth": 12, "expiryYear": 2030, "cvc": "123", "holder": "Carol Smith",
    }});
    check_sent(&raw_card(), &none, &whole);
    let saved = Details { saved_by_merchant: true, ..Details::default() };
    check_sent(&raw_card(), &saved, &json!({"card": whole["card"], "savedByMerchant": true}));

    let mut bare = card_of("4242424242424242", "", Address::default());
    if let Instrument::Card { card, .. } = &mut bare {
        card.holder = None;
    }
    check_sent(&bare, &none, &json!({"card": {"number": "4242424242424242", "expiryMonth": 12, "expiryYear": 2030}}));
}

#[test]
fn a_bank_account_goes_to_the_token_service_with_what_it_needs() {
    let none = Details::default();
    for bank_type in BankType::ALL {
        let whole = bank(*bank_type, Some("110000000"), "000123456789", Some("Carol Smith"));
        let account = json!({
            "number": "000123456789", "bankCode": "110000000", "type": bank_type.literal(), "holder": "Carol Smith",
        });
        check_sent(&whole, &none, &json!({"bankAccount": account}));
    }
    let bare = bank(BankType::SepaDebit, None, "DE89370400440532013000", None);
    let account = json!({"number": "DE89370400440532013000", "type": "SepaDebit"});
    let saved = Details { saved_by_merchant: true, ..Details::default() };
    check_sent(&bare, &saved, &json!({"bankAccount": account, "savedByMerchant": true}));
}

fn decoded(duplicate: bool, status: u16, body: &str) -> (Outcome, Option<String>) {
    let (instrument, details) = (stored_method(), Details::default());
    let intent = TokenIntent { duplicate, ..intent(&instrument, &details) };
    let (outcome, token) = (exchange().decode)(&intent, &HttpResponse { status, body: body.as_bytes().to_vec() });
    (outcome, token.map(|token| token.reveal().to_owned()))
}

/// With the token in it.
fn with_token(answer: &str) -> String {
    let mut answer: Value = serde_json::from_str(answer).expect("JSON");
    answer["token"] = json!(TOKEN);
    answer.to_string()
}

#[test]
fn an_answer_means_what_the_table_says() {
    let error = r#"{"code":"bad_request","message":"no such card"}"#;
    let text = |text: &str| Some(text.to_owned());
    let refused = || Answer { code: text("bad_request"), description: text("no such card"), ..Answer::default() };
    let approved = with_token(&answer("approved", "00"));
    let half = &approved[..approved.len() / 2];
    let declined = |decline, code| Outcome::Declined(decline, said(code));
    let invalid = || Outcome::Declined(Decline::InvalidData, refused());
    let elsewhere = with_token(&of_reference("03O000000000002", "approved", "00"));
    let rows = [
        (200, approved.as_str(), Outcome::Approved(said("00")), text(TOKEN)),
        (200, &answer("approved", "00"), Outcome::Approved(said("00")), None),
        (200, &answer("declined", "05"), declined(Decline::Soft, "05"), None),
        (200, &answer("declined", "43"), declined(Decline::Permanent, "43"), None),
        (200, &answer("declined", "59"), declined(Decline::RequiresReview, "59"), None),
        (200, &answer("declined", "14"), declined(Decline::InvalidData, "14"), None),
        (200, &answer("accepted", "09"), Outcome::Accepted(said("09")), None),
        (200, &answer("perhaps", "00"), Outcome::Unknown, None),
        (200, &elsewhere, Outcome::Unknown, None),
        (200, half, Outcome::Unknown, None),
        (200, &format!(r#"{{"token":"{TOKEN}"}}"#), Outcome::Unknown, None),
        (200, &approved.replace(&format!("{TOKEN:?}"), "7"), Outcome::Unknown, None),
        (200, "", Outcome::Unknown, None),
        (201, &approved, Outcome::Unknown, None),
        (400, error, invalid(), None),
        (404, error, invalid(), None),
        (400, "<html>", Outcome::Unknown, None),
        (401, error, Outcome::Unknown, None),
        (409, error, Outcome::Unknown, None),
        (422, error, Outcome::Unknown, None),
        (429, "", Outcome::NotSent, None),
        (500, error, Outcome::Unknown, None),
        (503, &approved, Outcome::Unknown, None),
    ];
    for (status, body, outcome, token) in rows {
        for is_duplicate in [false, true] {
            let expected = (outcome.clone(), token.clone());
            assert_eq!(decoded(is_duplicate, status, body), expected, "{status} {body}, again: {is_duplicate}");
        }
    }
}

/// What can be printed has two of these, so that nobody can tell which one is meant: to name one does not compile then.
trait Printed<Whether> {
    const CANNOT_BE_PRINTED: bool = true;
}
struct AsText;
struct AsCode;
impl<T: ?Sized> Printed<()> for T {}
impl<T: ?Sized + fmt::Display> Printed<AsText> for T {}
impl<T: ?Sized + fmt::Debug> Printed<AsCode> for T {}

#[test]
fn neither_what_is_asked_nor_what_is_answered_prints_a_secret() {
    let silent = [
        <TokenIntent<'_> as Printed<_>>::CANNOT_BE_PRINTED,
        <Instrument as Printed<_>>::CANNOT_BE_PRINTED,
        <HttpRequest as Printed<_>>::CANNOT_BE_PRINTED,
        <BankAccount as Printed<_>>::CANNOT_BE_PRINTED,
        <crate::vault::Asking as Printed<_>>::CANNOT_BE_PRINTED,
    ];
    assert_eq!(silent, [true; 5]);

    let (instrument, details) = (raw_card(), Details::default());
    let body = with_token(&answer("approved", "00"));
    let response = HttpResponse { status: 200, body: body.clone().into_bytes() };
    let decoded = (exchange().decode)(&intent(&instrument, &details), &response);
    let number = Pan::parse("4242424242424242").expect("a card number");
    let account = AccountNumber::parse("DE89370400440532013000").expect("an account number");
    let printed = format!("{response:?} {decoded:?} {number:?} {account:?} {:?}", Secret::new(TOKEN.to_owned()));
    assert!(printed.starts_with(&format!("HttpResponse(200, {} bytes)", body.len())), "{printed}");
    for secret in [TOKEN, "4242424242424242", "DE89370400440532013000"] {
        assert!(!printed.contains(secret), "{secret} is printed: {printed}");
    }
}
