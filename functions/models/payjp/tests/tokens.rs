//! Keeping a card, and paying with what is kept.

use kessai_shared::card::{Card, Cvv, Expiry, Pan, Secret};
use kessai_shared::gateways::payjp::PAYJP;
use kessai_shared::payment::asked::Address;
use kessai_shared::payment::{Decline, Instrument, Kind, Outcome};

use super::{Shop, mailed, stored, token_intent};

fn card(number: &str) -> Instrument {
    let card = Card {
        number: Pan::parse(number).expect("a card number"),
        expiry: Expiry { month: 12, year: 2030 },
        cvv: Cvv::parse("123"),
        holder: Some("Carol Smith".to_owned()),
        card_type: None,
    };
    Instrument::Card { card: Box::new(card), address: Address::default() }
}

/// Prepares and asks, as the shell does.
fn kept(shop: &mut Shop, number: &str, is_duplicate: bool) -> (Outcome, Option<String>) {
    let (instrument, details) = (card(number), mailed());
    let mut intent = token_intent(&instrument, &details);
    intent.duplicate = is_duplicate;
    let exchange = PAYJP.tokenize.expect("it keeps methods");
    assert_eq!((exchange.admits)(&intent, &shop.account()), Ok(()));
    let preparation = exchange.prepare.expect("something comes first");
    let request = (preparation.encode)(&intent, &shop.account()).expect("there is something to do");
    let answer = shop.ask(&request);
    match (preparation.decode)(&intent, &answer) {
        Ok(made) => intent.prepared = Some(made),
        Err(outcome) => return (outcome, None),
    }
    let request = (exchange.encode)(&intent, &shop.account());
    let answer = shop.ask(&request);
    let (outcome, token) = (exchange.decode)(&intent, &answer);
    (outcome, token.as_ref().map(Secret::reveal).map(str::to_owned))
}

#[test]
fn a_card_is_kept_and_charged_however_often_it_was_asked_for() {
    let mut shop = Shop::bare(&[("secretKey", "sk_test_1")]);
    let (outcome, token) = kept(&mut shop, super::CARD, false);
    assert_eq!(outcome.name(), "approved");
    let token = token.expect("a token");
    assert_eq!(kept(&mut shop, super::CARD, true).1.as_ref(), Some(&token), "under its key it is the same");
    shop.wait(2 * 24 * 60 * 60 * 1_000);
    let (outcome, again) = kept(&mut shop, super::CARD, true);
    assert_eq!((outcome.name(), again.as_deref()), ("approved", Some("03OKsJpvrFJpBxD/")), "its key is forgotten");
    for token in [token, again.unwrap_or_default()] {
        shop.instrument = stored(&token);
        shop.approved(&Kind::Sale, 1_200, None);
    }
    assert_eq!(shop.ledger().len(), 2);
}

#[test]
fn a_card_that_is_declined_at_once_is_not_kept_and_another_is_declined_later() {
    let mut shop = Shop::bare(&[("secretKey", "sk_test_1")]);
    assert!(matches!(kept(&mut shop, "4000000000000002", false), (Outcome::Declined(Decline::Soft, _), None)));
    let mut shop = Shop::bare(&[("secretKey", "sk_test_1")]);
    let (_, token) = kept(&mut shop, "4000000000080319", false);
    shop.instrument = stored(&token.expect("a token"));
    assert!(matches!(shop.act(&Kind::Sale, 1_200, None), Outcome::Declined(Decline::Soft, _)));
}

#[test]
fn a_check_finds_what_is_offered() {
    let check = PAYJP.check.expect("it can be checked");
    let mut shop = Shop::new();
    let request = (check.encode)(&shop.account());
    let answer = shop.ask(&request);
    let offers = (check.decode)(&answer).expect("it works");
    let names: Vec<_> = offers.iter().map(|offer| offer.name.as_str()).collect();
    assert_eq!(names, ["card", "paypay"]);
}
