//! Sends notices to merchants, each until somebody takes it.
//!
//! Every status of 2xx takes a notice. That is written into the ledger, so that it is not sent again after a restart;
//! what was sent and not written down yet is. One body carries all that is owed of one operation at its moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kessai_infra::http::HttpClient;
use kessai_shared::card::Secret;
use kessai_shared::ports::{Http, HttpRequest, Method};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::behaviour::Fault;
use super::notice::{Item, Notice, SIGNATURE_HEADER, Stage, envelope};
use super::route::Class;
use super::script::Mishap;
use super::server::{Desk, State, now_ms};

/// Most notices on their way at once.
pub const DELIVERIES_MAX: usize = 16;

/// How long a merchant has to take a notice.
const TAKE_LIMIT: Duration = Duration::from_secs(10);

/// Longest pause without a look, so that a clock that is moved does not stop the post.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Where the notices of a class go, and what they are signed with.
#[derive(Debug)]
pub struct Notify {
    /// Of `http` or `https`.
    pub url: String,
    /// Two while one replaces the other.
    pub secrets: Vec<Secret>,
    /// Only what its answer could not say is told of an operation: how it ended, and what came after.
    pub only_later: bool,
}

/// Where the notices of each class go; those of the others go nowhere.
pub type Receivers = BTreeMap<Class, Notify>;

/// A body on its way.
struct Letter {
    place: usize,
    stages: Vec<Stage>,
    url: String,
    notice: Notice,
    mishap: Option<Mishap>,
}

/// Sends until the server stops.
pub async fn run(desk: Arc<Desk>, http: HttpClient) {
    let mut stopping = desk.stopping.clone();
    let mut deliveries = JoinSet::new();
    loop {
        let (letters, pause) = desk.state.lock().await.letters(DELIVERIES_MAX - deliveries.len(), now_ms());
        for letter in letters {
            deliveries.spawn(deliver(letter, http.clone()));
        }
        let delivered = tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => break,
            Some(delivered) = deliveries.join_next() => delivered.ok(),
            () = desk.news.notified() => None,
            () = sleep(pause) => None,
        };
        if let Some((letter, is_taken)) = delivered {
            desk.delivered(&letter, is_taken).await;
        }
    }
    deliveries.shutdown().await;
}

async fn deliver(mut letter: Letter, http: HttpClient) -> (Letter, bool) {
    if letter.mishap.is_some_and(|mishap| mishap.fault == Fault::MalformedBody) {
        letter.notice = letter.notice.cut_short();
    }
    let headers =
        vec![("content-type", "application/json".to_owned()), (SIGNATURE_HEADER, letter.notice.signature.clone())];
    let body = letter.notice.body.clone().into_bytes().into();
    let request = HttpRequest { method: Method::Post, url: letter.url.clone(), headers, body };
    let is_taken = post(request, letter.mishap, &http).await;
    (letter, is_taken)
}

/// Posts something once. Whether it was taken, as far as the sender can know.
pub async fn post(request: HttpRequest, mishap: Option<Mishap>, http: &HttpClient) -> bool {
    if let Some(Mishap { delay_ms, .. }) = mishap {
        sleep(Duration::from_millis(delay_ms)).await;
    }
    let fault = mishap.map(|mishap| mishap.fault);
    if fault == Some(Fault::LostRequest) {
        return false;
    }
    let answer = http.send(request, TAKE_LIMIT).await;
    answer.is_ok_and(|answer| (200..300).contains(&answer.status)) && fault != Some(Fault::LostAnswer)
}

impl Desk {
    async fn delivered(&self, letter: &Letter, is_taken: bool) {
        let mut state = self.state.lock().await;
        let State { gateway, ledger, outbox, .. } = &mut *state;
        if !is_taken {
            return outbox.refused(letter.place, now_ms());
        }
        let record = gateway.taken(letter.place, letter.stages.clone(), now_ms());
        outbox.taken(letter.place, now_ms());
        if let Err(error) = ledger.append(&[record]) {
            // When the channel is full, an earlier failure is already stopping the server.
            let _ = self.failed.try_send(error);
        }
    }
}

impl State {
    /// At most so many bodies whose moment has come, and how long there is nothing else to do.
    fn letters(&mut self, most: usize, now_ms: i64) -> (Vec<Letter>, Duration) {
        let mut letters = Vec::new();
        while letters.len() < most {
            let Some(place) = self.outbox.take(now_ms) else {
                let pause_ms = self.outbox.next_ms().map_or(i64::MAX, |next_ms| next_ms.saturating_sub(now_ms));
                return (letters, PAUSE_MAX.min(Duration::from_millis(pause_ms.unsigned_abs())));
            };
            letters.extend(self.letter(place, now_ms));
        }
        // A delivery that ends makes room for the next.
        (letters, PAUSE_MAX)
    }

    /// What is owed of an operation; where there is nothing yet, it is put back.
    fn letter(&mut self, place: usize, now_ms: i64) -> Option<Letter> {
        let operation = self.gateway.operation(place)?;
        let class = operation.class;
        let Notify { url, secrets, only_later } = self.receivers.get(&class)?;
        let untold = self.gateway.untold(place, now_ms).into_iter();
        let told = untold.filter(|item| !only_later || item.is_told_later(operation));
        let (owed, later): (Vec<Item>, Vec<Item>) = told.partition(|item| item.at_ms <= now_ms);
        if owed.is_empty() {
            self.outbox.rest(place, later.iter().map(|item| item.at_ms).min());
            return None;
        }
        let secrets: Vec<&str> = secrets.iter().map(Secret::reveal).collect();
        Some(Letter {
            place,
            stages: owed.iter().map(|item| item.stage).collect(),
            url: url.clone(),
            notice: envelope(owed.iter().map(|item| &item.told), &secrets, self.clock.now().as_millis()),
            mishap: self.gateway.strike_notice(class),
        })
    }
}
