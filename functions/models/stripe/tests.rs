//! The adapter asks, the model answers, and the adapter understands: every operation, every outcome, every notice.

mod setups;

use std::collections::BTreeMap;

use kessai_shared::card::{Card, Cvv, Expiry, Pan, Secret};
use kessai_shared::gateways::stripe::STRIPE;
use kessai_shared::gateways::{Account, Answered, Credential, Intent, Known, News, RawNotice, TokenIntent, Told};
use kessai_shared::ids::{MethodId, Ordinal, PaymentId, Record};
use kessai_shared::merchant::Gateway;
use kessai_shared::money::{Currency, Money};
use kessai_shared::payment::asked::{Address, Details, OnFile};
use kessai_shared::payment::sequel::{Stage, What};
use kessai_shared::payment::{Answer, Decline, Instrument, Kind, Outcome};
use kessai_shared::ports::{HttpRequest, HttpResponse};
use kessai_shared::time::Timestamp;

use super::super::{Act, Model, Request, answered, arriving};
use super::Stripe;

const BASE: &str = "https://api.stripe.com";
const SECRET: &str = "whsec_model";
const START_MS: i64 = 1_790_000_000_000;

/// Stripe, who asks it, and when.
struct World {
    model: Stripe,
    gateway: Gateway,
    credential: Credential,
    now_ms: i64,
    asked: u64,
}

/// An operation that has gone out: our name for it, and what is known of it.
struct Sent {
    reference: String,
    outcome: Outcome,
    amount: Money,
}

impl Sent {
    fn answer(&self) -> &Answer {
        self.outcome.answer().unwrap_or_else(|| panic!("nothing was said: {:?}", self.outcome))
    }

    fn known(&self) -> Known<'_> {
        Known {
            record: Record::Authorization.id(PaymentId::from_bits(7), Ordinal::FIRST),
            reference: self.answer().reference.as_deref().expect("a name"),
            details: None,
            amount: self.amount,
            requested_at: Timestamp::from_millis(START_MS),
        }
    }
}

fn dollars(minor: i64) -> Money {
    Money::new(minor, Currency::parse("USD").expect("a currency"))
}

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

fn good_card() -> Instrument {
    card("4242424242424242")
}

fn stored(token: Secret) -> Instrument {
    let method = MethodId::parse("03O000000000001").expect("a method id");
    Instrument::Stored(OnFile { token: Some(token), ..OnFile::unopened(method) })
}

fn with(members: &[(&str, &str)]) -> Details {
    let additional_data = members.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Details { additional_data, ..Details::default() }
}

const CAPTURE: Kind = Kind::Capture { authorization: Ordinal::FIRST, is_final: true };
const REVERSE: Kind = Kind::Reverse { authorization: Ordinal::FIRST };
const REFUND: Kind = Kind::Refund { payment: Ordinal::FIRST, reason: None };

impl World {
    fn new() -> Self {
        let members = BTreeMap::from([("secretKey".to_owned(), Secret::new("sk_test_model".to_owned()))]);
        let credential = Credential::of(members, STRIPE.credential).expect("a credential");
        Self {
            model: Stripe::new(SECRET),
            gateway: Gateway::at("stripe", BASE),
            credential,
            now_ms: START_MS,
            asked: 0,
        }
    }

