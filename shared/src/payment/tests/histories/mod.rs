//! Random histories of one payment, and what must hold after every event of each.

mod invariants;

use std::collections::BTreeMap;
use std::time::Duration;

use invariants::{assert_conserved, assert_remembered, assert_settles_once, assert_steps_forward};

use super::fixtures::{
    START, acting, answer, asked, capture, claim, exactly, opening, place, raw_card, refund, stored_method, terms,
};
use super::random::Random;
use crate::gateways::ADAPTERS;
use crate::ids::Ordinal;
use crate::payment::asked::Amount;
use crate::payment::{
    BalanceCheck, Claim, Decline, Effect, Event, Kind, Nonce, Operation, Outcome, Payment, Request, Source, State,
    Step, Terms, Verdict, step,
};
use crate::rejection::Rejection;
use crate::stored::payment::Stored;
use crate::time::Timestamp;

const HISTORIES: u64 = 4_000;
const EVENTS: usize = 40;

struct History {
    random: Random,
    terms: Terms,
    now: Timestamp,
    payment: Option<Payment>,
    opening: fn() -> Request,
    /// The claim under which each operation was last sent: the gateway may have heard of it.
    sent: BTreeMap<Ordinal, Nonce>,
    nonces: u64,
}

/// What happens next, without what it borrows.
enum Next {
    Asked(Box<Request>, Claim),
    Heard(Box<Event<'static>>),
}

impl Next {
    fn event(&self) -> Event<'_> {
        let heard = match self {
            Self::Asked(request, claim) => return asked(request, *claim),
            Self::Heard(heard) => heard,
        };
        match heard.as_ref() {
            Event::Due { claim } => Event::Due { claim: *claim },
            Event::Learned { operation, source, nonce, outcome, amount } => Event::Learned {
                operation: *operation,
                source: *source,
                nonce: *nonce,
                outcome: outcome.clone(),
                amount: *amount,
            },
            Event::Requested { .. } | Event::Followed { .. } | Event::Told { .. } | Event::ToldAgain { .. } => {
                panic!("this is not heard here")
            }
        }
    }
}

impl History {
    fn from_seed(seed: u64) -> Self {
        let mut random = Random::from_seed(seed);
        let openings: [fn() -> Request; 4] = [
            || opening(Kind::Authorize, stored_method(), "order 1", 100),
            || opening(Kind::Authorize, raw_card(), "order 1", 100),
            || opening(Kind::PostAuthorize, stored_method(), "order 1", 100),
            || opening(Kind::Sale, raw_card(), "order 1", 100),
        ];
        let terms = Terms {
            multi_capture: random.chance(80),
            balance_check: random.pick(&[BalanceCheck::Strict, BalanceCheck::Strict, BalanceCheck::Gateway]),
            authorization_lifetime: Duration::from_secs(random.pick(&[60 * 60, 7 * 24 * 60 * 60])),
            ..terms(random.pick(ADAPTERS))
        };
        let opening = random.pick(&openings);
        Self { random, terms, now: START, payment: None, opening, sent: BTreeMap::new(), nonces: 0 }
    }

    fn next(&mut self) -> Next {
        let waits = [0, 0, 1, 5, 20, 60, 60 * 60, 24 * 60 * 60];
        self.now = self.now.plus(Duration::from_secs(self.random.pick(&waits)));
        match (self.payment.clone(), self.random.below(10)) {
            (Some(payment), 0..5) => Next::Heard(Box::new(self.news(&payment))),
            (Some(_), 5..7) => Next::Heard(Box::new(Event::Due { claim: self.claim() })),
            (Some(payment), _) if self.random.chance(80) => Next::Asked(Box::new(self.action(&payment)), self.claim()),
            (Some(_) | None, _) => Next::Asked(Box::new((self.opening)()), self.claim()),
        }
    }

    fn claim(&mut self) -> Claim {
        self.nonces += 1;
        claim(self.nonces, self.now)
    }

    fn action(&mut self, payment: &Payment) -> Request {
        let target = place(self.random.below(payment.operations.len()));
        let kind = match self.random.below(4) {
            0 => capture(target),
            1 => Kind::Capture { authorization: Ordinal::FIRST, is_final: self.random.chance(30) },
            2 => Kind::Reverse { authorization: Ordinal::FIRST },
            _ => refund(target),
        };
        let rest = matches!(kind, Kind::Refund { .. }) && self.random.chance(30);
        let minor = self.random.pick(&[1, 7, 30, 60, 100, 101]);
        let name = self.random.pick(&["a", "b", "c", "d", "e", "f", "g", "h"]);
        acting(kind, name, if rest { Amount::Rest } else { exactly(minor) })
    }

