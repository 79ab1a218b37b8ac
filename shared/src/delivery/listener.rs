//! Who is told: what of it, and how.

use super::{About, Run};
use crate::event::{EventName, EventNames};
use crate::ids::EndpointId;
use crate::merchant::health::Came;
use crate::merchant::{Endpoint, Health};
use crate::payment::Payment;
use crate::payment::outbox::{Entry, News};
use crate::ports::{Bus, Delivered, DeliveryFault, Expected, Note, Written};
use crate::rejection::Fault;
use crate::shell::Pause;
use crate::stored::event::Recorded;
use crate::stored::health::{decode_health, encode_health, health_key};
use crate::time::Timestamp;
use crate::webhook;

/// The account's own bus, where it is told anything, and what it is told: how a sale or capture came out.
#[derive(Clone, Copy)]
pub struct OnBus<'a> {
    pub bus: &'a dyn Bus,
    pub render: fn(&Recorded, &Payment) -> String,
}

/// The names of what the bus is told of.
pub fn on_bus() -> EventNames {
    [EventName::PaymentSucceeded, EventName::PaymentFailed].into_iter().collect()
}

/// Whether the bus is told of it. What came after the verdict has the same name, and made nothing.
pub fn is_for_bus(name: EventName, news: News) -> bool {
    news == News::Verdict && on_bus().contains(name)
}

/// Somebody who is told.
#[derive(Clone, Copy)]
pub(super) enum Listener<'a> {
    Endpoint(EndpointId, &'a Endpoint),
    /// It is told like an endpoint, of payments alone, but nobody disables it: each event is tried for as long as events
    /// are.
    Bus(OnBus<'a>, &'a Payment),
}

/// A delivery as it is sent.
struct Signed {
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// One attempt.
pub(super) struct Attempt {
    /// The status of an answer.
    pub(super) result: Result<u16, DeliveryFault>,
    /// It was the listener's to answer for.
    pub(super) was_sent: bool,
}

impl Listener<'_> {
    pub(super) fn id(&self) -> EndpointId {
        match self {
            Self::Endpoint(id, _) => *id,
            Self::Bus(..) => EndpointId::BUS,
        }
    }

    pub(super) fn wants(&self, about: About<'_>, entry: &Entry) -> bool {
        let Some(name) = about.event(entry) else { return false };
        match self {
            Self::Endpoint(_, endpoint) => endpoint.wants(name.text()),
            Self::Bus(..) => is_for_bus(name, entry.news),
        }
    }

    pub(super) fn is_disabled(&self, health: &Health) -> bool {
        match self {
            Self::Endpoint(_, endpoint) => health.is_disabled(endpoint),
            Self::Bus(..) => false,
        }
    }
}

impl Run<'_> {
    /// How the listener has fared.
    pub(super) async fn health(&self, listener: Listener<'_>) -> Result<Health, Fault> {
        let Listener::Endpoint(id, _) = listener else { return Ok(Health::default()) };
        let (with, key) = (self.with, health_key(&self.with.merchant.id, &id));
        let item = self.shell.patiently(self.deadline, || with.directory.find(&key)).await?;
        Ok(decode_health(item)?)
    }

    /// Writes down how the listener fares, where that is new. That something got through must not be lost: what fails
    /// later would be taken for a part of the same row.
    pub(super) async fn fared(&self, listener: Listener<'_>, mut known: Health, came: Came) -> Result<Health, Fault> {
        let Listener::Endpoint(id, endpoint) = listener else { return Ok(known) };
        let merchant = &self.with.merchant.id;
        let mut pause = Pause::default();
        while let Some(next) = known.after(endpoint, came, self.shell.clock.now()) {
            let expected = if known.version == 0 { Expected::Absent } else { Expected::Version(known.version) };
            match self.with.merchants.write(encode_health(merchant, &id, &next), expected).await {
                Ok(Written::Done) => {
                    if let (true, Some(since)) = (next.is_disabled(endpoint), next.failing_since) {
                        let since = self.shell.clock.now().since(since);
                        self.shell.journal.note(&Note::Disabled { merchant: *merchant, endpoint: id, since });
                    }
                    return Ok(next);
                }
                Ok(Written::Conflict(found)) => known = decode_health(found)?,
                Err(fault) => self.shell.pause_after(fault, &mut pause, self.deadline).await?,
            }
        }
        Ok(known)
    }

    /// Tells the listener of this event, once.
    pub(super) async fn attempt(&self, listener: Listener<'_>, event: &Recorded) -> Attempt {
        let began_at = self.shell.clock.now();
        let result = match listener {
            Listener::Endpoint(id, endpoint) => {
                let Some(Signed { headers, body }) = self.signed(id, endpoint, event, began_at) else {
                    let fault = DeliveryFault::NotSent("it could not be signed".to_owned());
                    return Attempt { result: Err(fault), was_sent: false };
                };
                self.with.deliveries.deliver(&endpoint.url, &headers, body).await
            }
            Listener::Bus(OnBus { bus, render }, payment) => {
                bus.put(event.item.merchant(), event.at, render(event, payment)).await
            }
        };
        let status = match &result {
            Ok(status) | Err(DeliveryFault::Status(status)) => Some(*status),
            Err(
                DeliveryFault::Refused(_)
                | DeliveryFault::NotSent(_)
                | DeliveryFault::Lost(_)
                | DeliveryFault::NotTaken(_),
            ) => None,
        };
        self.shell.journal.note(&Note::Delivered(Delivered {
            event: &event.id,
            endpoint: listener.id(),
            status,
            fault: result.as_ref().err(),
            took: self.shell.clock.now().since(began_at),
        }));
        Attempt { result, was_sent: true }
    }

    /// An event is given up. Of an endpoint that is its merchant's affair; the bus is ours.
    pub(super) fn gave_up(&self, listener: Listener<'_>, event: &Recorded) {
        match listener {
            Listener::Endpoint(..) => {}
            Listener::Bus(..) => self.shell.journal.note(&Note::Untold { event: &event.id }),
        }
    }

    /// The delivery as it is sent now; none where it cannot be signed.
    fn signed(&self, id: EndpointId, endpoint: &Endpoint, event: &Recorded, now: Timestamp) -> Option<Signed> {
        let unsigned = |cause: &str| self.shell.journal.note(&Note::Unsigned { endpoint: id, cause });
        let Some(keys) = &self.shell.sealing_keys else {
            unsigned("this function has no sealing keys");
            return None;
        };
        let secrets = match endpoint.opened_secrets(&self.with.merchant.id, id, keys, now) {
            Ok(secrets) => secrets,
            Err(fault) => {
                unsigned(&fault.to_string());
                return None;
            }
        };
        let body = (self.with.render)(event, self.about, now);
        let seconds = now.as_millis().div_euclid(1000);
        let Some(signature) = webhook::sign(&event.id, seconds, &body, &secrets) else {
            unsigned("it has no secret that we could sign with");
            return None;
        };
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("user-agent", "Kessai".to_owned()),
            (webhook::ID, event.id.clone()),
            (webhook::TIMESTAMP, seconds.to_string()),
            (webhook::SIGNATURE, signature),
        ];
        Some(Signed { headers, body })
    }
}