    fn account(&self) -> Account<'_> {
        let now = Timestamp::from_millis(self.now_ms);
        Account { gateway: &self.gateway, credential: &self.credential, now, nonce: self.asked }
    }

    fn answer(&mut self, request: &HttpRequest) -> HttpResponse {
        answered(self.model.handle(&arriving(request, BASE), self.now_ms))
    }

    fn send(&mut self, kind: &Kind, instrument: Option<&Instrument>, target: Option<&Sent>, minor: i64) -> Sent {
        self.send_with(kind, instrument, target, minor, &Details::default())
    }

    /// Sends it twice: the second time it is the first.
    fn send_with(
        &mut self,
        kind: &Kind,
        instrument: Option<&Instrument>,
        target: Option<&Sent>,
        minor: i64,
        details: &Details,
    ) -> Sent {
        self.asked += 1;
        let reference = format!("0Xc{:012}", self.asked);
        let intent = |duplicate| Intent {
            kind,
            reference: reference.clone(),
            key: format!("{:032x}", self.asked),
            amount: dollars(minor),
            target: target.map(Sent::known),
            opening: None,
            known: None,
            requested_at: Timestamp::from_millis(START_MS),
            instrument,
            details,
            duplicate,
        };
        let [first, again] = [intent(false), intent(true)];
        assert_eq!((STRIPE.admits)(&first, &self.account()), Ok(()));
        let request = (STRIPE.send.encode)(&first, &self.account());
        let answer = self.answer(&request);
        let outcome = (STRIPE.send.decode)(&first, &answer);
        let effects = self.model.effects(i64::MAX).len();
        let repeated = self.answer(&(STRIPE.send.encode)(&again, &self.account()));
        assert_eq!((repeated.status, &repeated.body), (answer.status, &answer.body), "a key makes it the first one");
        // Wrong data may be found before the key is looked at: said again, that tells nothing of the first request.
        let is_of_data = matches!(outcome, Outcome::Declined(Decline::InvalidData, _));
        let heard_again = (STRIPE.send.decode)(&again, &repeated);
        assert!(heard_again == outcome || is_of_data && heard_again == Outcome::Unknown, "{heard_again:?} {outcome:?}");
        assert_eq!(self.model.effects(i64::MAX).len(), effects, "nothing moves twice");
        Sent { reference, outcome, amount: dollars(minor) }
    }

    fn look_up(&mut self, kind: &Kind, sent: &Sent, target: Option<&Sent>, details: &Details) -> Outcome {
        let (_, exchange) = STRIPE.look_up.expect("it can be asked");
        let intent = Intent {
            kind,
            reference: sent.reference.clone(),
            key: String::new(),
            amount: sent.amount,
            target: target.map(Sent::known),
            opening: None,
            known: Some(sent.known()),
            requested_at: Timestamp::from_millis(START_MS),
            instrument: None,
            details,
            duplicate: true,
        };
        let answer = self.answer(&(exchange.encode)(&intent, &self.account()));
        (exchange.decode)(&intent, &answer)
    }

    /// Everything that is told, in its order, as the adapter reads it at that time; questions are asked.
    fn hear(&mut self) -> Vec<(String, News)> {
        let mut webhooks = self.model.webhooks(self.now_ms);
        webhooks.sort_by_key(|webhook| webhook.at_ms);
        let codec = STRIPE.notice.expect("it tells");
        let mut heard = Vec::new();
        for webhook in webhooks {
            let header =
                |name: &str| webhook.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
            let now = Timestamp::from_millis(webhook.at_ms);
            let raw = RawNotice { body: webhook.body.as_bytes(), header: &header, now };
            for item in (codec.read)(&raw, &[Secret::new(SECRET.to_owned())]).expect("it is signed") {
                let notice = match item.expect("it can be read") {
                    Told::Notice(notice) => notice,
                    Told::Question(question) => {
                        let inquiry = codec.ask.expect("it can be asked");
                        self.now_ms = self.now_ms.max(webhook.at_ms);
                        let answer = self.answer(&(inquiry.encode)(&question, &self.account()));
                        match (inquiry.decode)(&question, &answer) {
                            Answered::Told(notice) => notice,
                            other => panic!("{other:?}"),
                        }
                    }
                };
                heard.push((notice.reference, notice.news));
            }
        }
        heard
    }

    /// The ledger in short.
    fn moved(&self) -> Vec<(Act, String, i64, bool)> {
        let effects = self.model.effects(self.now_ms).into_iter();
        effects.map(|effect| (effect.act, effect.reference, effect.minor, effect.undone)).collect()
    }

    fn tokenize(&mut self, instrument: &Instrument, customer: Option<&str>) -> (Outcome, Option<Secret>) {
        let members: Vec<_> = customer.map(|customer| ("customerId", customer)).into_iter().collect();
        self.tokenize_with(instrument, &members)
    }

    /// Asks for the token twice: the second time it is the first.
    fn tokenize_with(&mut self, instrument: &Instrument, members: &[(&str, &str)]) -> (Outcome, Option<Secret>) {
        self.asked += 1;
        let mut details = kessai_shared::method::Details::default();
        details.sender.additional_data = with(members).additional_data;
        let exchange = STRIPE.tokenize.expect("it keeps cards");
        let mut intent = TokenIntent {
            reference: format!("03O{:012}", self.asked),
            key: format!("{:032x}", self.asked),
            instrument,
            details: &details,
            duplicate: false,
            prepared: None,
        };
        assert_eq!((exchange.admits)(&intent, &self.account()), Ok(()));
        let preparation = exchange.prepare.expect("a method comes first");
        let request = (preparation.encode)(&intent, &self.account()).expect("a request");
        let answer = self.answer(&request);
        match (preparation.decode)(&intent, &answer) {
            Ok(prepared) => intent.prepared = Some(prepared),
            Err(outcome) => return (outcome, None),
        }
        let request = (exchange.encode)(&intent, &self.account());
        let answer = self.answer(&request);
        let again = self.answer(&request);
        assert_eq!((again.status, &again.body), (answer.status, &answer.body), "a key makes it the first one");
        (exchange.decode)(&intent, &answer)
    }
}

