//! Tells merchants what happened: takes what the outbox of a payment, of a stored method, or of a payment schedule, owes
//! to whom, delivers it, and writes down what came of it.
//!
//! Endpoints are told side by side, and of payments the account's own bus where there is one, each in order: one that
//! fails waits, and holds up nobody but itself. What is told is the record as it is, not as it was when the event came
//! to be. Whoever runs this may be killed at any await: only what is written as told is not told again, so everything is
//! told at least once, and a merchant knows a repetition by its id. What is kept for those who ask later is written
//! before that and after it was tried: nothing counts as told that nobody can look up, but whoever looks while being told
//! may be too early.

mod listener;
mod schedule;

use std::time::Duration;

use self::listener::{Attempt, Listener};
pub use self::listener::{OnBus, is_for_bus, on_bus};
use crate::event::EventName;
use crate::ids::{EndpointId, ItemKey};
use crate::merchant::Merchant;
use crate::merchant::health::Came as Fared;
use crate::method::Method;
use crate::payment::Payment;
use crate::payment::outbox::{Entry, Failure, Outbox, Round, Told};
use crate::ports::{Archive, Deliveries, DeliveryFault, Directory, Note, Pending, Store};
use crate::recurring::ids::RecurringKey;
use crate::recurring::schedule::Schedule;
use crate::rejection::{Fault, Refusal};
use crate::reminder::EARLY;
use crate::shell::{Route, Shell};
use crate::stored::event::{Attempted, Delivery, Recorded, decode_recorded, encode_recorded};
use crate::stored::method::StoredMethod;
use crate::stored::payment::Stored;
use crate::time::Timestamp;
use crate::together::together;

/// As long as one delivery may take: longer than any endpoint is waited for.
const DELIVERY: Duration = Duration::from_secs(11);

/// Kept back before the deadline for writing what came of it.
const WRITE_RESERVE: Duration = Duration::from_secs(4);

/// What telling needs beside the shell.
#[derive(Clone, Copy)]
pub struct Delivering<'a> {
    pub merchant: &'a Merchant,
    pub deliveries: &'a dyn Deliveries,
    pub bus: Option<OnBus<'a>>,
    pub archive: &'a dyn Archive,
    /// How endpoints fare, as it was a minute ago and as it is.
    pub directory: &'a dyn Directory,
    pub merchants: &'a dyn Store,
    /// The event with its record as that stands now: what is delivered.
    pub render: fn(&Recorded, About<'_>, Timestamp) -> Vec<u8>,
}

/// What merchants are told of, as it stands now.
#[derive(Clone, Copy)]
pub enum About<'a> {
    Payment(&'a Payment),
    Method(&'a Method),
    Schedule(&'a Schedule),
}

impl<'a> About<'a> {
    fn item(self) -> ItemKey {
        match self {
            Self::Payment(payment) => payment.key().into(),
            Self::Method(method) => ItemKey::Method(method.merchant, method.id),
            Self::Schedule(schedule) => ItemKey::Recurring(schedule.merchant, RecurringKey::Schedule(schedule.id)),
        }
    }

    fn outbox(self) -> &'a Outbox {
        match self {
            Self::Payment(payment) => &payment.outbox,
            Self::Method(method) => &method.outbox,
            Self::Schedule(schedule) => &schedule.outbox,
        }
    }

    fn event(self, entry: &Entry) -> Option<EventName> {
        match self {
            Self::Payment(payment) => payment.event(entry),
            Self::Method(method) => method.event(entry),
            Self::Schedule(schedule) => schedule.event(entry),
        }
    }

    fn event_id(self, entry: &Entry) -> Option<String> {
        match self {
            Self::Payment(payment) => payment.event_id(entry),
            Self::Method(method) => method.event_id(entry),
            Self::Schedule(schedule) => schedule.event_id(entry),
        }
    }
}

/// One run through an outbox.
struct Run<'a> {
    shell: &'a Shell,
    with: &'a Delivering<'a>,
    about: About<'a>,
    deadline: Timestamp,
}

/// What came of telling one listener.
struct Came {
    endpoint: EndpointId,
    outcome: Outcome,
    tried: Vec<(Entry, Attempted)>,
}

enum Outcome {
    Told(Told),
    /// It is not told any more.
    Gone,
}

