//! What no gateway's answer may be taken for: whatever goes wrong between a gateway and us, nothing is concluded from it.
//!
//! Every adapter is asked for every operation, in every way in which it can be asked, and answered what gateways and those
//! before them answer when something breaks. Each time the outcome must be unknown. A connection that was lost is the
//! shell's affair and tested there.
//!
//! A new adapter is covered as soon as it stands in [`ADAPTERS`]; it needs a [`Sample`] of what it takes, and a line in
//! [`NOT_OFFERED`] for each operation that it never takes.

mod samples;

use samples::{CVV, NUMBER, Sample, sample};

use super::{ADAPTERS, Account, Adapter, Answered, Credential, Exchange, Intent, Question, TokenIntent};
use crate::card::Secret;
use crate::ids::Ordinal;
use crate::merchant::{Gateway, GatewayMode};
use crate::money::Money;
use crate::payment::asked::{Amount, Opening};
use crate::payment::tests::fixtures::{START, asked, claim, gateway, gateway_id, key};
use crate::payment::{Action, Event, Kind, Nonce, Operation, Outcome, Payment, Request, Source, Terms, step};
use crate::ports::{HttpRequest, HttpResponse};

/// Outcomes that are known all the same, by adapter, exchange and failure, each with what documents it. None today.
const KNOWN_ALL_THE_SAME: &[(&str, &str, &str, &str)] = &[];

/// What an adapter does not offer at all.
const NOT_OFFERED: &[(&str, &str)] =
    &[("payeezy", "post-authorize"), ("adyen", "post-authorize"), ("adyen-classic", "post-authorize")];

