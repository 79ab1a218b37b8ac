//! A named customer keeps a card by a SetupIntent: what its payer does on the page, and what is told of it.

use std::collections::BTreeMap;

use kessai_shared::card::Secret;
use kessai_shared::gateways::News;
use kessai_shared::payment::asked::Details;
use kessai_shared::payment::{Decline, Instrument, Kind, Outcome, PayerAction};
use serde_json::Value;

use super::super::super::{Model, Request};
use super::{BASE, START_MS, World, card, good_card, is_approved, refused, stored};

const BACK: &str = "https://shop.test/back";

/// Numbers whose bank wants to see the payer: always, and until that was done.
const ALWAYS: &str = "4000002760003184";
const ONCE: &str = "4000002500003155";

impl World {
    fn customer(&mut self) -> String {
        let (outcome, token) = self.tokenize(&good_card(), None);
        let token = token.unwrap_or_else(|| panic!("{outcome:?}"));
        token.reveal().split_once('/').expect("a customer").0.to_owned()
    }

    /// The page where the payer is to act, and the name of what is kept.
    fn begun(&mut self, instrument: &Instrument) -> (PayerAction, String) {
        let customer = self.customer();
        let (outcome, token) = self.tokenize_with(instrument, &[("customerId", &customer), ("returnUrl", BACK)]);
        assert!(token.is_none(), "it is not kept yet");
        let Outcome::ActionRequired(answer, action) = outcome else { panic!("{outcome:?}") };
        (action, answer.reference.expect("a name"))
    }