fn is_approved(sent: &Sent) -> bool {
    matches!(sent.outcome, Outcome::Approved(_))
}

fn refused(sent: &Sent) -> Option<(Decline, &str)> {
    match &sent.outcome {
        Outcome::Declined(decline, answer) => Some((*decline, answer.code.as_deref().unwrap_or_default())),
        _ => None,
    }
}

#[test]
fn a_hold_is_taken_once_in_part_and_given_back_as_far_as_it_was_taken() {
    let mut world = World::new();
    let hold = world.send(&Kind::Authorize, Some(&good_card()), None, 12_000);
    assert!(is_approved(&hold), "{:?}", hold.outcome);
    let too_much = world.send(&CAPTURE, None, Some(&hold), 12_001);
    assert_eq!(refused(&too_much), Some((Decline::InvalidData, "amount_too_large")));
    let taken = world.send(&CAPTURE, None, Some(&hold), 10_000);
    assert!(is_approved(&taken), "{:?}", taken.outcome);
    let again = world.send(&CAPTURE, None, Some(&hold), 1_000);
    assert_eq!(refused(&again), Some((Decline::InvalidData, "payment_intent_unexpected_state")));
    let released = world.send(&REVERSE, None, Some(&hold), 12_000);
    assert_eq!(refused(&released), Some((Decline::InvalidData, "payment_intent_unexpected_state")));
    let given = world.send(&REFUND, None, Some(&taken), 4_000);
    let rest = world.send(&REFUND, None, Some(&taken), 6_001);
    assert_eq!(refused(&rest), Some((Decline::InvalidData, "amount_too_large")));
    let rest = world.send(&REFUND, None, Some(&taken), 6_000);
    let none = world.send(&REFUND, None, Some(&taken), 1);
    assert_eq!(refused(&none), Some((Decline::InvalidData, "charge_already_refunded")));
    assert!(is_approved(&given) && is_approved(&rest));
    let expected = [
        (Act::Authorize, hold.reference.clone(), 12_000, false),
        (Act::Capture, taken.reference.clone(), 10_000, false),
        (Act::Refund, given.reference.clone(), 4_000, false),
        (Act::Refund, rest.reference.clone(), 6_000, false),
    ];
    assert_eq!(world.moved(), expected);
    let heard = world.hear();
    let names: Vec<&String> = heard.iter().map(|(reference, _)| reference).collect();
    assert_eq!(names, [&hold.reference, &taken.reference, &given.reference, &rest.reference]);
    for ((_, news), sent) in heard.iter().zip([&hold, &taken, &given, &rest]) {
        let News::Outcome(Outcome::Approved(answer)) = news else { panic!("{news:?}") };
        assert_eq!(answer.reference, sent.answer().reference, "told under the name that was answered");
    }
}

