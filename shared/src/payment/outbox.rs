//! What merchants are yet to be told: kept in the payment itself, so that an event exists exactly when its change does.
//! A stored method keeps the same, of itself, as if it were a payment's first operation
//! ([`crate::method::outbox`]), and so does a payment schedule ([`crate::recurring::schedule::outbox`]).
//!
//! An entry says which operation took which [`Turn`]; what is told of it is read from the payment when it is told, so
//! that nobody ever hears how things stood before. Entries are numbered through, and each endpoint gets them in that
//! order: one that fails waits, and holds up nobody but itself. What everybody has got is forgotten here.

use std::collections::BTreeMap;
use std::time::Duration;

use super::sequel::What;
use super::{Operation, Payment, State, Verdict};
use crate::event::{EventName, EventNames, Turn};
use crate::ids::{EndpointId, Ordinal, hash};
use crate::recurring::schedule;
use crate::time::Timestamp;

/// How long to wait after the nth attempt in vain to tell an endpoint; then always the last. A part of it is left to
/// chance, so that what failed together does not come back together.
const BACKOFF: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 60 * 60),
    Duration::from_secs(5 * 60 * 60),
    Duration::from_secs(10 * 60 * 60),
];

/// After so long in vain an event is given up.
pub const TRY_FOR: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// What is yet to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    /// How many entries there ever were: the number of the last.
    pub made: u32,
    /// Those up to this one were told, but to who is [`behind`](Self::behind).
    pub seen: u32,
    /// What somebody is yet to be told, in order.
    pub entries: Vec<Entry>,
    pub behind: BTreeMap<EndpointId, Behind>,
}

/// One thing to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Rises within a payment: the version of what is told.
    pub number: u32,
    pub operation: Ordinal,
    pub news: News,
    pub at: Timestamp,
}

/// What there is to tell of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    Created,
    Pending,
    Verdict,
    /// The sequel at this place.
    Sequel(u8),
    /// Its owner changed it, to this version: of a stored method alone.
    Changed(u32),
    /// What became of a payment schedule.
    Schedule(schedule::outbox::Turn),
}

/// An endpoint that could not be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    /// What it is to be told next.
    pub from: u32,
    /// When it was first tried.
    pub since: Timestamp,
    pub attempts: u32,
    pub due: Timestamp,
}

/// What came of telling one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    pub endpoint: EndpointId,
    /// It has got everything up to this one; what comes after it and was seen is due at once, if nothing failed.
    pub through: u32,
    /// The one after it failed; `chance` is a random byte that decides how long to wait.
    pub failed: Option<Failure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    pub number: u32,
    pub chance: u8,
}

/// What came of a run through the outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// It saw everything up to this one.
    pub seen: u32,
    /// Every endpoint that is to be told anything, whether it was told now or not: of the others it is taken that they
    /// want nothing.
    pub told: Vec<Told>,
    /// Nobody is to be told any more: they are gone, or switched off.
    pub gone: Vec<EndpointId>,
}

impl Outbox {
    /// When somebody must be told something.
    pub fn due(&self) -> Option<Timestamp> {
        let fresh = self.entries.iter().filter(|entry| entry.number > self.seen).map(|entry| entry.at);
        fresh.chain(self.behind.values().map(|behind| behind.due)).min()
    }

    /// What `endpoint` is to be told now, in order.
    pub fn owed(&self, endpoint: EndpointId, now: Timestamp) -> &[Entry] {
        let from = match self.behind.get(&endpoint) {
            Some(behind) if behind.due > now => return &[],
            Some(behind) => behind.from,
            None => self.seen.saturating_add(1),
        };
        let first = self.entries.partition_point(|entry| entry.number < from);
        self.entries.get(first..).unwrap_or_default()
    }

    /// What a run says of an endpoint that it told nothing: it waits, or there was no time.
    pub fn untold(&self, endpoint: EndpointId) -> Told {
        Told { endpoint, through: self.next_of(endpoint).saturating_sub(1), failed: None }
    }

    /// The first that it may not have got.
    fn next_of(&self, endpoint: EndpointId) -> u32 {
        self.behind.get(&endpoint).map_or(self.seen.saturating_add(1), |behind| behind.from)
    }

    /// Whether telling this endpoint has been in vain for so long that nobody goes on.
    pub fn is_given_up(&self, endpoint: EndpointId, now: Timestamp) -> bool {
        self.behind.get(&endpoint).is_some_and(|behind| now.since(behind.since) >= TRY_FOR)
    }

    /// Takes in what came of a run. Two runs at once tell twice, and what either found out stands.
    pub(crate) fn learn(&mut self, round: &Round, now: Timestamp) {
        let seen = self.seen.max(round.seen.min(self.made));
        for told in &round.told {
            self.learn_of(told, seen, now);
        }
        for endpoint in &round.gone {
            self.behind.remove(endpoint);
        }
        self.seen = seen;
        let needed = self.behind.values().map(|behind| behind.from).min().unwrap_or(u32::MAX);
        self.entries.retain(|entry| entry.number > seen || entry.number >= needed);
    }

    /// `seen`: what counts as told once this run is written, but to who is behind.
    fn learn_of(&mut self, told: &Told, seen: u32, now: Timestamp) {
        let known = self.behind.get(&told.endpoint).copied();
        // Another run may have got further, or less far.
        let next = self.next_of(told.endpoint);
        let behind = match told.failed {
            Some(Failure { number, chance }) if number >= next => {
                let again = known.filter(|behind| behind.from == number);
                let attempts = again.map_or(0, |behind| behind.attempts).saturating_add(1);
                let since = again.map_or(now, |behind| behind.since);
                Behind { from: number, since, attempts, due: now.plus(wait(attempts, chance)) }
            }
            Some(_) | None => {
                let from = next.max(told.through.saturating_add(1));
                if from > seen {
                    self.behind.remove(&told.endpoint);
                    return;
                }
                // There was no time for the rest, or one run knew of more, and the other got further.
                let again = known.filter(|behind| behind.from == from);
                again.unwrap_or(Behind { from, since: now, attempts: 0, due: now })
            }
        };
        self.behind.insert(told.endpoint, behind);
    }