/// Answers of something that broke, each with a name.
fn failures() -> Vec<(String, HttpResponse)> {
    const PAGE: &str = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>cloud</body></html>";
    /// What is not here may be a refusal, which a gateway is free to document by its status alone.
    const STATUSES: &[u16] = &[200, 201, 202, 204, 302, 409, 500, 502, 503, 504];
    /// What is long is read only where an answer is looked for.
    const READ: &[u16] = &[200, 201];
    let text = |text: &str| text.as_bytes().to_vec();
    let nested = |open: &str, close: &str| text(&format!("{}{}", open.repeat(10_000), close.repeat(10_000)));
    let bodies = [
        ("nothing", STATUSES, Vec::new()),
        ("a page", STATUSES, text(PAGE)),
        ("a line", STATUSES, text("upstream connect error or disconnect/reset before headers")),
        ("half an answer", STATUSES, text(r#"{"id":"1","status":"approved","transaction_status":"approved","result"#)),
        ("null", STATUSES, text("null")),
        ("a list", STATUSES, text("[]")),
        ("a list of nothing", STATUSES, text("[{}]")),
        ("a text", STATUSES, text(r#""approved""#)),
        ("a number", STATUSES, text("200")),
        ("an empty object", STATUSES, text("{}")),
        ("another thing", STATUSES, text(r#"{"object":"weather","id":"w_1","status":"sunny","temperature":21}"#)),
        ("nothing but names", STATUSES, text(r#"{"status":null,"error":null,"code":null,"message":null,"errors":[]}"#)),
        ("no text", STATUSES, vec![0xff; 100]),
        ("a deep list", READ, nested("[", "]")),
        ("a deep object", READ, nested(r#"{"data":"#, "}")),
        ("300 KB", READ, text(&format!(r#"{{"id":"{}"}}"#, "x".repeat(300_000)))),
    ];
    let of = |(name, statuses, body): (&'static str, &'static [u16], Vec<u8>)| {
        let answered = move |status: &u16| HttpResponse { status: *status, body: body.clone() };
        statuses.iter().map(move |status| (format!("{status} with {name}"), answered(status)))
    };
    bodies.into_iter().flat_map(of).collect()
}

/// All operations: one of each kind, and what makes a difference within one.
fn kinds() -> Vec<Kind> {
    let (authorization, payment) = (Ordinal::FIRST, Ordinal::FIRST);
    vec![
        Kind::Authorize,
        Kind::PostAuthorize,
        Kind::Sale,
        Kind::Capture { authorization, is_final: false },
        Kind::Capture { authorization, is_final: true },
        Kind::Reverse { authorization },
        Kind::Refund { payment, reason: None },
    ]
}

/// An adapter, with an account that it can speak for.
struct World {
    adapter: &'static Adapter,
    sample: Sample,
    gateway: Gateway,
    credential: Credential,
}

impl World {
    fn of(adapter: &'static Adapter) -> Self {
        let sample = sample(adapter.name);
        let secret = |(name, text): &(&str, &str)| ((*name).to_owned(), Secret::new((*text).to_owned()));
        let members = sample.credential.iter().chain(sample.settings).map(secret).collect();
        let credential = Credential::of(members, adapter.credential)
            .unwrap_or_else(|misfit| panic!("{} has no fitting sample: {misfit}", adapter.name));
        // Some take the numbers of cards in tests only.
        let gateway = Gateway { mode: GatewayMode::Test, ..gateway(adapter) };
        Self { adapter, sample, gateway, credential }
    }

    fn account(&self) -> Account<'_> {
        Account { gateway: &self.gateway, credential: &self.credential, now: START, nonce: 1 }
    }

    fn terms(&self) -> Terms {
        self.adapter.terms(&self.gateway)
    }

    fn request(&self, action: Action, name: &str) -> Request {
        let amount = Money::new(self.sample.minor, self.sample.currency());
        let amount = Amount::Exactly(amount.to_decimal().expect("a positive amount"));
        Request { action, key: key(name), amount, details: self.sample.details() }
    }

    /// A payment in which this was just claimed.
    fn claimed(&self, kind: &Kind, instrument: usize) -> (Payment, Ordinal) {
        let opening_kind = match kind {
            Kind::Authorize | Kind::PostAuthorize | Kind::Sale => kind.clone(),
            Kind::Capture { .. } | Kind::Reverse { .. } => Kind::Authorize,
            Kind::Refund { .. } => Kind::Sale,
        };
        let instrument = self.sample.instruments().swap_remove(instrument);
        let (gateway, currency) = (gateway_id(), self.sample.currency());
        let opening =
            self.request(Action::Open(Opening { kind: opening_kind, gateway, currency, instrument }), "opening");
        let opened = step(None, &asked(&opening, claim(1, START)), &self.terms(), START).expect("a payment").payment;
        if kind.target().is_none() {
            return (opened, Ordinal::FIRST);
        }
        let approved = self.hear(&opened, Ordinal::FIRST, 1, Outcome::Approved(self.sample.answer()));
        let request = self.request(Action::Act(kind.clone()), "acting");
        let next = step(Some(&approved), &asked(&request, claim(2, START)), &self.terms(), START).expect("a step");
        (next.payment, Ordinal::new(1).expect("a place"))
    }

    fn hear(&self, payment: &Payment, operation: Ordinal, nonce: u64, outcome: Outcome) -> Payment {
        let told = Event::Learned { operation, source: Source::Answer, nonce: Nonce(nonce), outcome, amount: None };
        step(Some(payment), &told, &self.terms(), START).expect("a step").payment
    }

    /// Calls `ask` with each way in which this operation can stand when it is asked about.
    fn each_intent(&self, kind: &Kind, ask: &mut dyn FnMut(&Intent<'_>, &Operation)) {
        // What acts on a payment does not hear what it was made with.
        let count = if kind.target().is_some() { 1 } else { usize::MAX };
        for (place, instrument) in self.sample.instruments().iter().enumerate().take(count) {
            let (open, ordinal) = self.claimed(kind, place);
            let nonce = u64::try_from(ordinal.index()).expect("small") + 1;
            let accepted = self.hear(&open, ordinal, nonce, Outcome::Accepted(self.sample.answer()));
            for payment in [open, accepted] {
                let operation = payment.operation(ordinal).expect("it is there");
                for duplicate in [false, true] {
                    let instrument = Some(instrument).filter(|_| kind.target().is_none());
                    ask(&Intent::of(&payment, ordinal, operation, instrument, duplicate), operation);
                }
            }
        }
    }

    /// What must stand in no URL and in nothing that is printed.
    fn check_silent(&self, what: &str, text: &str) {
        let members = self.sample.credential.iter().map(|(_, text)| *text);
        for secret in members.chain([NUMBER, CVV]) {
            assert!(!text.contains(secret), "{} of {} holds {secret}: {text}", what, self.adapter.name);
        }
    }

    fn check_request(&self, what: &str, request: &HttpRequest) {
        assert!(request.url.starts_with(self.gateway.base_url.as_str()), "{}", request.url);
        self.check_silent(&format!("the URL of {what}"), &request.url);
    }

    fn check_unknown(&self, what: &str, failure: &str, outcome: &Outcome) {
        self.check_silent(what, &format!("{outcome:?}"));
        let known = KNOWN_ALL_THE_SAME
            .iter()
            .any(|(adapter, exchange, named, _)| (*adapter, *exchange, *named) == (self.adapter.name, what, failure));
        assert_eq!(*outcome == Outcome::Unknown, !known, "{} {what}, {failure}: {outcome:?}", self.adapter.name);
    }

    fn check_exchange(&self, what: &str, exchange: Exchange, intent: &Intent<'_>, failures: &[(String, HttpResponse)]) {
        let what = format!("{what} of {}", intent.kind.name());
        self.check_request(&what, &(exchange.encode)(intent, &self.account()));
        for (failure, response) in failures {
            self.check_unknown(&what, failure, &(exchange.decode)(intent, response));
        }
    }
}

#[test]
fn every_operation_is_unknown_after_every_failure_however_it_was_asked_for() {
    let failures = failures();
    for world in ADAPTERS.iter().copied().map(World::of) {
        let adapter = world.adapter;
        for kind in kinds() {
            world.each_intent(&kind, &mut |intent, operation| {
                world.check_exchange("the sending", adapter.send, intent, &failures);
                let others = [("the look-up", adapter.look_up), ("the reversal", adapter.timeout_reversal)];
                for (what, exchange) in others {
                    let exchange = exchange.filter(|(reach, _)| reach.includes(intent.kind, operation.answer()));
                    if let Some((_, exchange)) = exchange {
                        world.check_exchange(what, exchange, intent, &failures);
                    }
                }
            });
        }
    }
}

#[test]
fn the_samples_are_what_each_gateway_takes() {
    for world in ADAPTERS.iter().copied().map(World::of) {
        for kind in kinds() {
            let mut is_admitted = false;
            world.each_intent(&kind, &mut |intent, _| {
                is_admitted |= (world.adapter.admits)(intent, &world.account()).is_ok();
            });
            let is_offered = !NOT_OFFERED.contains(&(world.adapter.name, kind.name()));
            assert_eq!(is_admitted, is_offered, "{} of {}: NOT_OFFERED or its sample", kind.name(), world.adapter.name);
        }
    }
}

#[test]
fn every_token_is_unknown_after_every_failure_and_there_is_none() {
    let failures = failures();
    for world in ADAPTERS.iter().copied().map(World::of) {
        let Some(exchange) = world.adapter.tokenize else { continue };
        let (details, account, card) = (world.sample.token_details(), world.account(), Sample::card());
        let intent = |duplicate, prepared| TokenIntent {
            reference: "03O000000000001".to_owned(),
            key: "00112233445566778899aabbccddeeff".to_owned(),
            instrument: &card,
            details: &details,
            duplicate,
            prepared,
        };
        assert_eq!((exchange.admits)(&intent(false, None), &account), Ok(()), "{}", world.adapter.name);
        for duplicate in [false, true] {
            if let Some(preparation) = exchange.prepare {
                let intent = intent(duplicate, None);
                let request = (preparation.encode)(&intent, &account);
                request.iter().for_each(|request| world.check_request("the preparation", request));
                for (failure, response) in &failures {
                    let Err(outcome) = (preparation.decode)(&intent, response) else {
                        panic!("{} is prepared by {failure}", world.adapter.name)
                    };
                    world.check_unknown("the preparation", failure, &outcome);
                }
            }
            let prepared = exchange.prepare.map(|_| Secret::new(world.sample.prepared.to_owned()));
            let intent = intent(duplicate, prepared);
            world.check_request("the token", &(exchange.encode)(&intent, &account));
            for (failure, response) in &failures {
                let (outcome, token) = (exchange.decode)(&intent, response);
                world.check_unknown("the token", failure, &outcome);
                assert!(token.is_none(), "{} has a token of {failure}", world.adapter.name);
            }
        }
    }
}

#[test]
fn no_question_is_answered_by_a_failure() {
    let failures = failures();
    for world in ADAPTERS.iter().copied().map(World::of) {
        if let Some(inquiry) = world.adapter.notice.and_then(|notice| notice.ask) {
            for told in ["", "{}", r#"{"type":"payment.captured"}"#] {
                let question = Question { about: "pi_3abcdefgh".to_owned(), told: Secret::new(told.to_owned()) };
                world.check_request("the question", &(inquiry.encode)(&question, &world.account()));
                for (failure, response) in &failures {
                    let answered = (inquiry.decode)(&question, response);
                    world.check_silent("the question", &format!("{answered:?}"));
                    assert!(!matches!(answered, Answered::Told(_)), "{} {failure}", world.adapter.name);
                }
            }
        }
        if let Some(check) = world.adapter.check {
            // It may ask elsewhere than payments are asked for.
            world.check_silent("the URL of the check", &(check.encode)(&world.account()).url);
            for (failure, response) in &failures {
                let checked = (check.decode)(response);
                world.check_silent("the check", &format!("{checked:?}"));
                assert!(checked.is_err() || response.status < 300, "{} {failure}", world.adapter.name);
            }
        }
    }
}
