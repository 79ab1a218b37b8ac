//! `kessai gateway`: merchant accounts at gateways.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use kessai_shared::ids::{GatewayId, ProviderId};
use kessai_shared::merchant::GatewayMode;

use super::api::To;
use super::text::{Section, at};
use super::{Asking, Body, Change, any_of, id, status, words};

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
        ("CREDENTIAL", &["/merchantCredentialId"]),
    ],
};

#[derive(Debug, Subcommand)]
pub enum Gateway {
    /// List the merchant's gateways
    List(To),
    /// Add a gateway; a merchant has at most 50
    Add(Add),
    /// Change a gateway; its provider stays
    Set(Set),
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

/// What need not be said. The defaults are those of a new gateway.
#[derive(Debug, Args)]
struct Terms {
    /// What opens a payment goes through active gateways only [default: Active]
    #[arg(long, value_parser = status(), ignore_case = true)]
    status: Option<String>,
    /// What it is for; Kessai treats all alike [default: Live]
    #[arg(long, value_parser = modes(), ignore_case = true)]
    mode: Option<String>,
    /// Who says what is left of a payment: Kessai (strict) or the gateway [default: strict]
    #[arg(long, value_parser = words(["strict", "gateway"]))]
    balance_check: Option<String>,
    /// How long a hold lasts: an ISO 8601 duration or seconds, PT1H to P366D [default: P7D]
    #[arg(long, value_name = "DURATION")]
    authorization_lifetime: Option<String>,
    /// Name of the parameter in SSM that holds what we are known by there, such as /kessai/prod/gateways/main; at most
    /// 255 characters, '' for none
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
    pub(super) fn asking(self) -> Asking {
        match self {
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
        }
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
