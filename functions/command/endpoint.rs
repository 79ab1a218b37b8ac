//! `kessai endpoint`: where a merchant wants to hear of events.

use clap::{Args, Subcommand};
use kessai_shared::ids::EndpointId;
use kessai_shared::ports::Method;
use serde_json::Value;

use super::api::To;
use super::text::{Section, at, with_secret};
use super::{Asking, Body, Change, any_of, id, status};

const PATH: &str = "/set-up/webhook-endpoints";

pub const SECTION: Section = Section {
    title: "Webhook endpoints",
    member: "webhookEndpoints",
    columns: &[
        ("ID", &["/id"]),
        ("STATUS", &["/status"]),
        ("ADDRESS", &["/url"]),
        ("EVENTS", &["/events"]),
        ("OLD SECRET ENDS", &["/oldSecretEndsAt"]),
        ("DESCRIPTION", &["/description"]),
    ],
};

#[derive(Debug, Subcommand)]
pub enum Endpoint {
    /// List the merchant's endpoints
    List(To),
    /// Add an endpoint, and show its secret this once; a merchant has at most 16
    Add(Add),
    /// Change an endpoint
    Set(Set),
    /// Give an endpoint a new secret beside the old one, and show it this once
    Roll(Roll),
    /// Remove an endpoint
    Remove(Remove),
}

#[derive(Debug, Args)]
pub struct Add {
    /// Where it listens: https://, at most 2048 characters
    #[arg(long, value_name = "URL")]
    address: String,
    /// What it hears of: one event (refund.created), all of a kind (payment.*), or every one (*). May be given several
    /// times, or several with commas between; at most 32
    #[arg(long = "event", value_name = "EVENT", value_delimiter = ',', required = true)]
    events: Vec<String>,
    /// At most 255 characters
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
#[command(group = any_of(["address", "events", "description", "status"]))]
pub struct Set {
    /// Which endpoint
    #[arg(value_parser = id(EndpointId::parse))]
    id: EndpointId,
    /// Where it listens: https://, at most 2048 characters
    #[arg(long, value_name = "URL")]
    address: Option<String>,
    /// What it hears of from now on, instead of what it heard before; as for `add`
    #[arg(long = "event", value_name = "EVENT", value_delimiter = ',')]
    events: Vec<String>,
    /// At most 255 characters; '' for none
    #[arg(long)]
    description: Option<String>,
    /// Whether it wants to hear of anything now
    #[arg(long, value_parser = status(), ignore_case = true)]
    status: Option<String>,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
pub struct Roll {
    /// Which endpoint
    #[arg(value_parser = id(EndpointId::parse))]
    id: EndpointId,
    /// How long the old secret signs beside the new one: an ISO 8601 duration or seconds, at most P30D [default: P1D]
    #[arg(long, value_name = "DURATION")]
    overlap: Option<String>,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
pub struct Remove {
    /// Which endpoint
    #[arg(value_parser = id(EndpointId::parse))]
    id: EndpointId,
    #[command(flatten)]
    change: Change,
}

impl Endpoint {
    pub(super) fn asking(self) -> Asking {
        match self {
            Self::List(to) => Asking::list(to, &SECTION),
            Self::Add(Add { address, events, description, change }) => {
                let body =
                    Body::default().with("url", address).list("events", events).maybe("description", description);
                Asking::post(change, PATH, body, |answer| shown("Made", answer))
            }
            Self::Set(Set { id, address, events, description, status, change }) => {
                let body = Body::default()
                    .maybe("url", address)
                    .list("events", events)
                    .maybe("description", description)
                    .maybe("status", status);
                Asking::patch(change, format!("{PATH}/{id}"), body)
            }
            Self::Roll(Roll { id, overlap, change }) => {
                let body = Body::default().maybe("overlap", overlap);
                Asking::post(change, format!("{PATH}/{id}/roll"), body, |answer| shown("Rolled", answer))
            }
            Self::Remove(Remove { id, change }) => {
                Asking::change(change, Method::Delete, format!("{PATH}/{id}"), None, |_| "Removed.".to_owned())
            }
        }
    }
}

fn shown(done: &str, answer: &Value) -> String {
    let said = format!("{done} the endpoint {} ({}).", at(answer, "/id"), at(answer, "/url"));
    with_secret(&said, "the secret that deliveries to it are signed with", &at(answer, "/secret"))
}
