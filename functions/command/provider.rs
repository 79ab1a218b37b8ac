//! `kessai provider`: which adapter speaks to a kind of gateway.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use kessai_shared::gateways::ADAPTERS;
use kessai_shared::ids::ProviderId;

use super::api::To;
use super::text::{Section, at};
use super::{Asking, Body, Change, any_of, id, words};

const PATH: &str = "/tooling/sobjects/PaymentGatewayProvider";

pub const SECTION: Section = Section {
    title: "Providers",
    member: "providers",
    columns: &[
        ("ID", &["/id"]),
        ("NAME", &["/developerName"]),
        ("LABEL", &["/masterLabel"]),
        ("ADAPTER", &["/adapter"]),
        ("IDEMPOTENCY", &["/idempotencySupported"]),
        ("COMMENTS", &["/comments"]),
    ],
};

#[derive(Debug, Subcommand)]
pub enum Provider {
    /// List the merchant's providers
    List(To),
    /// Add a provider; a merchant has at most 20
    Add(Add),
    /// Change a provider; its adapter stays
    Set(Set),
}

#[derive(Debug, Args)]
pub struct Add {
    /// The adapter that speaks to its gateways
    #[arg(long, value_parser = adapters())]
    adapter: String,
    /// Its name for programs: a letter, then letters, digits and single underscores; at most 80 characters
    #[arg(long)]
    name: String,
    /// Its name for people, at most 80 characters [default: the name]
    #[arg(long)]
    label: Option<String>,
    /// Whether its gateways know a request again by its key. With No none is ever sent twice [default: Yes]
    #[arg(long, value_parser = words(["Yes", "No"]), ignore_case = true)]
    idempotency: Option<String>,
    /// At most 1000 characters
    #[arg(long)]
    comments: Option<String>,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
#[command(group = any_of(["name", "label", "idempotency", "comments"]))]
pub struct Set {
    /// Which provider
    #[arg(value_parser = id(ProviderId::parse))]
    id: ProviderId,
    /// Its name for programs: a letter, then letters, digits and single underscores; at most 80 characters
    #[arg(long)]
    name: Option<String>,
    /// Its name for people, at most 80 characters
    #[arg(long)]
    label: Option<String>,
    /// Whether its gateways know a request again by its key. With No none is ever sent twice
    #[arg(long, value_parser = words(["Yes", "No"]), ignore_case = true)]
    idempotency: Option<String>,
    /// At most 1000 characters; '' for none
    #[arg(long)]
    comments: Option<String>,
    #[command(flatten)]
    change: Change,
}

fn adapters() -> PossibleValuesParser {
    PossibleValuesParser::new(ADAPTERS.iter().map(|adapter| adapter.name))
}

impl Provider {
    pub(super) fn asking(self) -> Asking {
        match self {
            Self::List(to) => Asking::list(to, &SECTION),
            Self::Add(Add { adapter, name, label, idempotency, comments, change }) => {
                let body = Body::default()
                    .with("Adapter", adapter)
                    .with("MasterLabel", label.unwrap_or_else(|| name.clone()))
                    .with("DeveloperName", name)
                    .maybe("IdempotencySupported", idempotency)
                    .maybe("Comments", comments);
                Asking::post(change, PATH, body, |made| format!("Made the provider {}.", at(made, "/id")))
            }
            Self::Set(Set { id, name, label, idempotency, comments, change }) => {
                let body = Body::default()
                    .maybe("DeveloperName", name)
                    .maybe("MasterLabel", label)
                    .maybe("IdempotencySupported", idempotency)
                    .maybe("Comments", comments);
                Asking::patch(change, format!("{PATH}/{id}"), body)
            }
        }
    }
}
