//! Whole conversations: what the codecs ask, the sandbox's model carries out, and what the codecs make
//! of its answers is what stands in its ledger.

use std::time::Duration;

use kessai_functions::sandbox::{Class, Delivery, Effect, Gateway, Request, TABLE, card_number, method_id};
use kessai_shared::gateways::{Account, Adapter, Exchange, Intent, Known, sandbox};
use kessai_shared::ids::{Ordinal, PaymentId, Record};
use kessai_shared::money::Money;
use kessai_shared::payment::asked::Details;
use kessai_shared::payment::{Kind, Outcome};
use kessai_shared::ports::{HttpRequest, HttpResponse, Method};
use kessai_shared::time::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseError;
use serde_json::Value;

use crate::fixed::cases;
use crate::fixtures::{START, dollars, gateway, raw_card, stored_method, texts};

const HOST: &str = "http://sandbox.test";

/// One thing said to the gateway.
#[derive(Clone, Debug)]
struct Saying {
    after: Duration,
    ask: Ask,
    /// Which operation: the same number is the same reference, key and parameters.
    operation: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Send,
    LookUp,
    Reverse,
}

/// An operation that may be asked for, once or several times.
#[derive(Clone, Debug)]
struct Wanted {
    kind: Kind,
    minor: i64,
    magic: u16,
    by_card: bool,
    /// Which of the ids that the gateway gave out it acts on.
    target: Index,
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn what_an_answer_is_taken_for_is_what_stands_in_the_ledger(
        adapter in select(sandbox::ALL.to_vec()),
        wanted in vec(wanted(), 1..6),
        sayings in vec(saying(), 1..20),
    ) {
        let class = adapter.name.strip_prefix("sandbox-").and_then(Class::by_name).expect("a class of the sandbox");
        let mut talk = Talk { adapter, class, model: Gateway::default(), now_ms: START.as_millis(), ids: Vec::new() };
        talk.obtain_in_a_browser();
        for saying in sayings {
            let operation = saying.operation % wanted.len();
            talk.now_ms += i64::try_from(saying.after.as_millis()).expect("small");
            talk.say(saying.ask, operation, &wanted[operation])?;
        }
    }
}

struct Talk {
    adapter: &'static Adapter,
    class: Class,
    model: Gateway,
    now_ms: i64,
    /// Ids that the gateway gave out.
    ids: Vec<String>,
}

impl Talk {
    /// An authorization that a post-authorization can name.
    fn obtain_in_a_browser(&mut self) {
        let body =
            r#"{"amount":100,"currency":"USD","card":{"number":"4242424242424242","expiryMonth":1,"expiryYear":2030}}"#;
        let path = format!("/{}/client-authorizations", self.class.name());
        let (query, idempotency_key) = (String::new(), None);
        let request = Request { method: "POST".to_owned(), path, query, idempotency_key, body: body.into() };
        self.model.handle(&request, self.now_ms);
        self.ids.extend(self.model.effects(self.now_ms).map(|effect| effect.id.to_owned()));
    }

    fn say(&mut self, ask: Ask, operation: usize, wanted: &Wanted) -> Result<(), TestCaseError> {
        let exchange = match ask {
            Ask::Send => Some(self.adapter.send),
            Ask::LookUp => self.adapter.look_up.map(|(_, exchange)| exchange),
            Ask::Reverse => self.adapter.timeout_reversal.map(|(_, exchange)| exchange),
        };
        let Some(exchange) = exchange else { return Ok(()) };
        let reference = format!("0Xc00000000000{operation}AAA");
        let before = self.ledger(&reference, self.now_ms);
        let (outcome, is_clear) = self.converse(exchange, &reference, wanted);
        prop_assert!(outcome != Outcome::Unknown || !is_clear, "a clear answer is not understood");
        let after = self.ledger(&reference, self.now_ms);
        match ask {
            Ask::Send => self.sent(&reference, &outcome, &before, &after)?,
            Ask::LookUp => looked_up(&outcome, &after)?,
            Ask::Reverse => {
                prop_assert!(matches!(outcome, Outcome::Voided(_)), "{outcome:?}");
                prop_assert!(after.iter().all(|line| line.voided), "{after:?}");
            }
        }
        self.ids.extend(after.into_iter().map(|line| line.id));
        Ok(())
    }

    /// What the exchange is taken for, and whether the answer came whole and said something.
    fn converse(&mut self, exchange: Exchange, reference: &str, wanted: &Wanted) -> (Outcome, bool) {
        let kind = &wanted.kind;
        let target = wanted.target.get(&self.ids).clone();
        let instrument = match wanted.by_card {
            true => raw_card(&card_number(wanted.magic)),
            false => stored_method(&method_id(wanted.magic)),
        };
        let details = Details { additional_data: texts(&[("reference", &target)]), ..Details::default() };
        let intent = Intent {
            kind,
            reference: reference.to_owned(),
            key: format!("key-of-{reference}"),
            amount: Money::new(wanted.minor, dollars()),
            target: kind.target().map(|_| known(&target)),
            opening: None,
            known: None,
            instrument: kind.target().is_none().then_some(&instrument),
            details: &details,
            requested_at: Timestamp::from_millis(self.now_ms),
            duplicate: !self.ledger(reference, self.now_ms).is_empty(),
        };
        let base_url = format!("{HOST}/{}", self.class.name());
        let gateway = gateway(self.adapter.name, &base_url);
        let account = Account::unnamed(&gateway, Timestamp::from_millis(self.now_ms));
        let request = arriving((exchange.encode)(&intent, &account));
        let reaction = self.model.handle(&request, self.now_ms);
        self.now_ms += i64::try_from(reaction.delay_ms).expect("small");
        match reaction.delivery {
            Delivery::Answered => {
                let response = HttpResponse { status: reaction.answer.status, body: reaction.answer.body.into_bytes() };
                let is_whole = serde_json::from_slice::<Value>(&response.body).is_ok();
                ((exchange.decode)(&intent, &response), is_whole && response.status == 200)
            }
            Delivery::Closed | Delivery::Silent => (Outcome::Unknown, false),
        }
    }

