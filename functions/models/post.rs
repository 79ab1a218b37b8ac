//! Sends what models tell unasked, each body until somebody takes it with a status of 2xx, with the same headers each
//! time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kessai_infra::http::HttpClient;
use kessai_shared::ports::{HttpRequest, Method};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Webhook;
use super::server::Counter;
use crate::sandbox::{DELIVERIES_MAX, Fault, Mishap, Outbox, TELL_MS, post};

/// Longest pause without a look, so that a clock that is moved is soon noticed.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// What is to be sent, and when: a plain value.
#[derive(Debug, Default)]
pub struct Post {
    letters: BTreeMap<usize, Letter>,
    outbox: Outbox,
    /// Of all letters there ever were.
    count: usize,
}

/// A body, and where it goes.
#[derive(Clone, Debug)]
pub struct Letter {
    pub model: &'static str,
    pub url: String,
    pub webhook: Webhook,
}

/// A letter on its way.
pub struct Sending {
    place: usize,
    letter: Letter,
    mishap: Option<Mishap>,
}

impl Post {
    pub fn add(&mut self, letter: Letter) {
        self.outbox.add(self.count, letter.webhook.at_ms);
        self.letters.insert(self.count, letter);
        self.count += 1;
    }

    /// At most so many letters whose moment has come, each with what strikes it, and how long there is nothing to do.
    pub fn due(
        &mut self,
        most: usize,
        now_ms: i64,
        mut strike: impl FnMut(&str) -> Option<Mishap>,
    ) -> (Vec<Sending>, Duration) {
        let mut due = Vec::new();
        while due.len() < most {
            let Some(place) = self.outbox.take(now_ms) else {
                let pause_ms = self.outbox.next_ms().map_or(i64::MAX, |next_ms| next_ms.saturating_sub(now_ms));
                return (due, PAUSE_MAX.min(Duration::from_millis(pause_ms.unsigned_abs())));
            };
            due.extend(self.letters.get(&place).map(|letter| {
                let mishap = strike(letter.model);
                Sending { place, letter: letter.clone(), mishap }
            }));
        }
        // A delivery that ends makes room for the next.
        (due, PAUSE_MAX)
    }

    /// What was taken is done with; what was not is sent again later, as long as it is worth telling.
    fn sent(&mut self, sending: &Sending, is_taken: bool, now_ms: i64) {
        let worth_until_ms = sending.letter.webhook.at_ms.saturating_add(TELL_MS);
        if !is_taken && now_ms < worth_until_ms {
            return self.outbox.refused(sending.place, now_ms);
        }
        self.letters.remove(&sending.place);
        self.outbox.rest(sending.place, None);
    }
}

/// Sends until the server stops.
pub async fn run(counter: Arc<Counter>, http: HttpClient) {
    let mut stopping = counter.stopping.clone();
    let mut deliveries = JoinSet::new();
    loop {
        let (due, pause) = counter.due(DELIVERIES_MAX - deliveries.len()).await;
        for sending in due {
            deliveries.spawn(deliver(sending, http.clone()));
        }
        let delivered = tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => break,
            Some(delivered) = deliveries.join_next() => delivered.ok(),
            () = counter.news.notified() => None,
            () = sleep(pause) => None,
        };
        if let Some((sending, is_taken)) = delivered {
            let mut state = counter.state.lock().await;
            state.post.sent(&sending, is_taken, counter.now_ms());
        }
    }
    deliveries.shutdown().await;
}

async fn deliver(sending: Sending, http: HttpClient) -> (Sending, bool) {
    let Letter { url, webhook, .. } = &sending.letter;
    let mut body = webhook.body.clone().into_bytes();
    if sending.mishap.is_some_and(|mishap| mishap.fault == Fault::MalformedBody) {
        body.truncate(body.len() / 2);
    }
    let request =
        HttpRequest { method: Method::Post, url: url.clone(), headers: webhook.headers.clone(), body: body.into() };
    let is_taken = post(request, sending.mishap, &http).await;
    (sending, is_taken)
}
