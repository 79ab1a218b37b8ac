//! The commands: what `kessai` does beside serving. One file for each kind of thing.
//!
//! A command is a translation: its arguments become one request to the API ([`Asking`]), and the answer becomes a
//! text for people, or is printed as it is. What a value may be is for the API to say; here is checked only what would
//! not make a request. [`api`] knows where Kessai is and with which key; [`text`] makes tables. Four are no translation:
//! [`first`] does without the API, and makes the merchant whose key is the first that the API knows; [`listen`] and `runs
//! watch` ask again and again; [`demo`] starts a server of its own, and asks that.

mod api;
mod audit;
pub mod demo;
mod endpoint;
mod events;
mod first;
mod gateway;
mod key;
mod listen;
mod merchant;
mod method_type;
mod methods;
mod provider;
mod retry_rules;
mod run;
mod schedule;
mod scheduler;
mod text;

use std::io::Write;

use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, Subcommand};
use kessai_shared::ports::Method;
use serde_json::{Map, Value};

use self::api::{Api, To};
use self::text::Section;
use crate::lambda::StartError;

#[derive(Debug, Subcommand)]
pub enum SetUp {
    /// The merchant and all that it has set up; new merchants
    #[command(subcommand)]
    Merchant(merchant::Merchant),
    /// Which adapter speaks to a kind of gateway, by what name, and what its notices are signed with
    #[command(subcommand)]
    Provider(provider::Provider),
    /// Merchant accounts at gateways
    #[command(subcommand)]
    Gateway(gateway::Gateway),
    /// How a provider calls the ways to pay
    #[command(subcommand)]
    MethodType(method_type::MethodType),
    /// API keys
    #[command(subcommand)]
    Key(key::Key),
    /// Webhook endpoints: where the merchant wants to hear of events
    #[command(subcommand)]
    Endpoint(endpoint::Endpoint),
    /// How failed payments are tried again
    #[command(subcommand)]
    RetryRules(retry_rules::RetryRules),
    /// What starts payment runs, and when
    #[command(subcommand)]
    Schedulers(scheduler::Schedulers),
    /// Payment runs: what charges all that is ready
    #[command(subcommand)]
    Runs(run::Runs),
    /// Payment schedules: what an account is to pay, and when
    #[command(subcommand)]
    Schedules(schedule::Schedules),
    /// Who changed what, the newest first
    Audit(audit::Audit),
    /// The stored payment methods of an account
    Methods(methods::Methods),
    /// What happened, what came of telling it, and telling it again
    #[command(subcommand)]
    Events(events::Events),
    /// Show events as they happen, and forward them to a server on this machine
    Listen(listen::Listen),
}

/// Does what is asked for, and prints what came of it.
pub async fn run(command: SetUp) -> Result<(), StartError> {
    let asking = match command {
        SetUp::Merchant(merchant::Merchant::First(arguments)) => return first::make(arguments).await,
        SetUp::Merchant(merchant::Merchant::Api(merchant)) => merchant.asking(),
        SetUp::Provider(provider) => provider.asking()?,
        SetUp::Gateway(gateway) => gateway.asking()?,
        SetUp::MethodType(kind) => kind.asking(),
        SetUp::Key(key) => key.asking(),
        SetUp::Endpoint(endpoint) => endpoint.asking(),
        SetUp::RetryRules(rules) => rules.asking(),
        SetUp::Schedulers(schedulers) => schedulers.asking(),
        SetUp::Runs(run::Runs::Watch(watch)) => return watch.run().await,
        SetUp::Runs(run::Runs::Api(runs)) => runs.asking(),
        SetUp::Schedules(schedules) => schedules.asking(),
        SetUp::Audit(audit) => audit.asking(),
        SetUp::Methods(methods) => methods.asking(),
        SetUp::Events(events) => events.asking(),
        SetUp::Listen(listen) => return listen.run().await,
    };
    let answer = Api::of(&asking.to, asking.keys)?.ask(&asking).await?;
    let printed = if asking.to.json { answer } else { text::ending((asking.reads)(&text::read(&answer)?)) };
    Ok(std::io::stdout().lock().write_all(printed.as_bytes())?)
}

