//! An event as merchants read it: what a delivery of it holds, and what came of telling it.

use kessai_shared::delivery::About;
use kessai_shared::payment::outbox::News;
use kessai_shared::stored::event::{Attempted, Delivery, Recorded};
use kessai_shared::time::Timestamp;
use serde::Serialize;

use super::envelope::Envelope;
use super::method::Reading;
use super::schedule;
use super::view::View;

/// What is told: what happened, and the record as whoever asks for it now would see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    id: String,
    #[serde(rename = "type")]
    name: &'static str,
    timestamp: String,
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data>,
}

/// As `GET` of it shows it.
#[derive(Serialize)]
#[serde(untagged)]
enum Data {
    Record(Box<Envelope>),
    Method(Box<Reading>),
    Schedule(Box<schedule::Reading>),
}

impl Data {
    fn of(recorded: &Recorded, about: About<'_>, now: Timestamp) -> Option<Self> {
        match about {
            About::Payment(payment) => {
                View::of(payment, recorded.operation).map(|view| Self::Record(Box::new(view.reading(now))))
            }
            About::Method(method) => Reading::of(method, now).map(|reading| Self::Method(Box::new(reading))),
            About::Schedule(schedule) => {
                let turn = if let News::Schedule(turn) = recorded.news { turn.attempt() } else { None };
                let reading = schedule::Reading::told(schedule, turn.map(|attempt| attempt.item));
                Some(Self::Schedule(Box::new(reading)))
            }
        }
    }
}

/// An event with what came of telling it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    #[serde(flatten)]
    told: Told,
    deliveries: Vec<ShownDelivery>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownDelivery {
    endpoint_id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
    attempts: u32,
    last_attempt_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Told {
    pub fn of(recorded: &Recorded, about: Option<About<'_>>, now: Timestamp) -> Self {
        Self {
            id: recorded.id.clone(),
            name: recorded.name.text(),
            timestamp: recorded.at.to_string(),
            version: recorded.version,
            data: about.and_then(|about| Data::of(recorded, about, now)),
        }
    }
}

impl Shown {
    pub fn of(recorded: &Recorded, about: Option<About<'_>>, now: Timestamp) -> Self {
        let deliveries = recorded.deliveries.iter().map(ShownDelivery::of).collect();
        Self { told: Told::of(recorded, about, now), deliveries }
    }
}

impl ShownDelivery {
    fn of(attempted: &Attempted) -> Self {
        Self {
            endpoint_id: attempted.endpoint.to_string(),
            status: match attempted.state {
                Delivery::Delivered => "Delivered",
                Delivery::Failed => "Failed",
                Delivery::GivenUp => "GivenUp",
            },
            http_status: attempted.status,
            attempts: attempted.attempts,
            last_attempt_date: attempted.at.to_string(),
            message: attempted.fault.clone(),
        }
    }
}
