//! `kessai key`: API keys, made, replaced and revoked.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use kessai_shared::ids::ApiKeyId;
use kessai_shared::merchant::Scope;
use kessai_shared::ports::Method;
use serde_json::Value;

use super::api::To;
use super::text::{Section, at, with_secret};
use super::{Asking, Body, Change, id};

const PATH: &str = "/set-up/api-keys";

pub const SECTION: Section = Section {
    title: "API keys",
    member: "apiKeys",
    columns: &[
        ("ID", &["/id"]),
        ("NAME", &["/name"]),
        ("WORKS", &["/works"]),
        ("CREATED", &["/createdAt"]),
        ("EXPIRES", &["/expiresAt"]),
        ("REVOKED", &["/revokedAt"]),
        ("PER SECOND", &["/requestsPerSecond"]),
        ("SCOPES", &["/scopes"]),
    ],
};

#[derive(Debug, Subcommand)]
pub enum Key {
    /// List the merchant's keys, without what opens the door
    List(To),
    /// Make a key, and show it this once; a merchant has at most 50. It works within a minute, for set-up at once
    Add(Add),
    /// Make a key in place of another, which works a while longer; show the new one this once
    Roll(Roll),
    /// Revoke a key: it stops to work within a minute, for set-up at once
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub struct Add {
    /// What people call it, at most 80 characters
    #[arg(long)]
    name: String,
    /// What it may be used for. May be given several times, or several with commas between
    #[arg(long = "scope", value_name = "SCOPE", value_parser = scopes(), value_delimiter = ',', required = true)]
    scopes: Vec<String>,
    /// When it ends, such as 2027-01-31 or 2027-01-31T12:00:00Z [default: never]
    #[arg(long, value_name = "MOMENT")]
    expires_at: Option<String>,
    /// How many requests it may make each second, 1 to 10000 [default: as many as the whole API takes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    requests_per_second: Option<u16>,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
pub struct Roll {
    /// Which key
    #[arg(value_parser = id(ApiKeyId::parse))]
    id: ApiKeyId,
    /// How long it works beside the new one: an ISO 8601 duration or seconds, at most P30D [default: P1D]
    #[arg(long, value_name = "DURATION")]
    overlap: Option<String>,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
pub struct Revoke {
    /// Which key
    #[arg(value_parser = id(ApiKeyId::parse))]
    id: ApiKeyId,
    #[command(flatten)]
    change: Change,
}

fn scopes() -> PossibleValuesParser {
    PossibleValuesParser::new(Scope::ALL.map(Scope::name))
}

impl Key {
    pub(super) fn asking(self) -> Asking {
        match self {
            Self::List(to) => Asking::list(to, &SECTION),
            Self::Add(Add { name, scopes, expires_at, requests_per_second, change }) => {
                let body = Body::default()
                    .with("name", name)
                    .list("scopes", scopes)
                    .maybe("expiresAt", expires_at)
                    .maybe("requestsPerSecond", requests_per_second);
                Asking::post(change, PATH, body, made)
            }
            Self::Roll(Roll { id, overlap, change }) => {
                Asking::post(change, format!("{PATH}/{id}/roll"), Body::default().maybe("overlap", overlap), made)
            }
            Self::Revoke(Revoke { id, change }) => {
                Asking::change(change, Method::Delete, format!("{PATH}/{id}"), None, |_| "Revoked.".to_owned())
            }
        }
    }
}

fn made(answer: &Value) -> String {
    let (id, name, scopes) = (at(answer, "/id"), at(answer, "/name"), at(answer, "/scopes"));
    with_secret(&format!("Made the API key {id} ({name}): {scopes}."), "the key", &at(answer, "/key"))
}