    fn news(&mut self, payment: &Payment) -> Event<'static> {
        let operation = place(self.random.below(payment.operations.len()));
        let state = &payment.operation(operation).expect("an operation").state;
        let current = if let State::Open(open) = state { open.nonce } else { Nonce(0) };
        let nonce = if self.random.chance(80) { current } else { Nonce(self.random.below(40) as u64) };
        let outcomes = [
            Outcome::Approved(answer("a")),
            Outcome::Approved(answer("a")),
            Outcome::Approved(answer("a")),
            Outcome::Approved(answer("a")),
            Outcome::Accepted(answer("p")),
            Outcome::Declined(Decline::Soft, answer("d")),
            Outcome::Voided(answer("v")),
            Outcome::NotSent,
            Outcome::NotSent,
            Outcome::NeverReceived,
            Outcome::Unknown,
            Outcome::Unknown,
        ];
        let mut outcome = outcomes[self.random.below(outcomes.len())].clone();
        // What a gateway has never heard of it has not acted upon either.
        if *state == State::Unsent && matches!(outcome, Outcome::Approved(_) | Outcome::Accepted(_)) {
            outcome = Outcome::Unknown;
        }
        let source = self.random.pick(&[Source::Answer, Source::LookUp, Source::TimeoutReversal, Source::Notice]);
        Event::Learned { operation, source, nonce, outcome, amount: None }
    }

    fn put(&mut self, next: &Next) {
        let event = next.event();
        let before = self.payment.clone();
        let Ok(step) = step(before.as_ref(), &event, &self.terms, self.now) else { return };
        assert_steps_forward(before.as_ref(), &step.payment);
        assert_conserved(&step.payment, self.terms.balance_check);
        assert_remembered(&step.payment, &self.terms);
        assert_settles_once(before.as_ref(), &step.payment);
        self.assert_puts_twice(&event, &step);
        self.assert_sent_once(&step);
        self.payment = Some(step.payment);
    }

    /// The acknowledgement was lost and the event is put to what it made of the payment.
    fn assert_puts_twice(&self, event: &Event<'_>, once: &Step) {
        let twice = step(Some(&once.payment), event, &self.terms, self.now).expect("what was let through once");
        match event {
            Event::Requested { .. } => assert_eq!(twice, *once),
            Event::Followed { .. } | Event::Told { .. } | Event::ToldAgain { .. } => panic!("this is not heard here"),
            Event::Due { .. } => {
                let ordinal = once.operation;
                assert!(twice.operation != ordinal || twice == *once, "{ordinal:?} is due again at once");
            }
            Event::Learned { operation, .. } => {
                let [was, is] = [once, &twice].map(|step| step.payment.operation(*operation).expect("an operation"));
                assert_eq!(std::mem::discriminant(&was.state), std::mem::discriminant(&is.state));
                assert_eq!((claimed(was), was.reserves(), verdict(was)), (claimed(is), is.reserves(), verdict(is)));
            }
        }
    }

    /// A second request leaves only as a duplicate, under a key that the gateway still knows.
    fn assert_sent_once(&mut self, step: &Step) {
        for (ordinal, operation) in step.payment.numbered() {
            if operation.state == State::Unsent {
                self.sent.remove(&ordinal);
            }
        }
        let Some(Effect::Send { operation, claim, duplicate }) = step.effect else { return };
        let earlier = self.sent.insert(operation, claim.nonce).is_some();
        assert_eq!(duplicate, earlier, "{operation:?}");
        if let (true, Some(sent)) = (earlier, step.payment.operation(operation)) {
            let window = self.terms.key_window.expect("only a key makes a second request the first again");
            assert!(self.now < sent.requested_at.plus(window), "{operation:?} is sent after its key's window");
        }
    }
}

fn claimed(operation: &Operation) -> Option<Nonce> {
    if let State::Open(open) = &operation.state { Some(open.nonce) } else { None }
}

fn verdict(operation: &Operation) -> Option<Verdict> {
    if let State::Settled(settled) = &operation.state { Some(settled.verdict) } else { None }
}

#[test]
fn whatever_happens_in_whatever_order_the_books_balance() {
    for seed in 0..HISTORIES {
        let mut history = History::from_seed(seed);
        for _ in 0..EVENTS {
            let next = history.next();
            history.put(&next);
        }
        let payment = history.payment.expect("somebody asked");
        let item = Stored::following(None, payment.clone()).to_item();
        assert_eq!(Stored::from_item(item).map(|stored| stored.payment), Ok(payment));
    }
}

/// A generator that never gets anywhere would prove nothing.
#[test]
fn the_histories_reach_every_verdict_and_every_refusal() {
    let (mut verdicts, mut refusals) = ([0_usize; Verdict::ALL.len()], BTreeMap::<&str, usize>::new());
    for seed in 0..HISTORIES / 4 {
        let mut history = History::from_seed(seed);
        for _ in 0..EVENTS {
            let next = history.next();
            if let Err(rejection) = step(history.payment.as_ref(), &next.event(), &history.terms, history.now) {
                *refusals.entry(name(&rejection)).or_default() += 1;
            }
            history.put(&next);
        }
        for verdict in history.payment.iter().flat_map(|payment| &payment.operations).filter_map(verdict) {
            let place = Verdict::ALL.iter().position(|known| *known == verdict).expect("a known verdict");
            verdicts[place] += 1;
        }
    }
    let declines_other_than_soft = 2..5;
    for (place, count) in verdicts.iter().enumerate().filter(|(place, _)| !declines_other_than_soft.contains(place)) {
        assert!(*count > 10, "{:?}: {count}", Verdict::ALL[place]);
    }
    let expected =
        ["not found", "in progress", "mismatch", "over balance", "expired", "not approved", "closed", "single capture"];
    for name in expected {
        assert!(refusals.get(name).is_some_and(|count| *count > 10), "{name}: {refusals:?}");
    }
}

fn name(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::NotFound => "not found",
        Rejection::InProgress { .. } => "in progress",
        Rejection::Mismatch { .. } => "mismatch",
        Rejection::OverBalance { .. } => "over balance",
        Rejection::Expired { .. } => "expired",
        Rejection::NotApproved { .. } => "not approved",
        Rejection::Closed => "closed",
        Rejection::SingleCapture => "single capture",
        Rejection::Amount(_) | Rejection::WrongAccount | Rejection::WrongCurrency { .. } | Rejection::Full => "other",
        Rejection::MethodUnusable { .. }
        | Rejection::MethodElsewhere
        | Rejection::MethodWithoutToken
        | Rejection::NoTokens
        | Rejection::NotAtGateway { .. }
        | Rejection::NoCredential
        | Rejection::GatewayInactive => unreachable!("no payment says it"),
    }
}
