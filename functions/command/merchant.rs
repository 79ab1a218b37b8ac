//! `kessai merchant`: the merchant whose key it is, with all that it has set up, and new ones.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::api::To;
use super::first::First;
use super::text::{Column, at, facts, table, with_secret};
use super::{Asking, Body, Change, any_of, endpoint, gateway, key, method_type, provider, retry_rules};

#[derive(Debug, Subcommand)]
pub enum Merchant {
    #[command(flatten)]
    Api(Through),
    /// Make the first merchant of a deployment, straight in its table
    ///
    /// Makes a merchant with its gateways and an API key that may do everything, or a key for a merchant that is there,
    /// without the API: for whoever may write the table, when there is no key yet or none is left. Region and
    /// credentials are taken from AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN;
    /// AWS_ENDPOINT_URL_DYNAMODB leads to another DynamoDB. Prints lines for a shell to source.
    First(First),
}

/// Through the API.
#[derive(Debug, Subcommand)]
pub enum Through {
    /// Show the merchant and all that it has set up
    Show(To),
    /// Make another merchant, with a key that sets it up
    Create(Create),
    /// Rename the merchant, give it another currency, or have its events kept
    Set(Set),
}

#[derive(Debug, Args)]
pub struct Create {
    /// What people call it, at most 80 characters
    #[arg(long)]
    name: String,
    /// Currency of requests that name none, as ISO 4217 has it; where there is none, every request must name its own
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
#[command(group = any_of(["name", "currency", "keep_events"]))]
pub struct Set {
    /// What people call it, at most 80 characters
    #[arg(long)]
    name: Option<String>,
    /// Currency of requests that name none, as ISO 4217 has it; '' for none
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// Whether events are recorded even where no endpoint wants them, so that they can be listed
    #[arg(long, value_name = "BOOL")]
    keep_events: Option<bool>,
    #[command(flatten)]
    change: Change,
}

impl Through {
    pub(super) fn asking(self) -> Asking {
        match self {
            Self::Show(to) => Asking::get(to, "/set-up", everything),
            Self::Create(Create { name, currency, change }) => {
                let body = Body::default().with("name", name).maybe("defaultCurrency", currency);
                Asking::post(change, "/set-up/merchants", body, made)
            }
            Self::Set(Set { name, currency, keep_events, change }) => {
                let body = Body::default()
                    .maybe("name", name)
                    .maybe("defaultCurrency", currency)
                    .maybe("keepEvents", keep_events);
                Asking::patch(change, "/set-up/merchant", body)
            }
        }
    }
}

const FACTS: &[Column] = &[
    ("Merchant", &["/merchant/id"]),
    ("Name", &["/merchant/name"]),
    ("Currency", &["/merchant/defaultCurrency"]),
    ("Keeps events", &["/merchant/keepEvents"]),
    ("Version", &["/merchant/version"]),
];

fn everything(answer: &Value) -> String {
    let sections = [
        &provider::SECTION,
        &gateway::SECTION,
        &method_type::SECTION,
        &key::SECTION,
        &endpoint::SECTION,
        &retry_rules::SETS,
        &retry_rules::RULES,
    ];
    let sections = sections.into_iter().map(|section| {
        let things = answer.get(section.member).unwrap_or(&Value::Null);
        format!("{}\n{}", section.title, table(things, section.columns))
    });
    std::iter::once(facts(answer, FACTS)).chain(sections).collect::<Vec<_>>().join("\n\n")
}

fn made(answer: &Value) -> String {
    let said = format!("Made the merchant {} ({}).", at(answer, "/id"), at(answer, "/name"));
    let key = format!("its API key {}, which may set it up", at(answer, "/apiKey/id"));
    with_secret(&said, &key, &at(answer, "/apiKey/key"))
}
