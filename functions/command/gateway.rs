//! `kessai gateway`: merchant accounts at gateways.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use kessai_shared::ids::{GatewayId, ProviderId};
use kessai_shared::merchant::GatewayMode;
use kessai_shared::ports::Method;
use serde_json::{Map, Value};

use super::api::{To, given_text};
use super::text::{Column, Section, at, table};
use super::{Asking, Body, Change, any_of, id, status, words};
use crate::lambda::StartError;

const PATH: &str = "/sobjects/PaymentGateway";

pub const SECTION: Section = Section {
    title: "Gateways",
    member: "gateways",
    columns: &[
        ("ID", &["/id"]),
        ("NAME", &["/paymentGatewayName"]),
        ("ADAPTER", &["/adapter"]),
        ("WORKS", &["/works"]),
        ("STATUS", &["/status"]),
        ("MODE", &["/gatewayMode"]),
        ("BALANCE", &["/balanceCheck"]),
        ("LIFETIME", &["/authorizationLifetime"]),
        ("BASE URL", &["/baseUrl"]),
        ("CREDENTIAL", &["/hasCredential"]),
        ("ITS NAME", &["/merchantCredentialId"]),
    ],
};

/// Of what a gateway offers.
const OFFERED: &[Column] = &[("NAME", &["/name"]), ("LABEL", &["/label"]), ("CURRENCY", &["/currency"])];

#[derive(Debug, Subcommand)]
pub enum Gateway {
    /// List the merchant's gateways
    List(To),
    /// Add a gateway; a merchant has at most 50
    Add(Add),
    /// Change a gateway; its provider stays
    Set(Set),
    /// Say what Kessai is known by at a gateway, in the place of what it was known by until now
    ///
    /// It is read from a file or from standard input: never from the command line, where every user of the machine could
    /// read it.
    Credential(Credential),
    /// Ask a gateway, once and now, whether the account works; that changes nothing there
    Check(Check),
}

#[derive(Debug, Args)]
pub struct Add {
    /// The provider whose adapter speaks to it
    #[arg(long, value_name = "ID", value_parser = id(ProviderId::parse))]
    provider: ProviderId,
    /// What people call it, at most 255 characters
    #[arg(long)]
    name: String,
    /// Where it listens: https:// and no query, at most 255 characters
    #[arg(long, value_name = "URL")]
    base_url: String,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
#[command(group = any_of([
    "name", "status", "mode", "balance_check", "authorization_lifetime", "credential", "comments",
    "external_reference",
]))]
pub struct Set {
    /// Which gateway
    #[arg(value_parser = id(GatewayId::parse))]
    id: GatewayId,
    /// What people call it, at most 255 characters
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
pub struct Credential {
    /// Which gateway
    #[arg(value_parser = id(GatewayId::parse))]
    id: GatewayId,
    /// A file with the members that the gateway's adapter wants, as a JSON object such as {"secretKey":"..."}; {} for
    /// none, - for standard input
    #[arg(long, value_name = "FILE")]
    from_file: PathBuf,
    /// It is of the same account as the former, such as a key that the gateway has rolled: what is open there is sent and
    /// asked about under it too. Without this, it waits for the gateway to tell
    #[arg(long)]
    same_account: bool,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
pub struct Check {
    /// Which gateway
    #[arg(value_parser = id(GatewayId::parse))]
    id: GatewayId,
    #[command(flatten)]
    to: To,
}

/// What need not be said. The defaults are those of a new gateway.
#[derive(Debug, Args)]
struct Terms {
    /// What opens a payment goes through active gateways only [default: Active]
    #[arg(long, value_parser = status(), ignore_case = true)]
    status: Option<String>,
    /// What it is for; a credential that tells another mode is refused [default: Live]
    #[arg(long, value_parser = modes(), ignore_case = true)]
    mode: Option<String>,
    /// Who says what is left of a payment: Kessai (strict) or the gateway [default: strict]
    #[arg(long, value_parser = words(["strict", "gateway"]))]
    balance_check: Option<String>,
    /// How long a hold lasts: an ISO 8601 duration or seconds, PT1H to P366D [default: P7D]
    #[arg(long, value_name = "DURATION")]
    authorization_lifetime: Option<String>,
    /// What the merchant calls the credential there, such as /shop/prod/gateways/main: a note, from which nothing is read.
    /// At most 255 characters, '' for none
    #[arg(long, value_name = "PARAMETER")]
    credential: Option<String>,
    /// At most 1000 characters; '' for none
    #[arg(long)]
    comments: Option<String>,
    /// What it is called elsewhere, at most 255 characters; '' for none
    #[arg(long)]
    external_reference: Option<String>,
}

fn modes() -> PossibleValuesParser {
    PossibleValuesParser::new(GatewayMode::ALL.map(GatewayMode::name))
}

impl Gateway {
    pub(super) fn asking(self) -> Result<Asking, StartError> {
        Ok(match self {
            Self::List(to) => Asking::list(to, &SECTION),
            Self::Add(Add { provider, name, base_url, terms, change }) => {
                let body = Body::default()
                    .with("PaymentGatewayProviderId", provider.to_string())
                    .with("PaymentGatewayName", name)
                    .with("BaseUrl", base_url);
                let made = |made: &_| format!("Made the gateway {}.", at(made, "/id"));
                Asking::post(change, PATH, terms.said(body), made)
            }
            Self::Set(Set { id, name, terms, change }) => {
                let body = Body::default().maybe("PaymentGatewayName", name);
                Asking::patch(change, format!("{PATH}/{id}"), terms.said(body))
            }
            Self::Credential(Credential { id, from_file, same_account, change }) => {
                let text = given_text(&from_file)?;
                // What is wrong with it could repeat it.
                let members = serde_json::from_str::<Map<String, Value>>(&text);
                let members = members.map_err(|_| format!("{}: is no JSON object", from_file.display()))?;
                let body =
                    Body::default().with("Credential", members).maybe("SameAccount", same_account.then_some(true));
                Asking::post(change, format!("{PATH}/{id}/credential"), body, |_| "Set.".to_owned())
            }
            Self::Check(Check { id, to }) => Asking::new(to, Method::Post, format!("{PATH}/{id}/check"), checked),
        })
    }
}

fn checked(answer: &Value) -> String {
    match (&answer["ok"], &answer["paymentMethods"]) {
        (Value::Bool(true), Value::Array(offered)) if offered.is_empty() => "It works.".to_owned(),
        (Value::Bool(true), offered) => format!("It works.\n\n{}", table(offered, OFFERED)),
        _ => format!("It does not work: {}", at(answer, "/message")),
    }
}

impl Terms {
    fn said(self, body: Body) -> Body {
        body.maybe("Status", self.status)
            .maybe("GatewayMode", self.mode)
            .maybe("BalanceCheck", self.balance_check)
            .maybe("AuthorizationLifetime", self.authorization_lifetime)
            .maybe("MerchantCredentialId", self.credential)
            .maybe("Comments", self.comments)
            .maybe("ExternalReference", self.external_reference)
    }
}
