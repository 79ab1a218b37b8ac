//! Kessai is killed in the middle of its work; nothing is lost and nothing happens twice.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{CLASSES, Client, Kessai, Reply, Sandbox, Scratch};

/// Times that it is killed.
const ROUNDS: usize = 4;
/// Callers at once.
const CALLERS: usize = 8;
/// Answers after which a round's kill comes: by count, not by time.
const ANSWERS_BEFORE_KILL: usize = 120;

/// One request of a caller, and what it was told.
struct Ask {
    path: String,
    key: String,
    body: Value,
    class: &'static str,
    reply: Option<Reply>,
}

#[test]
fn kill_9_under_load_loses_nothing_and_repeats_nothing() {
    let scratch = Scratch::new();
    let sandbox = Sandbox::start(&scratch.path().join("sandbox"));
    let mut kessai = Kessai::on_file(&scratch.path().join("kessai"), &sandbox);
    let mut asks = Vec::new();
    for round in 0..ROUNDS {
        asks.extend(run_until_killed(&mut kessai, round));
        // Longer than any deadline and its margin.
        kessai.client.advance("PT1M");
    }
    check_follow_up_alone(&kessai.client, &asks);
    let answers = settle(&kessai.client, &asks);
    check_against_ledger(&kessai.client, &asks, &answers);
}

fn run_until_killed(kessai: &mut Kessai, round: usize) -> Vec<Ask> {
    let client = kessai.client.clone();
    let (answers, asks, over) = (AtomicUsize::new(0), Mutex::new(Vec::new()), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let call = |caller| {
            let (client, answers, asks, over) = (&client, &answers, &asks, &over);
            scope.spawn(move || {
                let mut shopper = Shopper { client, asks: Vec::new(), name: format!("{round}-{caller}") };
                while over.load(Ordering::Acquire) == 0 && shopper.shop(answers).is_some() {}
                asks.lock().expect("no panic").extend(shopper.asks);
            })
        };
        let callers: Vec<_> = (0..CALLERS).map(call).collect();
        // One that has ended already is not waited for: what it met shows when the others have ended too.
        let is_going_on = || !callers.iter().any(ScopedJoinHandle::is_finished);
        while answers.load(Ordering::Acquire) < ANSWERS_BEFORE_KILL && is_going_on() {
            std::thread::sleep(Duration::from_millis(1));
        }
        kessai.kill_and_restart();
        over.store(1, Ordering::Release);
    });
    asks.into_inner().expect("no panic")
}

/// A caller that does everything once and notes what it was told.
struct Shopper<'a> {
    client: &'a Client,
    asks: Vec<Ask>,
    name: String,
}

impl Shopper<'_> {
    /// Authorizes, captures, reverses and refunds, or sells and refunds. None when the connection broke.
    fn shop(&mut self, answers: &AtomicUsize) -> Option<()> {
        let count = self.asks.len();
        let class = CLASSES[count % CLASSES.len()];
        // Each fifth purchase loses its answer at the gateway, each seventh its request.
        let amount = if count.is_multiple_of(5) {
            "90.13"
        } else if count.is_multiple_of(7) {
            "90.12"
        } else {
            "80.00"
        };
        let opening = self.client.opening(class, amount);
        if count.is_multiple_of(3) {
            let sale = self.ask("sales".to_owned(), opening, class, answers)?;
            return self.refund(&sale, class, answers);
        }
        let authorization = self.ask("authorizations".to_owned(), opening, class, answers)?;
        if authorization.status != 201 {
            return Some(());
        }
        let path = format!("authorizations/{}", authorization.id());
        let capture = self.ask(format!("{path}/captures"), json!({ "amount": 50 }), class, answers)?;
        self.ask(format!("{path}/reversals"), json!({ "amount": 30 }), class, answers)?;
        self.refund(&capture, class, answers)
    }

    fn refund(&mut self, payment: &Reply, class: &'static str, answers: &AtomicUsize) -> Option<()> {
        if payment.status == 201 {
            let path = format!("payments/{}/refunds", payment.id());
            self.ask(path, json!({ "amount": 20 }), class, answers)?;
        }
        Some(())
    }

    fn ask(&mut self, path: String, body: Value, class: &'static str, answers: &AtomicUsize) -> Option<Reply> {
        let key = format!("{}-{}", self.name, self.asks.len());
        let reply = self.client.try_post(&path, Some(&key), &body);
        self.asks.push(Ask { path, key, body, class, reply: reply.clone() });
        answers.fetch_add(1, Ordering::AcqRel);
        reply
    }
}