/// One request, and how its answer reads.
struct Asking {
    to: To,
    method: Method,
    /// With its query.
    path: String,
    /// None where nothing can be said.
    body: Option<Body>,
    idempotency_key: Option<String>,
    /// The member of the answer that is meant; all of it where there is none.
    member: Option<&'static str>,
    /// The variables that may hold the key: the first that does counts.
    keys: [&'static str; 2],
    reads: Box<dyn Fn(&Value) -> String>,
}

impl Asking {
    fn new(to: To, method: Method, path: impl Into<String>, reads: impl Fn(&Value) -> String + 'static) -> Self {
        Self {
            to,
            method,
            path: path.into(),
            body: None,
            idempotency_key: None,
            member: None,
            keys: [api::SET_UP_KEY, api::API_KEY],
            reads: Box::new(reads),
        }
    }

    fn get(to: To, path: impl Into<String>, reads: impl Fn(&Value) -> String + 'static) -> Self {
        Self::new(to, Method::Get, path, reads)
    }

    /// One kind of thing of all that is set up.
    fn list(to: To, section: &'static Section) -> Self {
        let reads = |things: &Value| text::table(things, section.columns);
        Self { member: Some(section.member), ..Self::get(to, "/set-up", reads) }
    }

    fn post(change: Change, path: impl Into<String>, body: Body, reads: impl Fn(&Value) -> String + 'static) -> Self {
        Self::change(change, Method::Post, path, Some(body), reads)
    }

    fn patch(change: Change, path: impl Into<String>, body: Body) -> Self {
        Self::change(change, Method::Patch, path, Some(body), |_| "Set.".to_owned())
    }

    fn change(
        Change { idempotency_key, to }: Change,
        method: Method,
        path: impl Into<String>,
        body: Option<Body>,
        reads: impl Fn(&Value) -> String + 'static,
    ) -> Self {
        Self { body, idempotency_key, ..Self::new(to, method, path, reads) }
    }
}

/// Of every command that changes something.
#[derive(Debug, Args)]
struct Change {
    /// Names what is made: asked for again under the same key it is not made again, and what was shown once is not shown
    /// again. 1 to 255 characters. (What is set or removed can be asked for twice without one.)
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    to: To,
}

/// The members of a request. What is not given is not there, so that it stays as it is; an empty text takes away. It may
/// hold a secret, so it cannot be printed.
#[derive(Default)]
struct Body(Map<String, Value>);

impl Body {
    fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.0.insert(member.to_owned(), value.into());
        self
    }

    fn maybe(self, member: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(member, value),
            None => self,
        }
    }

    /// A list that is not meant where it is empty.
    fn list(self, member: &str, values: Vec<String>) -> Self {
        if values.is_empty() { self } else { self.with(member, values) }
    }
}

/// At least one of these must be set.
fn any_of<const N: usize>(arguments: [&'static str; N]) -> ArgGroup {
    ArgGroup::new("what to set").args(arguments).required(true).multiple(true)
}

fn words<const N: usize>(words: [&'static str; N]) -> PossibleValuesParser {
    PossibleValuesParser::new(words)
}

/// Whether it is used.
fn status() -> PossibleValuesParser {
    words(["Active", "Inactive"])
}

/// What can stand in a query as it is.
fn plain(text: &str) -> Result<String, String> {
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if fits { Ok(text.to_owned()) } else { Err("must be letters, digits, dots and dashes".to_owned()) }
}

/// Reads an id, so that what stands in a path is one.
fn id<T>(parse: fn(&str) -> Option<T>) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| parse(text).ok_or_else(|| "must be an id of 15 or 18 characters".to_owned())
}