impl Shell {
    /// Tells a payment's merchant what it is owed. Harmless at any time, any number of times. Returns the payment as it
    /// is then: due at once where there was no time for all.
    pub async fn deliver(
        &self,
        with: &Delivering<'_>,
        route: Route<'_>,
        stored: Stored,
        deadline: Timestamp,
    ) -> Result<Payment, Refusal> {
        match self.round(with, About::Payment(&stored.payment), deadline).await? {
            Some(round) => self.told(stored, route, &round, deadline).await,
            None => Ok(stored.payment),
        }
    }

    /// The same of a stored method.
    pub async fn deliver_of_method(
        &self,
        with: &Delivering<'_>,
        stored: StoredMethod,
        deadline: Timestamp,
    ) -> Result<Method, Fault> {
        match self.round(with, About::Method(&stored.method), deadline).await? {
            Some(round) => self.told_of_method(stored, &round, deadline).await,
            None => Ok(stored.method),
        }
    }

    /// Tells what is owed; none where nothing is.
    async fn round(
        &self,
        with: &Delivering<'_>,
        about: About<'_>,
        deadline: Timestamp,
    ) -> Result<Option<Round>, Fault> {
        if about.outbox().due().is_none() {
            return Ok(None);
        }
        let run = Run { shell: self, with, about, deadline };
        if !run.has_time() {
            return Err(Fault::NoTime);
        }
        run.go().await.map(Some)
    }
}