#[test]
fn a_hold_is_released_as_a_whole_and_a_sale_is_taken_at_once() {
    let mut world = World::new();
    let hold = world.send(&Kind::Authorize, Some(&good_card()), None, 12_000);
    let released = world.send(&REVERSE, None, Some(&hold), 12_000);
    assert!(is_approved(&released), "{:?}", released.outcome);
    let late = world.send(&CAPTURE, None, Some(&hold), 12_000);
    assert_eq!(refused(&late), Some((Decline::InvalidData, "payment_intent_unexpected_state")));
    let sale = world.send(&Kind::Sale, Some(&good_card()), None, 5_000);
    let given = world.send(&REFUND, None, Some(&sale), 5_000);
    assert!(is_approved(&sale) && is_approved(&given));
    let moved: Vec<_> = world.moved().into_iter().map(|(act, _, minor, _)| (act, minor)).collect();
    assert_eq!(moved, [(Act::Authorize, 12_000), (Act::Reverse, 12_000), (Act::Sale, 5_000), (Act::Refund, 5_000)]);
    // That it was canceled is no news of the authorization, which was approved.
    assert_eq!(world.hear().len(), 3);

    let hold = world.send(&Kind::Authorize, Some(&good_card()), None, 12_000);
    world.now_ms += 7 * 24 * 60 * 60 * 1_000;
    let late = world.send(&CAPTURE, None, Some(&hold), 12_000);
    assert_eq!(
        refused(&late),
        Some((Decline::InvalidData, "payment_intent_unexpected_state")),
        "a hold ends by itself"
    );
}

#[test]
fn cards_and_amounts_are_declined_as_the_table_has_it() {
    let rows = [
        ("4000000000000002", 5_000, Decline::Soft, "generic_decline"),
        ("4000000000009995", 5_000, Decline::Soft, "insufficient_funds"),
        ("4000000000009987", 5_000, Decline::Permanent, "lost_card"),
        ("4000000000009979", 5_000, Decline::Permanent, "stolen_card"),
        ("4100000000000019", 5_000, Decline::RequiresReview, "fraudulent"),
        ("4000000000000069", 5_000, Decline::InvalidData, "expired_card"),
        ("4000000000000127", 5_000, Decline::InvalidData, "incorrect_cvc"),
        ("4000000000000119", 5_000, Decline::Soft, "processing_error"),
        ("4000000000000341", 5_000, Decline::Soft, "generic_decline"),
        ("4242424242424242", 9_001, Decline::Soft, "do_not_honor"),
        ("4242424242424242", 9_002, Decline::Permanent, "stolen_card"),
        ("4242424242424242", 9_003, Decline::Soft, "insufficient_funds"),
        ("4242424242424242", 9_004, Decline::InvalidData, "expired_card"),
        ("4242424242424242", 9_005, Decline::InvalidData, "incorrect_cvc"),
        ("4242424242424242", 9_006, Decline::RequiresReview, "fraudulent"),
        ("4242424242424242", 9_007, Decline::InvalidData, "incorrect_number"),
        ("4242424242424242", 49, Decline::InvalidData, "amount_too_small"),
        ("4242424242424242", 100_000_000, Decline::InvalidData, "amount_too_large"),
    ];
    for (number, minor, decline, code) in rows {
        for kind in [Kind::Authorize, Kind::Sale] {
            let mut world = World::new();
            let sent = world.send(&kind, Some(&card(number)), None, minor);
            assert_eq!(refused(&sent), Some((decline, code)), "{number} {minor}");
            assert_eq!(world.moved(), []);
            for (reference, news) in world.hear() {
                assert_eq!(reference, sent.reference);
                assert!(matches!(news, News::Outcome(Outcome::Declined(told, _)) if told == decline), "{news:?}");
            }
        }
    }
}

#[test]
fn what_is_processing_is_looked_up_by_its_name_and_told() {
    for (minor, is_approved) in [(9_018, true), (9_019, false), (9_021, true)] {
        for kind in [Kind::Authorize, Kind::Sale] {
            let mut world = World::new();
            let sent = world.send(&kind, Some(&good_card()), None, minor);
            assert!(matches!(sent.outcome, Outcome::Accepted(_)), "{:?}", sent.outcome);
            assert_eq!(world.moved(), []);
            let none = Details::default();
            assert!(matches!(world.look_up(&kind, &sent, None, &none), Outcome::Accepted(_)));
            world.now_ms += 5_000;
            let found = world.look_up(&kind, &sent, None, &none);
            assert_eq!(matches!(found, Outcome::Approved(_)), is_approved, "{found:?}");
            assert_eq!(matches!(found, Outcome::Declined(Decline::Soft, _)), !is_approved, "{found:?}");
            assert_eq!(world.moved().len(), usize::from(is_approved));
            let heard = world.hear();
            assert!(matches!(heard[0].1, News::Outcome(Outcome::Accepted(_))));
            let News::Outcome(told) = &heard[1].1 else { panic!("{heard:?}") };
            assert_eq!(told.name(), found.name());
        }
    }
}