    fn sent(&self, reference: &str, outcome: &Outcome, before: &[Line], after: &[Line]) -> Result<(), TestCaseError> {
        // As it was answered then: a key that comes again is answered as the first time.
        let as_accepted = self.ledger(reference, i64::MIN);
        let holds = |lines: &[Line], id: &Option<String>, status: &str| {
            lines.iter().any(|line| Some(&line.id) == id.as_ref() && line.status == status)
        };
        let stands = match outcome {
            Outcome::Approved(answer) => holds(after, &answer.reference, "approved"),
            Outcome::Accepted(answer) => holds(&as_accepted, &answer.reference, "accepted"),
            // Nothing moves before the payer has acted.
            Outcome::Declined(..) | Outcome::NotSent | Outcome::ActionRequired(..) => before.len() == after.len(),
            Outcome::Unknown => true,
            Outcome::NeverReceived | Outcome::Voided(_) => false,
        };
        prop_assert!(stands, "{outcome:?} over {after:?}");
        let twice = self.adapter.key_window.is_some() && after.len() > 1;
        prop_assert!(!twice, "a key that comes again moves no money: {after:?}");
        Ok(())
    }

    fn ledger(&self, reference: &str, now_ms: i64) -> Vec<Line> {
        self.model.effects(now_ms).filter(|effect| effect.reference == Some(reference)).map(Line::from).collect()
    }
}

/// An effect of the ledger, as far as a codec can hear of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    id: String,
    status: &'static str,
    voided: bool,
}

impl From<Effect<'_>> for Line {
    fn from(effect: Effect<'_>) -> Self {
        Self { id: effect.id.to_owned(), status: effect.status, voided: effect.voided }
    }
}

/// Whoever looks up hears of the first effect, and that there are more.
fn looked_up(outcome: &Outcome, ledger: &[Line]) -> Result<(), TestCaseError> {
    match (outcome, ledger) {
        (Outcome::Approved(answer), [first, ..]) | (Outcome::Accepted(answer), [first, ..]) => {
            let status = if matches!(outcome, Outcome::Approved(_)) { "approved" } else { "accepted" };
            prop_assert_eq!((answer.reference.as_ref(), status), (Some(&first.id), first.status));
            prop_assert_eq!(answer.message.is_some(), ledger.len() > 1);
        }
        (Outcome::Declined(..) | Outcome::NeverReceived | Outcome::ActionRequired(..), []) => {}
        _ => prop_assert!(false, "{outcome:?} over {ledger:?}"),
    }
    Ok(())
}

/// A request as it comes out of the wire at the other end.
fn arriving(request: HttpRequest) -> Request {
    let address = request.url.strip_prefix(HOST).expect("sent to the sandbox");
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let method = if request.method == Method::Get { "GET" } else { "POST" };
    let key = request.headers.iter().find(|(name, _)| *name == "idempotency-key").map(|(_, key)| key.clone());
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        idempotency_key: key,
        body: request.body.to_vec(),
    }
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let kinds = vec![
        Kind::Authorize,
        Kind::PostAuthorize,
        Kind::Sale,
        Kind::Capture { authorization: Ordinal::FIRST, is_final: true },
        Kind::Reverse { authorization: Ordinal::FIRST },
        Kind::Refund { payment: Ordinal::FIRST, reason: None },
    ];
    let known = TABLE.each_ref().map(|row| row.code);
    let codes = || prop_oneof![2 => Just(0), 1 => select(vec![9018, 9019]), 2 => select(known.to_vec())];
    let minor = prop_oneof![2 => Just(100), 1 => codes().prop_map(|code| i64::from(code) + 10_000)];
    (select(kinds), minor, codes(), any::<bool>(), any::<Index>())
        .prop_map(|(kind, minor, magic, by_card, target)| Wanted { kind, minor, magic, by_card, target })
}

fn saying() -> impl Strategy<Value = Saying> {
    let waits = select(vec![0, 1, 4_000, 60_000]).prop_map(Duration::from_millis);
    (waits, select(vec![Ask::Send, Ask::Send, Ask::LookUp, Ask::Reverse]), 0..6_usize)
        .prop_map(|(after, ask, operation)| Saying { after, ask, operation })
}

/// An operation that the gateway knows by this name.
fn known(reference: &str) -> Known<'_> {
    let record = Record::Authorization.id(PaymentId::from_bits(7), Ordinal::FIRST);
    let requested_at = Timestamp::from_millis(0);
    Known { record, reference, details: None, amount: Money::new(12_050, dollars()), requested_at }
}
