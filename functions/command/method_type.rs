//! `kessai method-type`: how a provider calls the ways to pay.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use kessai_shared::ids::{MethodKind, ProviderId};

use super::api::To;
use super::text::{Section, at};
use super::{Asking, Body, Change, id};

pub const SECTION: Section = Section {
    title: "Payment method types",
    member: "paymentMethodTypes",
    columns: &[
        ("ID", &["/id"]),
        ("PROVIDER", &["/paymentGatewayProviderId"]),
        ("KIND", &["/paymentMethodType"]),
        ("GATEWAY'S NAME", &["/gtwyProviderPaymentMethodType"]),
        ("NAME", &["/developerName"]),
        ("LABEL", &["/masterLabel"]),
    ],
};

#[derive(Debug, Subcommand)]
pub enum MethodType {
    /// List the merchant's method types
    List(To),
    /// Add a method type; a merchant has at most 50
    Add(Add),
}

#[derive(Debug, Args)]
pub struct Add {
    /// The provider that calls it so
    #[arg(long, value_name = "ID", value_parser = id(ProviderId::parse))]
    provider: ProviderId,
    /// Which kind of stored method it is
    #[arg(long, value_parser = kinds(), ignore_case = true)]
    kind: String,
    /// What the gateway calls it, at most 60 characters
    #[arg(long)]
    gateway_name: String,
    /// Its name for programs: a letter, then letters, digits and single underscores; at most 80 characters
    #[arg(long)]
    name: String,
    /// Its name for people, at most 80 characters [default: the name]
    #[arg(long)]
    label: Option<String>,
    /// Of the methods that are stored as this type, at most 18 characters
    #[arg(long, value_name = "ID")]
    record_type: Option<String>,
    /// At most 1000 characters
    #[arg(long)]
    comments: Option<String>,
    #[command(flatten)]
    change: Change,
}

fn kinds() -> PossibleValuesParser {
    let kinds = [MethodKind::Alternative, MethodKind::Card, MethodKind::DigitalWallet];
    PossibleValuesParser::new(kinds.map(MethodKind::object))
}

impl MethodType {
    pub(super) fn asking(self) -> Asking {
        match self {
            Self::List(to) => Asking::list(to, &SECTION),
            Self::Add(Add { provider, kind, gateway_name, name, label, record_type, comments, change }) => {
                let body = Body::default()
                    .with("PaymentGatewayProviderId", provider.to_string())
                    .with("PaymentMethodType", kind)
                    .with("GtwyProviderPaymentMethodType", gateway_name)
                    .with("MasterLabel", label.unwrap_or_else(|| name.clone()))
                    .with("DeveloperName", name)
                    .maybe("RecordTypeId", record_type)
                    .maybe("Comments", comments);
                let made = |made: &_| format!("Made the method type {}.", at(made, "/id"));
                Asking::post(change, "/sobjects/GtwyProvPaymentMethodType", body, made)
            }
        }
    }
}