#[test]
fn a_payer_authenticates_on_the_page_or_does_not() {
    for (number, minor) in [("4000000000003220", 5_000), ("4242424242424242", 9_022)] {
        for choice in ["approve", "decline"] {
            let mut world = World::new();
            let details = with(&[("returnUrl", "https://shop.test/back")]);
            let sent = world.send_with(&Kind::Authorize, Some(&card(number)), None, minor, &details);
            let Outcome::ActionRequired(_, action) = &sent.outcome else { panic!("{:?}", sent.outcome) };
            let path = format!("{}/{choice}", action.url.strip_prefix(BASE).expect("a page of the model's"));
            let visit = Request { method: "POST".to_owned(), path, ..Request::default() };
            let page = world.model.handle(&visit, world.now_ms);
            assert_eq!((page.status, page.headers), (303, vec![("location", "https://shop.test/back".to_owned())]));
            assert_eq!(world.model.handle(&visit, world.now_ms).status, 404, "once");
            let found = world.look_up(&Kind::Authorize, &sent, None, &details);
            assert_eq!(found.name(), if choice == "approve" { "approved" } else { "declined" });
            let heard = world.hear();
            let outcomes: Vec<_> =
                heard.iter().map(|(_, news)| if let News::Outcome(told) = news { told.name() } else { "" }).collect();
            assert_eq!(outcomes, ["action required", found.name()]);
        }
    }
    // Nobody could come back.
    let mut world = World::new();
    let sent = world.send(&Kind::Sale, Some(&card("4000000000003220")), None, 5_000);
    assert_eq!(refused(&sent), Some((Decline::Soft, "authentication_required")));
}

#[test]
fn a_refund_takes_its_time_or_does_not_stand() {
    let verdict = |minor: i64| {
        let mut world = World::new();
        let sale = world.send(&Kind::Sale, Some(&good_card()), None, 20_000);
        let refund = world.send(&REFUND, None, Some(&sale), minor);
        world.now_ms += 20_000;
        let found = match refund.outcome {
            Outcome::Declined(..) => refund.outcome.clone(),
            _ => world.look_up(&REFUND, &refund, Some(&sale), &Details::default()),
        };
        let heard = world.hear().into_iter().filter(|(reference, _)| *reference == refund.reference);
        let told: Vec<String> = heard
            .map(|(_, news)| match news {
                News::Outcome(outcome) => outcome.name().to_owned(),
                News::Sequel(sequel) => sequel.what.name().to_owned(),
                News::Token(..) => panic!("a refund is no token"),
            })
            .collect();
        let stands = world.moved().iter().any(|(act, _, _, undone)| *act == Act::Refund && !undone);
        (refund.outcome.name(), found.name(), told.join(", "), stands)
    };
    assert_eq!(verdict(5_000), ("approved", "approved", "approved".to_owned(), true));
    assert_eq!(verdict(9_018), ("accepted", "approved", "accepted, approved, approved".to_owned(), true));
    assert_eq!(verdict(9_019), ("accepted", "declined", "accepted, declined, declined, failed".to_owned(), false));
    let ended = "accepted, approved, approved, failed, failed, failed".to_owned();
    assert_eq!(verdict(9_021), ("accepted", "declined", ended, false));
    assert_eq!(verdict(9_001), ("declined", "declined", "declined, failed".to_owned(), false));
}