    fn visit(&mut self, path: &str) -> (u16, Vec<(&'static str, String)>) {
        let visit = Request { method: "POST".to_owned(), path: path.to_owned(), ..Request::default() };
        let page = self.model.handle(&visit, self.now_ms);
        (page.status, page.headers)
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let headers = BTreeMap::from([("authorization".to_owned(), "Bearer sk_test_1".to_owned())]);
        let (method, path) = (method.to_owned(), path.to_owned());
        let request = Request { method, path, headers, body: body.as_bytes().to_vec(), ..Request::default() };
        let answer = self.model.handle(&request, START_MS);
        (answer.status, serde_json::from_str(&answer.body).expect("JSON"))
    }

    /// What is told of methods, under the name of the one that was asked for last.
    fn told(&mut self) -> Vec<(Outcome, Option<Secret>)> {
        let asked = format!("03O{:012}", self.asked);
        let heard = self.hear().into_iter().filter(|(reference, _)| *reference == asked);
        heard
            .map(|(_, news)| if let News::Token(outcome, token) = news { (outcome, token) } else { panic!("{news:?}") })
            .collect()
    }
}

#[test]
fn a_payer_authenticates_once_and_is_charged_in_absence() {
    for (number, is_approved_later) in [(ONCE, true), (ALWAYS, false)] {
        let mut world = World::new();
        let (action, name) = world.begun(&card(number));
        assert!(world.told().is_empty(), "that the payer is to act is no verdict");
        let page = action.url.strip_prefix(BASE).expect("a page of the model's").to_owned();
        assert_eq!((world.visit(&page).0, world.visit(&format!("{page}/else")).0), (200, 404));
        assert_eq!(world.visit(&format!("{page}/approve")), (303, vec![("location", BACK.to_owned())]));
        assert_eq!(world.visit(&format!("{page}/approve")).0, 404, "once");
        let told = world.told();
        let [(Outcome::Approved(answer), Some(token))] = told.as_slice() else { panic!("{} are told", told.len()) };
        assert_eq!(answer.reference, Some(name));
        let absent = Details { submitted_by_merchant: true, ..Details::default() };
        let method = stored(Secret::new(token.reveal().to_owned()));
        let sale = world.send_with(&Kind::Sale, Some(&method), None, 5_000, &absent);
        assert_eq!(is_approved(&sale), is_approved_later, "{number}: {:?}", sale.outcome);
    }
    // A payment of that card, which nobody has set up, wants its payer.
    let mut world = World::new();
    let sale = world.send(&Kind::Sale, Some(&card(ONCE)), None, 5_000);
    assert_eq!(refused(&sale), Some((Decline::Soft, "authentication_required")));
}

#[test]
fn a_payer_who_refuses_or_has_no_page_keeps_nothing() {
    let mut world = World::new();
    let (action, name) = world.begun(&card(ONCE));
    let page = action.url.strip_prefix(BASE).expect("a page of the model's").to_owned();
    assert_eq!(world.visit(&format!("{page}/decline")).0, 303);
    let told = world.told();
    let [(Outcome::Declined(Decline::Soft, answer), None)] = told.as_slice() else { panic!("{} are told", told.len()) };
    assert_eq!(answer.code.as_deref(), Some("setup_intent_authentication_failure"));
    assert_eq!(answer.reference, Some(name));

    let (_, name) = world.begun(&card(ALWAYS));
    let (status, canceled) =
        world.ask("POST", &format!("/v1/setup_intents/{name}/cancel"), "cancellation_reason=abandoned");
    assert_eq!((status, &canceled["status"]), (200, &Value::from("canceled")));
    let told = world.told();
    let [(Outcome::Declined(Decline::Soft, answer), None)] = told.as_slice() else { panic!("{} are told", told.len()) };
    assert_eq!(answer.code.as_deref(), Some("abandoned"));

    let customer = world.customer();
    let (outcome, token) = world.tokenize(&card(ONCE), Some(&customer));
    let Outcome::Declined(Decline::Soft, answer) = outcome else { panic!("{outcome:?}") };
    assert_eq!((answer.code.as_deref(), token.is_none()), (Some("authentication_required"), true));
}

#[test]
fn a_card_that_needs_nobody_is_kept_or_refused_at_once() {
    let mut world = World::new();
    let customer = world.customer();
    let (outcome, token) = world.tokenize(&good_card(), Some(&customer));
    let token = token.unwrap_or_else(|| panic!("{outcome:?}"));
    let told = world.told();
    let [(Outcome::Approved(_), Some(again))] = told.as_slice() else { panic!("{} are told", told.len()) };
    assert_eq!(again.reveal(), token.reveal(), "told as it was answered");
    let (outcome, token) = world.tokenize(&card("4000000000009979"), Some(&customer));
    assert!(matches!(outcome, Outcome::Declined(Decline::Permanent, _)) && token.is_none(), "{outcome:?}");
    assert!(matches!(world.told().as_slice(), [(Outcome::Declined(Decline::Permanent, _), None)]));
    assert_eq!(world.moved(), []);
}

#[test]
fn what_a_setup_intent_does_not_know_is_refused() {
    let mut world = World::new();
    let customer = world.customer();
    let of_another = world.tokenize(&good_card(), Some(&customer)).1.expect("a token");
    let method = of_another.reveal().split_once('/').expect("a method").1.to_owned();
    let stranger = world.customer();
    let rows = [
        ("colour=red".to_owned(), 400, "parameter_unknown"),
        ("payment_method_data[type]=card".to_owned(), 400, "parameter_unknown"),
        ("usage=never".to_owned(), 400, "parameter_invalid"),
        (format!("return_url={BACK}"), 400, "parameter_invalid"),
        ("confirm=true".to_owned(), 400, "parameter_missing"),
        ("customer=cus_none".to_owned(), 404, "resource_missing"),
        ("payment_method=pm_none".to_owned(), 404, "resource_missing"),
        (format!("payment_method={method}&customer={stranger}"), 400, "setup_intent_invalid_parameter"),
    ];
    for (body, status, code) in rows {
        let (heard, said) = world.ask("POST", "/v1/setup_intents", &body);
        assert_eq!((heard, &said["error"]["code"]), (status, &Value::from(code)), "{body}");
    }
    let (status, made) = world.ask("POST", "/v1/setup_intents", &format!("customer={customer}"));
    assert_eq!((status, &made["status"]), (200, &Value::from("requires_payment_method")));
    let path = format!("/v1/setup_intents/{}", made["id"].as_str().expect("an id"));
    assert_eq!(world.ask("GET", &path, ""), (200, made));
    assert_eq!(world.ask("POST", &format!("{path}/cancel"), "cancellation_reason=bored").0, 400);
    assert_eq!(world.ask("POST", &format!("{path}/cancel"), "").0, 200);
    let (status, said) = world.ask("POST", &format!("{path}/cancel"), "");
    assert_eq!((status, &said["error"]["code"]), (400, &Value::from("setup_intent_unexpected_state")));
    assert_eq!(world.ask("GET", "/v1/setup_intents/seti_none", "").0, 404);
}