/// Asks everything again, once, under its key: what never reached Kessai is done now, the rest is a replay.
/// What is open then must be settled without anybody's help within a minute of Kessai's time; only a
/// gateway that can tell nothing may leave something pending.
fn settle(client: &Client, asks: &[Ask]) -> Vec<Reply> {
    let answers: Vec<Reply> = asks.iter().map(|ask| client.post(&ask.path, Some(&ask.key), &ask.body)).collect();
    client.advance("PT1M");
    let settled = |(ask, answer): (&Ask, Reply)| {
        if answer.status == 202 && ask.class != "NONE" {
            client.settled(&record_path(ask, &answer));
        }
        match answer.status {
            202 => client.post(&ask.path, Some(&ask.key), &ask.body),
            _ => answer,
        }
    };
    asks.iter().zip(answers).map(settled).collect()
}

/// Everything that a caller was told is pending is settled after a minute, though nobody asked again.
fn check_follow_up_alone(client: &Client, asks: &[Ask]) {
    let told = |ask: &&Ask| ask.class != "NONE" && ask.reply.as_ref().is_some_and(|reply| reply.status == 202);
    for ask in asks.iter().filter(told) {
        client.settled(&record_path(ask, ask.reply.as_ref().expect("it was told")));
    }
}

/// Where the record of an operation is read.
fn record_path(ask: &Ask, reply: &Reply) -> String {
    let id = reply.id();
    match ask.path.rsplit('/').next() {
        Some("authorizations") => format!("authorizations/{id}"),
        Some("reversals") => format!("{}/{id}", ask.path),
        Some("refunds") => format!("refunds/{id}"),
        _ => format!("payments/{id}"),
    }
}

fn check_against_ledger(client: &Client, asks: &[Ask], answers: &[Reply]) {
    let mut effects: BTreeMap<String, usize> = BTreeMap::new();
    for effect in client.ledger().iter().filter(|effect| effect["voided"] == false) {
        let reference = effect["reference"].as_str().expect("every effect here was asked for by Kessai");
        *effects.entry(reference.to_owned()).or_default() += 1;
    }
    assert!(effects.values().all(|count| *count == 1), "an operation took effect twice: {effects:?}");

    let (mut settled, mut pending, mut known) = (0, 0, 0);
    for (ask, answer) in asks.iter().zip(answers) {
        let context = || format!("{} {} under {}: {}", ask.class, ask.path, ask.key, answer.text);
        match answer.status {
            201 => {
                settled += 1;
                known += effects.get(&answer.id()).copied().unwrap_or_default();
                assert_eq!(effects.get(&answer.id()), Some(&1), "approved, but not in the ledger: {}", context());
            }
            402 => {
                settled += 1;
                assert_eq!(answer.at("/paymentAuthorization"), Value::Null);
            }
            202 => {
                pending += 1;
                known += effects.get(&answer.id()).copied().unwrap_or_default();
                assert_eq!(ask.class, "NONE", "left open: {}", context());
            }
            status => panic!("{status}: {}", context()),
        }
        if let Some(told) = ask.reply.as_ref().filter(|told| matches!(told.status, 201 | 402)) {
            assert_eq!(told.text, answer.text, "the caller was told something else before");
        }
    }
    assert_eq!(known, effects.len(), "every effect belongs to an operation that a caller can see");
    eprintln!(
        "{} operations over {ROUNDS} kills: {settled} settled, {pending} pending at a gateway that cannot tell",
        asks.len()
    );
}
