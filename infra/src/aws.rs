//! The account that a process works in: region, credentials, endpoints, and the one HTTP client that all of its tables
//! share.
//!
//! There is no chain of places to look for a region or credentials: a function has them in its environment, a local
//! server has none. The limits fit a caller that keeps three seconds back for the write that says what a gateway
//! answered, and that asks again itself while it has time left.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedHttpClient};

use kessai_shared::ports::Http;
use kessai_shared::reminder::Errand;

use crate::bus::{self, EventBridge};
use crate::dynamodb::DynamoDb;
use crate::invoke::Functions;
use crate::reminders::Reminders;
use crate::sdk::http_client;
use crate::secrets::{self, Secrets};
use crate::signed::{Patience, Service};
use crate::sqs::{self, Sqs};

/// How long things may take.
#[derive(Clone, Copy)]
struct Limits {
    /// One attempt, with its connection if it needs one.
    attempt: Duration,
    /// One call with all its attempts.
    call: Duration,
}

/// AWS answers such calls in milliseconds: what takes a second is lost. The whole takes less than callers keep back for
/// it.
const QUICK: Limits = Limits { attempt: Duration::from_secs(1), call: Duration::from_millis(2_500) };

/// Where nobody waits: in a small function a first handshake alone may take most of a second.
const PATIENT: Limits = Limits { attempt: Duration::from_secs(4), call: Duration::from_secs(9) };

/// The attempts of one call.
const ATTEMPTS: u32 = 3;

/// The longest waits before the second attempt and before any.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LONGEST_BACKOFF: Duration = Duration::from_millis(400);

/// A variable of the environment is missing or empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetUpError {
    pub variable: &'static str,
}

impl fmt::Display for SetUpError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the environment variable {} is missing", self.variable)
    }
}

impl Error for SetUpError {}

/// An account, and how to reach it.
#[derive(Clone)]
pub struct Account {
    pub(crate) region: String,
    pub(crate) credentials: Credentials,
    http_client: SharedHttpClient,
    endpoints: Endpoints,
    limits: Limits,
}

/// What stands in for the region's endpoints.
#[derive(Clone, Default)]
struct Endpoints {
    dynamodb: Option<String>,
    lambda: Option<String>,
    sqs: Option<String>,
    ssm: Option<String>,
    events: Option<String>,
}

