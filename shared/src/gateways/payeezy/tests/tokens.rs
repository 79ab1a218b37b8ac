//! What Payeezy's token service is asked, and what its answers mean.

use serde_json::{Value, json};

use super::{ADAPTER, TOKEN, account, body, credential, recorded, response, stored, text};
use crate::gateways::{TokenExchange, TokenIntent};
use crate::method::Details;
use crate::payment::asked::Address;
use crate::payment::tests::fixtures::{card_of, gateway, raw_card};
use crate::payment::{Answer, Decline, Instrument, Outcome};
use crate::rejection::Rejection;

fn exchange() -> TokenExchange {
    ADAPTER.tokenize.expect("it keeps methods")
}

fn intent<'a>(instrument: &'a Instrument, details: &'a Details) -> TokenIntent<'a> {
    TokenIntent {
        reference: "03O000000000001".to_owned(),
        key: "00112233445566778899aabbccddeeff".to_owned(),
        instrument,
        details,
        duplicate: false,
        prepared: None,
    }
}

fn card_without(change: impl FnOnce(&mut crate::card::Card)) -> Instrument {
    let mut instrument = raw_card();
    if let Instrument::Card { card, .. } = &mut instrument {
        change(card);
    }
    instrument
}

#[test]
fn a_card_goes_to_the_token_service_whole() {
    let (card, details, gateway) = (raw_card(), Details::default(), gateway(&ADAPTER));
    for (has_ta_token, duplicate) in [(false, false), (false, true), (true, false)] {
        let credential = credential(has_ta_token);
        let account = account(&gateway, &credential);
        let intent = TokenIntent { duplicate, ..intent(&card, &details) };
        assert_eq!((exchange().admits)(&intent, &account), Ok(()));
        let request = (exchange().encode)(&intent, &account);
        let mut expected = json!({
            "type": "FDToken", "auth": "false",
            "credit_card": {
                "type": "Visa", "cardholder_name": "Carol Smith", "card_number": "4242424242424242",
                "exp_date": "1230", "cvv": "123",
            },
        });
        if has_ta_token {
            expected["ta_token"] = json!("NOIW");
        }
        assert_eq!((request.url.as_str(), body(&request)), ("https://gateway.test/transactions/tokens", expected));
        assert!(request.headers.iter().any(|(name, _)| *name == "authorization"));
    }
}

#[test]
fn what_payeezy_does_not_keep_is_refused_before_it_is_asked() {
    let (details, gateway, credential) = (Details::default(), gateway(&ADAPTER), credential(false));
    let rows = [
        (card_without(|card| card.cvv = None), "cardPaymentMethod.cvv"),
        (card_without(|card| card.holder = None), "cardPaymentMethod.cardHolderName"),
        (card_without(|card| card.card_type = Some(crate::card::CardType::Maestro)), "cardPaymentMethod"),
        (stored(TOKEN), "bankPaymentMethod"),
    ];
    for (instrument, expected) in rows {
        let (intent, account) = (intent(&instrument, &details), account(&gateway, &credential));
        let Err(Rejection::NotAtGateway { member, .. }) = (exchange().admits)(&intent, &account) else {
            panic!("{expected} is kept")
        };
        assert_eq!(member, expected);
        assert_eq!((exchange().encode)(&intent, &account).body.first(), Some(&b'{'));
    }
}

fn decoded(duplicate: bool, status: u16, body: &str) -> (Outcome, Option<Value>) {
    let (card, details) = (card_of("4242424242424242", "123", Address::default()), Details::default());
    let intent = TokenIntent { duplicate, ..intent(&card, &details) };
    let (outcome, token) = (exchange().decode)(&intent, &response(status, body));
    assert!(!format!("{outcome:?} {token:?}").contains("2537446225198291"), "a token is printed");
    (outcome, token.map(|token| serde_json::from_str(token.reveal()).expect("JSON")))
}

#[test]
fn an_answer_means_what_the_table_says() {
    let token: Value = serde_json::from_str(TOKEN).expect("JSON");
    let with = |name: &str, value: Value| {
        let mut answer = json!({"status": "success", "correlation_id": "1", "type": "FDToken", "token": token});
        answer[name] = value;
        answer.to_string()
    };
    let made = with("correlation_id", json!("228.1449517682800"));
    let failed = recorded()["failed_store_response"].to_string();
    let invalid = Answer {
        code: text("invalid_card_number"),
        description: text("The credit card number check failed"),
        ..Answer::default()
    };
    let refused = || Outcome::Declined(Decline::InvalidData, invalid.clone());
    let mut elsewhere = token.clone();
    elsewhere["exp_date"] = json!("1131");
    let approved = || Outcome::Approved(Answer::default());
    let denied = r#"{"error":"Access denied"}"#;
    let rows = [
        (201, made.clone(), approved(), Some(token.clone())),
        (200, made.clone(), approved(), Some(token.clone())),
        (400, failed.clone(), refused(), None),
        (201, failed, refused(), None),
        (401, denied.to_owned(), Outcome::NotSent, None),
        (400, made.clone(), Outcome::Unknown, None),
        (500, made.clone(), Outcome::Unknown, None),
        (204, String::new(), Outcome::Unknown, None),
        (201, with("status", json!("pending")), Outcome::Unknown, None),
        (201, with("type", json!("transarmor")), Outcome::Unknown, None),
        (201, with("token", Value::Null), Outcome::Unknown, None),
        (201, with("token", json!({"value": "2537446225198291"})), Outcome::Unknown, None),
        (201, with("token", elsewhere), Outcome::Unknown, None),
        (429, denied.to_owned(), Outcome::Unknown, None),
    ];
    for (status, body, outcome, token) in rows {
        for duplicate in [false, true] {
            assert_eq!(decoded(duplicate, status, &body), (outcome.clone(), token.clone()), "{status} {body}");
        }
    }
    for end in 0..made.len() {
        assert_eq!(decoded(false, 201, &made[..end]), (Outcome::Unknown, None), "{end}");
    }
}