    /// Tells once more what was told before, as of `at`: it is the same event.
    pub(crate) fn tell_again(&mut self, operation: Ordinal, news: News, at: Timestamp) {
        self.push(operation, news, at);
    }

    pub(crate) fn push(&mut self, operation: Ordinal, news: News, at: Timestamp) {
        self.made = self.made.saturating_add(1);
        self.entries.push(Entry { number: self.made, operation, news, at });
    }

    /// Nobody was told yet that it is pending, and it is no more.
    pub(crate) fn forget_pending(&mut self, operation: Ordinal) {
        let seen = self.seen;
        let is_over =
            |entry: &Entry| entry.operation == operation && entry.news == News::Pending && entry.number > seen;
        self.entries.retain(|entry| !is_over(entry));
    }
}

/// Between half of the backoff and all of it.
fn wait(attempts: u32, chance: u8) -> Duration {
    let step = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let whole = BACKOFF.get(step).or(BACKOFF.last()).copied().unwrap_or_default();
    let half = whole / 2;
    half.saturating_add(half.saturating_mul(u32::from(chance)) / u32::from(u8::MAX))
}

impl Payment {
    /// Puts into the outbox what follows from the change from `before`: of what is `wanted`, and nothing else.
    pub(super) fn tell(&mut self, before: Option<&Self>, wanted: EventNames, now: Timestamp) {
        if wanted.is_empty() {
            return;
        }
        let Self { operations, outbox, .. } = self;
        for (place, operation) in operations.iter().enumerate() {
            let known = before.and_then(|before| before.operations.get(place));
            if known == Some(operation) {
                continue;
            }
            let Some(ordinal) = Ordinal::new(place) else { continue };
            if operation.is_settled() {
                outbox.forget_pending(ordinal);
            }
            let news = operation.news_since(known);
            let wanted = news.filter(|news| operation.event(*news).is_some_and(|name| wanted.contains(name)));
            wanted.for_each(|news| outbox.push(ordinal, news, now));
        }
    }

    /// The name of an entry of the outbox.
    pub fn event(&self, entry: &Entry) -> Option<EventName> {
        self.operation(entry.operation)?.event(entry.news)
    }

    /// The id of an event: whoever is told twice can tell by it. Ids are in the order of time.
    pub fn event_id(&self, entry: &Entry) -> Option<String> {
        let Entry { operation, news, at, .. } = *entry;
        let known = self.operation(operation)?;
        let record = known.record().id(self.id, operation);
        let (name, sequel) = match news {
            News::Created => ("created", ""),
            News::Pending => ("pending", ""),
            News::Verdict => ("verdict", ""),
            News::Sequel(place) => {
                let sequel = &known.sequels.get(usize::from(place))?.sequel;
                (sequel.what.name(), sequel.id.as_str())
            }
            News::Changed(_) | News::Schedule(_) => return None,
        };
        let parts = [self.merchant.as_str(), record.as_str(), name, sequel].map(str::as_bytes);
        Some(event_id(at, hash("event", &parts)))
    }
}

/// When it came to be, and a hash of what it is.
pub(crate) fn event_id(at: Timestamp, hash: u128) -> String {
    format!("evt_{:011x}{:020x}", at.as_millis().max(0), hash >> 48)
}

impl Operation {
    fn news_since(&self, before: Option<&Self>) -> impl Iterator<Item = News> {
        let created = before.is_none().then_some(News::Created);
        let was_pending = before.is_some_and(Self::is_pending);
        let pending = (self.is_pending() && !was_pending).then_some(News::Pending);
        let was_settled = before.is_some_and(Self::is_settled);
        let verdict = (self.is_settled() && !was_settled).then_some(News::Verdict);
        // Before the verdict, or where that was no, there is nothing that could have a sequel.
        let known = before.filter(|before| before.is_settled()).map_or(0, |before| before.sequels.len());
        let heard = if self.is_approved() { self.sequels.len() } else { 0 };
        let sequels = (known..heard).filter_map(|place| u8::try_from(place).ok()).map(News::Sequel);
        created.into_iter().chain(pending).chain(verdict).chain(sequels)
    }

    /// Whether the gateway was asked, and its verdict is to come.
    fn is_pending(&self) -> bool {
        match &self.state {
            State::Open(open) => open.unknown,
            State::Accepted(_) => true,
            State::Unsent | State::Settled(_) => false,
        }
    }

    fn event(&self, news: News) -> Option<EventName> {
        let turn = match news {
            News::Created => Turn::Created,
            News::Pending => Turn::Pending,
            News::Verdict => match &self.state {
                State::Settled(settled) if settled.verdict == Verdict::Approved => Turn::Succeeded,
                State::Settled(_) => Turn::Failed,
                State::Open(_) | State::Unsent | State::Accepted(_) => return None,
            },
            News::Sequel(place) => match self.sequels.get(usize::from(place))?.sequel.what {
                What::Failed => Turn::Failed,
                What::Dispute(stage) => Turn::Disputed(stage),
            },
            News::Changed(_) | News::Schedule(_) => return None,
        };
        Some(EventName::of(self.record(), turn))
    }
}
