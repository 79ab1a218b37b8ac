//! `kessai provider`: which adapter speaks to a kind of gateway.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use kessai_shared::gateways::ADAPTERS;
use kessai_shared::ids::ProviderId;
use kessai_shared::ports::Method;

use super::api::To;
use super::api::given_secret;
use super::text::{Section, at};
use super::{Asking, Body, Change, any_of, id, words};
use crate::lambda::StartError;

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
        ("NOTICES TO", &["/notificationUrl"]),
        ("SECRET SINCE", &["/notificationSecrets/0/createdAt"]),
        ("OLD SECRET ENDS", &["/notificationSecrets/1/expiresAt"]),
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
    /// Say what a provider's gateways sign their notices with, or that no notice of theirs is believed any more
    ///
    /// The secret is what the gateway's own dashboard shows. It is read from KESSAI_NOTICE_SECRET or, where that is not
    /// set, from standard input: never from the command line, where every user of the machine could read it.
    Secret(Secret),
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

#[derive(Debug, Args)]
pub struct Secret {
    /// Which provider
    #[arg(value_parser = id(ProviderId::parse))]
    id: ProviderId,
    /// How long the old secret counts beside the new one: an ISO 8601 duration or seconds, at most P30D [default: P1D]
    #[arg(long, value_name = "DURATION")]
    overlap: Option<String>,
    /// Remove all secrets instead
    #[arg(long, conflicts_with = "overlap")]
    remove: bool,
    #[command(flatten)]
    change: Change,
}

/// The variable that may hold a secret of notices.
const NOTICE_SECRET: &str = "KESSAI_NOTICE_SECRET";

fn adapters() -> PossibleValuesParser {
    PossibleValuesParser::new(ADAPTERS.iter().map(|adapter| adapter.name))
}

impl Provider {
    pub(super) fn asking(self) -> Result<Asking, StartError> {
        Ok(match self {
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
            Self::Secret(Secret { id, overlap, remove, change }) => {
                let path = format!("/set-up/providers/{id}/notification-secret");
                if remove {
                    return Ok(Asking::change(change, Method::Delete, path, None, |_| "Removed.".to_owned()));
                }
                let secret = given_secret(NOTICE_SECRET)?;
                let body = Body::default().with("secret", secret.as_str()).maybe("overlap", overlap);
                Asking::post(change, path, body, |_| "Set.".to_owned())
            }
        })
    }
}