#[test]
fn a_dispute_is_told_of_the_operation_that_took_the_money() {
    for (minor, stages) in [
        (9_023, vec![Stage::Opened, Stage::ChargedBack]),
        (9_024, vec![Stage::Opened, Stage::ChargedBack, Stage::Reversed, Stage::Reversed]),
    ] {
        for is_sale in [true, false] {
            let mut world = World::new();
            let taken = if is_sale {
                world.send(&Kind::Sale, Some(&good_card()), None, minor)
            } else {
                let hold = world.send(&Kind::Authorize, Some(&good_card()), None, 12_000);
                world.send(&CAPTURE, None, Some(&hold), minor)
            };
            assert!(is_approved(&taken));
            let sequels: Vec<_> = world
                .hear()
                .into_iter()
                .filter_map(
                    |(reference, news)| if let News::Sequel(sequel) = news { Some((reference, sequel)) } else { None },
                )
                .collect();
            let told: Vec<_> = sequels.iter().map(|(_, sequel)| sequel.what).collect();
            assert_eq!(told, stages.iter().copied().map(What::Dispute).collect::<Vec<_>>());
            assert!(
                sequels.iter().all(|(reference, sequel)| *reference == taken.reference && sequel.minor == Some(minor))
            );
            let refund = world.send(&REFUND, None, Some(&taken), 100);
            assert_eq!(refused(&refund).is_some(), minor == 9_023, "what is charged back is not given back again");
        }
    }
}

#[test]
fn what_a_browser_made_is_registered_with_its_amount_only() {
    let mut world = World::new();
    let body = "amount=5000&currency=usd&capture_method=manual&confirm=true&payment_method=pm_card_visa";
    let bearer = ("authorization".to_owned(), "Bearer sk_test_browser".to_owned());
    let made = Request {
        method: "POST".to_owned(),
        path: "/v1/payment_intents".to_owned(),
        headers: BTreeMap::from([bearer]),
        body: body.as_bytes().to_vec(),
        ..Request::default()
    };
    let made: serde_json::Value = serde_json::from_str(&world.model.handle(&made, START_MS).body).expect("JSON");
    let details = with(&[("reference", made["id"].as_str().expect("an id"))]);
    let of_another = world.send_with(&Kind::PostAuthorize, None, None, 5_001, &details);
    assert_eq!(refused(&of_another), Some((Decline::InvalidData, "amount_mismatch")));
    let unknown = world.send_with(&Kind::PostAuthorize, None, None, 5_000, &with(&[("reference", "pi_none")]));
    assert_eq!(refused(&unknown), Some((Decline::InvalidData, "resource_missing")));
    let registered = world.send_with(&Kind::PostAuthorize, None, None, 5_000, &details);
    assert!(is_approved(&registered), "{:?}", registered.outcome);
    let taken = world.send(&CAPTURE, None, Some(&registered), 5_000);
    assert!(is_approved(&taken));
    assert_eq!(world.hear().into_iter().map(|(reference, _)| reference).collect::<Vec<_>>(), [taken.reference]);
}

#[test]
fn a_card_is_kept_and_charged_again_with_its_customer() {
    let mut world = World::new();
    let (outcome, token) = world.tokenize(&good_card(), None);
    let token = token.unwrap_or_else(|| panic!("{outcome:?}"));
    let customer = token.reveal().split_once('/').expect("a customer").0.to_owned();
    let method = stored(token);
    for _ in 0..2 {
        let sale = world.send(&Kind::Sale, Some(&method), None, 5_000);
        assert!(is_approved(&sale), "{:?}", sale.outcome);
    }
    let (_, second) = world.tokenize(&good_card(), Some(&customer));
    assert!(second.is_some_and(|token| token.reveal().starts_with(&customer)));
    let (outcome, token) = world.tokenize(&good_card(), Some("cus_none"));
    assert!(matches!(outcome, Outcome::Declined(Decline::InvalidData, _)) && token.is_none());
    for number in ["4000000000000002", "4000000000000069"] {
        let (outcome, token) = world.tokenize(&card(number), None);
        assert!(matches!(outcome, Outcome::Declined(..)) && token.is_none(), "{outcome:?}");
    }
    // Its bank wants to see the payer, who is not there.
    let (_, token) = world.tokenize(&card("4000002760003184"), None);
    let absent = Details { submitted_by_merchant: true, ..Details::default() };
    let method = stored(token.expect("a token"));
    let sale = world.send_with(&Kind::Sale, Some(&method), None, 5_000, &absent);
    assert_eq!(refused(&sale), Some((Decline::Soft, "authentication_required")));
}

