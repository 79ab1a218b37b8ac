//! How a client comes to be, and how long it may take over one call.
//!
//! There is no chain of places to look for a region or credentials: a function has them in its
//! environment, a local server has none. The limits fit a caller that keeps three seconds back for the
//! write that says what a gateway answered, and that asks again itself while it has time left.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Config, Credentials, Region};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use super::DynamoDb;

/// One attempt. DynamoDB answers in milliseconds: what takes a second is lost.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection, which is part of an attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// One call with all its attempts: less than callers keep back for it.
const CALL_TIMEOUT: Duration = Duration::from_millis(2_500);

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

impl DynamoDb {
    /// A table by what the environment says, under the names that AWS Lambda gives: `AWS_REGION`,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, if there is one, `AWS_SESSION_TOKEN`.
    /// `AWS_ENDPOINT_URL_DYNAMODB`, or else `AWS_ENDPOINT_URL`, stands in for the region's endpoint.
    pub fn from_environment(
        table: impl Into<String>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, SetUpError> {
        let maybe = |variable| environment(variable).filter(|value| !value.is_empty());
        let required = |variable| maybe(variable).ok_or(SetUpError { variable });
        let region = required("AWS_REGION")?;
        let id = required("AWS_ACCESS_KEY_ID")?;
        let secret = required("AWS_SECRET_ACCESS_KEY")?;
        let credentials = Credentials::new(id, secret, maybe("AWS_SESSION_TOKEN"), None, "environment");
        let mut config = configure(region, credentials);
        config.set_endpoint_url(maybe("AWS_ENDPOINT_URL_DYNAMODB").or_else(|| maybe("AWS_ENDPOINT_URL")));
        Ok(Self { client: Client::from_conf(config.build()), table: table.into() })
    }

    /// A table of a local server, which takes any credentials.
    pub fn at(endpoint_url: &str, table: impl Into<String>) -> Self {
        let credentials = Credentials::new("local", "local", None, None, "local");
        let config = configure("us-east-1".to_owned(), credentials).endpoint_url(endpoint_url);
        Self { client: Client::from_conf(config.build()), table: table.into() }
    }

    /// Another table through the same connections.
    #[must_use]
    pub fn with_table(&self, table: impl Into<String>) -> Self {
        Self { client: self.client.clone(), table: table.into() }
    }
}

fn configure(region: String, credentials: Credentials) -> Builder {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(LONGEST_BACKOFF);
    let http_client =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region))
        .credentials_provider(credentials)
        .http_client(http_client)
        .timeout_config(timeouts)
        .retry_config(retries)
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
                let error = DynamoDb::from_environment("payments", &environment).unwrap_err();
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
        let table = DynamoDb::from_environment("payments", &environment).unwrap();
        assert_eq!(table.client.config().region().map(Region::as_ref), Some("eu-central-1"));
    }
}