impl Run<'_> {
    /// Whether one more delivery can be made, and what came of it written.
    fn has_time(&self) -> bool {
        self.deadline.since(self.shell.clock.now()) >= DELIVERY + WRITE_RESERVE
    }

    async fn go(&self) -> Result<Round, Fault> {
        let outbox = self.about.outbox();
        let soon = self.shell.clock.now().plus(EARLY);
        let telling = self.listeners().map(|listener| -> Pending<'_, Came> {
            Box::pin(self.tell_or_wait(listener, outbox.owed(listener.id(), soon)))
        });
        let came = together(telling).await;
        self.keep(&came).await?;
        let is_told = |id: &EndpointId| self.listeners().any(|listener| listener.id() == *id);
        let mut round = Round { seen: outbox.made, ..Round::default() };
        round.gone.extend(outbox.behind.keys().filter(|id| !is_told(id)));
        for Came { endpoint, outcome, .. } in came {
            match outcome {
                Outcome::Told(told) => round.told.push(told),
                Outcome::Gone => round.gone.push(endpoint),
            }
        }
        Ok(round)
    }

    /// What hinders us with one of them hinders no other: that one is told later.
    async fn tell_or_wait(&self, listener: Listener<'_>, entries: &[Entry]) -> Came {
        match self.tell(listener, entries).await {
            Ok(came) => came,
            Err(fault) => {
                self.shell.journal.note(&Note::Failed { cause: &fault.to_string() });
                let chance = self.shell.entropy.bytes()[0];
                let failed = entries.first().map(|entry| Failure { number: entry.number, chance });
                let told = Told { failed, ..self.about.outbox().untold(listener.id()) };
                Came { endpoint: listener.id(), outcome: Outcome::Told(told), tried: Vec::new() }
            }
        }
    }

    /// Everybody who is told.
    fn listeners(&self) -> impl Iterator<Item = Listener<'_>> {
        let endpoints = self.with.merchant.endpoints.iter().filter(|(_, endpoint)| endpoint.is_active);
        let endpoints = endpoints.map(|(id, endpoint)| Listener::Endpoint(*id, endpoint));
        let bus = match self.about {
            About::Payment(payment) => self.with.bus.map(|bus| Listener::Bus(bus, payment)),
            About::Method(_) | About::Schedule(_) => None,
        };
        endpoints.chain(bus)
    }

    /// Tells one listener what it is owed, until something fails.
    async fn tell(&self, listener: Listener<'_>, entries: &[Entry]) -> Result<Came, Fault> {
        let (outbox, id) = (self.about.outbox(), listener.id());
        let came = |outcome, tried| Ok(Came { endpoint: id, outcome, tried });
        if entries.is_empty() {
            return came(Outcome::Told(outbox.untold(id)), Vec::new());
        }
        let is_wanted = |entry: &&Entry| listener.wants(self.about, entry);
        let mut health = self.health(listener).await?;
        let mut tried = Vec::new();
        if listener.is_disabled(&health) {
            let waiting = entries.iter().filter(|entry| entry.number <= outbox.seen);
            tried.extend(waiting.filter(is_wanted).map(|entry| self.dropped(id, entry)));
            return came(Outcome::Gone, tried);
        }
        for (place, entry) in entries.iter().enumerate().filter(|(_, entry)| is_wanted(entry)) {
            let Some(event) = self.event(entry) else { continue };
            let through = entry.number.saturating_sub(1);
            if !self.has_time() {
                return came(Outcome::Told(Told { endpoint: id, through, failed: None }), tried);
            }
            let attempt = self.attempt(listener, &event).await;
            let now = self.shell.clock.now();
            let is_given_up = attempt.result.is_err() && place == 0 && outbox.is_given_up(id, now);
            if attempt.was_sent {
                let came = match &attempt.result {
                    Ok(_) => Fared::Through,
                    Err(_) if is_given_up => Fared::GivenUp,
                    Err(_) => Fared::Failed,
                };
                health = self.fared(listener, health, came).await?;
            }
            if is_given_up {
                self.gave_up(listener, &event);
            }
            tried.push((*entry, attempted(id, &attempt, is_given_up, now)));
            if listener.is_disabled(&health) {
                let rest = entries.iter().skip(place.saturating_add(1));
                tried.extend(rest.filter(is_wanted).map(|entry| self.dropped(id, entry)));
                return came(Outcome::Gone, tried);
            }
            if attempt.result.is_err() && !is_given_up {
                let failed = Some(Failure { number: entry.number, chance: self.shell.entropy.bytes()[0] });
                return came(Outcome::Told(Told { endpoint: id, through, failed }), tried);
            }
        }
        came(Outcome::Told(Told { endpoint: id, through: outbox.made, failed: None }), tried)
    }

    /// What is not tried, because its endpoint was disabled.
    fn dropped(&self, endpoint: EndpointId, entry: &Entry) -> (Entry, Attempted) {
        let fault = Some("the endpoint was disabled".to_owned());
        let at = self.shell.clock.now();
        (*entry, Attempted { endpoint, attempts: 0, at, status: None, fault, state: Delivery::GivenUp })
    }

    /// The event that the entry stands for, told to nobody yet.
    fn event(&self, entry: &Entry) -> Option<Recorded> {
        let about = self.about;
        let Entry { number, operation, news, at } = *entry;
        Some(Recorded {
            id: about.event_id(entry)?,
            item: about.item(),
            operation,
            news,
            at,
            version: number,
            name: about.event(entry)?,
            deliveries: Vec::new(),
        })
    }

    /// Keeps every event that is new or was tried.
    async fn keep(&self, came: &[Came]) -> Result<(), Fault> {
        for entry in &self.about.outbox().entries {
            let tried = || came.iter().flat_map(|came| &came.tried).filter(|(tried, _)| tried == entry);
            if entry.number > self.about.outbox().seen || tried().next().is_some() {
                self.keep_one(entry, tried().map(|(_, attempted)| attempted)).await?;
            }
        }
        Ok(())
    }

    async fn keep_one(&self, entry: &Entry, tried: impl Iterator<Item = &Attempted>) -> Result<(), Fault> {
        let Some(mut recorded) = self.event(entry) else { return Ok(()) };
        let (with, merchant) = (self.with, recorded.item.merchant());
        let found = self.shell.patiently(self.deadline, || with.archive.find(merchant.as_str(), &recorded.id)).await?;
        let known = found.map(decode_recorded).transpose()?;
        recorded.deliveries = known.map(|known| known.deliveries).unwrap_or_default();
        tried.for_each(|attempted| recorded.attempted(attempted.clone()));
        let item = encode_recorded(&recorded);
        self.shell.patiently(self.deadline, || with.archive.keep(item.clone())).await
    }
}

fn attempted(endpoint: EndpointId, attempt: &Attempt, is_given_up: bool, at: Timestamp) -> Attempted {
    let (status, fault, state) = match &attempt.result {
        Ok(status) => (Some(*status), None, Delivery::Delivered),
        Err(fault) => {
            let status = if let DeliveryFault::Status(status) = fault { Some(*status) } else { None };
            (status, Some(fault.to_string()), if is_given_up { Delivery::GivenUp } else { Delivery::Failed })
        }
    };
    Attempted { endpoint, attempts: 1, at, status, fault, state }
}