impl Account {
    /// By what the environment says, under the names that AWS Lambda gives: `AWS_REGION`, `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY` and, if there is one, `AWS_SESSION_TOKEN`. `AWS_ENDPOINT_URL_DYNAMODB`, `…_LAMBDA`,
    /// `…_SQS`, `…_SSM` and `…_EVENTBRIDGE`, or else `AWS_ENDPOINT_URL`, stand in for the region's endpoints.
    pub fn from_environment(environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, SetUpError> {
        let maybe = |variable: &str| environment(variable).filter(|value| !value.is_empty());
        let required = |variable| maybe(variable).ok_or(SetUpError { variable });
        let region = required("AWS_REGION")?;
        let id = required("AWS_ACCESS_KEY_ID")?;
        let secret = required("AWS_SECRET_ACCESS_KEY")?;
        let credentials = Credentials::new(id, secret, maybe("AWS_SESSION_TOKEN"), None, "environment");
        let endpoint = |service| maybe(service).or_else(|| maybe("AWS_ENDPOINT_URL"));
        let endpoints = Endpoints {
            dynamodb: endpoint("AWS_ENDPOINT_URL_DYNAMODB"),
            lambda: endpoint("AWS_ENDPOINT_URL_LAMBDA"),
            sqs: endpoint("AWS_ENDPOINT_URL_SQS"),
            ssm: endpoint("AWS_ENDPOINT_URL_SSM"),
            events: endpoint("AWS_ENDPOINT_URL_EVENTBRIDGE"),
        };
        Ok(Self { region, credentials, http_client: http_client(), endpoints, limits: QUICK })
    }

    /// A local server, which takes any credentials.
    pub fn at(endpoint_url: &str) -> Self {
        let endpoint = Some(endpoint_url.to_owned());
        Self {
            region: "us-east-1".to_owned(),
            credentials: Credentials::new("local", "local", None, None, "local"),
            http_client: http_client(),
            endpoints: Endpoints {
                dynamodb: endpoint.clone(),
                lambda: endpoint.clone(),
                sqs: endpoint.clone(),
                ssm: endpoint.clone(),
                events: endpoint,
            },
            limits: QUICK,
        }
    }

    /// The same, for calls that nobody waits for.
    #[must_use]
    pub fn patient(&self) -> Self {
        Self { limits: PATIENT, ..self.clone() }
    }

    /// A table.
    pub fn table(&self, name: impl Into<String>) -> DynamoDb {
        let mut config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.region.clone()))
            .credentials_provider(self.credentials.clone())
            .http_client(self.http_client.clone())
            .timeout_config(timeouts(self.limits))
            .retry_config(retries());
        config.set_endpoint_url(self.endpoints.dynamodb.clone());
        DynamoDb::new(aws_sdk_dynamodb::Client::from_conf(config.build()), name)
    }

    /// Where reminders go, a queue by its URL and a function by its name, and by whom they are reached.
    pub fn reminders(&self, http: Arc<dyn Http>, places: Vec<(Errand, String)>) -> Reminders {
        let instead = self.endpoints.sqs.as_deref();
        let sqs = Sqs(self.service("SQS", "sqs", "application/x-amz-json-1.0", instead, sqs::PATIENCE));
        let instead = self.endpoints.lambda.as_deref();
        let functions = Functions(self.service("Lambda", "lambda", "application/json", instead, sqs::PATIENCE));
        Reminders::new(http, sqs, functions, places)
    }

    /// The bus of this name, and by whom it is reached.
    pub fn bus(&self, http: Arc<dyn Http>, name: String) -> EventBridge {
        let instead = self.endpoints.events.as_deref();
        let service = self.service("EventBridge", "events", "application/x-amz-json-1.1", instead, bus::PATIENCE);
        EventBridge::new(service, http, name)
    }

    /// The parameters that are secret.
    pub fn secrets(&self) -> Secrets {
        let instead = self.endpoints.ssm.as_deref();
        Secrets::new(self.service("Parameter Store", "ssm", "application/x-amz-json-1.1", instead, secrets::PATIENCE))
    }

    fn service(
        &self,
        title: &'static str,
        name: &'static str,
        content_type: &'static str,
        instead: Option<&str>,
        patience: Patience,
    ) -> Service {
        let region = self.region.clone();
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let url = instead.map_or_else(|| format!("https://{name}.{region}.{suffix}"), str::to_owned);
        Service { title, name, content_type, url, region, credentials: self.credentials.clone(), patience }
    }
}

fn timeouts(limits: Limits) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(limits.attempt)
        .operation_attempt_timeout(limits.attempt)
        .operation_timeout(limits.call)
        .build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(LONGEST_BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_variable_is_named() {
        let names = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
        for missing in names {
            for instead in [None, Some(String::new())] {
                let environment = |name: &str| if name == missing { instead.clone() } else { Some("x".to_owned()) };
                let error = Account::from_environment(&environment).err().unwrap();
                assert_eq!(error.to_string(), format!("the environment variable {missing} is missing"));
            }
        }
    }

    #[test]
    fn a_session_token_and_an_endpoint_need_not_be_there() {
        let environment = |name: &str| {
            let required = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].contains(&name);
            required.then(|| "eu-central-1".to_owned())
        };
        let account = Account::from_environment(&environment).unwrap();
        assert_eq!(account.region, "eu-central-1");
        assert_eq!(account.endpoints.dynamodb, None);
    }

    #[test]
    fn one_services_endpoint_goes_before_that_of_all() {
        let environment = |name: &str| Some(format!("http://{}", name.to_lowercase()));
        let endpoints = Account::from_environment(&environment).unwrap().endpoints;
        let Endpoints { dynamodb, lambda, sqs, ssm, events } = endpoints;
        assert_eq!(dynamodb.as_deref(), Some("http://aws_endpoint_url_dynamodb"));
        assert_eq!(lambda.as_deref(), Some("http://aws_endpoint_url_lambda"));
        assert_eq!(sqs.as_deref(), Some("http://aws_endpoint_url_sqs"));
        assert_eq!(events.as_deref(), Some("http://aws_endpoint_url_eventbridge"));
        let only = |name: &str| {
            ["AWS_ENDPOINT_URL", "AWS_REGION"].contains(&name)
                || name.ends_with("KEY_ID")
                || name.ends_with("ACCESS_KEY")
        };
        let environment = |name: &str| only(name).then(|| "http://all".to_owned());
        let endpoints = Account::from_environment(&environment).unwrap().endpoints;
        assert_eq!((endpoints.ssm, ssm.is_some()), (Some("http://all".to_owned()), true));
    }
}