#[test]
fn a_key_is_one_requests_for_a_day() {
    let mut world = World::new();
    let ask = |world: &mut World, key: &str, body: &str| {
        let headers = [("authorization", "Bearer sk_test_1"), ("idempotency-key", key)];
        let headers = headers.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        let (method, path) = ("POST".to_owned(), "/v1/payment_intents".to_owned());
        let request = Request { method, path, headers, body: body.as_bytes().to_vec(), ..Request::default() };
        let answer = world.model.handle(&request, world.now_ms);
        let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        let is_replayed = answer.headers.iter().any(|(name, _)| *name == "idempotent-replayed");
        (
            answer.status,
            body["error"]["type"].as_str().or(body["id"].as_str()).unwrap_or_default().to_owned(),
            is_replayed,
        )
    };
    let good = "amount=500&currency=usd&payment_method=pm_card_visa&confirm=true";
    let (status, id, is_replayed) = ask(&mut world, "k1", good);
    assert_eq!((status, is_replayed), (200, false));
    assert_eq!(ask(&mut world, "k1", good), (200, id.clone(), true));
    assert_eq!(ask(&mut world, "k1", &good.replace("500", "600")), (400, "idempotency_error".to_owned(), false));
    assert_eq!(ask(&mut world, "k2", "amount=x&currency=usd"), (400, "invalid_request_error".to_owned(), false));
    assert_eq!(ask(&mut world, "k2", good).0, 200, "what fails its validation is not kept");
    world.now_ms += 24 * 60 * 60 * 1_000;
    assert_ne!(ask(&mut world, "k1", good).1, id, "after a day it is a new one");
}

#[test]
fn what_stripe_does_not_know_is_refused() {
    let mut world = World::new();
    let mut ask = |method: &str, path: &str, key: &str, body: &str| {
        let headers = BTreeMap::from([("authorization".to_owned(), key.to_owned())]);
        let (method, path) = (method.to_owned(), path.to_owned());
        let request = Request { method, path, headers, body: body.as_bytes().to_vec(), ..Request::default() };
        let answer = world.model.handle(&request, START_MS);
        let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        (answer.status, body["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    let key = "Bearer sk_test_1";
    let intents = "/v1/payment_intents";
    let rows = [
        ("GET", "/v1/balance", key, "", 200, ""),
        ("GET", "/v1/balance", "Bearer pk_test_1", "", 401, ""),
        ("GET", "/v1/balance", "", "", 401, ""),
        ("GET", "/v1/charges", key, "", 404, ""),
        ("DELETE", intents, key, "", 404, ""),
        ("GET", "/v1/payment_intents/pi_0", key, "", 404, "resource_missing"),
        ("POST", intents, key, "currency=usd", 400, "parameter_missing"),
        ("POST", intents, key, "amount=1.5&currency=usd", 400, "parameter_invalid_integer"),
        ("POST", intents, key, "amount=500&currency=USD", 400, "parameter_invalid"),
        ("POST", intents, key, "amount=500&currency=usd", 400, "parameter_missing"),
        ("POST", intents, key, "amount=500&currency=usd&colour=red", 400, "parameter_unknown"),
        ("POST", intents, key, "amount=500&currency=usd&off_session=true", 400, "parameter_invalid"),
        ("POST", intents, key, "amount=500&currency=usd&payment_method=pm_0", 404, "resource_missing"),
        ("POST", intents, key, "amount=1234&currency=kwd", 400, "invalid_charge_amount"),
        ("POST", "/v1/refunds", key, "payment_intent=pi_0&reason=bored", 400, "parameter_invalid"),
        ("POST", "/v1/refunds", key, "amount=5", 400, "parameter_missing"),
        ("POST", intents, key, "%", 400, ""),
    ];
    for (method, path, key, body, status, code) in rows {
        assert_eq!(ask(method, path, key, body), (status, code.to_owned()), "{method} {path} {body}");
    }
}
