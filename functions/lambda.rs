//! Runs a function on AWS Lambda: what it needs from the environment, opened once at the start, and its
//! events from the runtime.
//!
//! | variable | holds |
//! |---|---|
//! | `PAYMENTS_TABLE`, `MERCHANTS_TABLE` | names of the tables |
//! | `FINGERPRINT_KEY` | 64 hexadecimal digits: the key of request fingerprints |
//! | `AWS_REGION`, `AWS_ACCESS_KEY_ID`, … | as Lambda sets them |

use std::env;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use data_encoding::HEXLOWER_PERMISSIVE;
use kessai_infra::directory::Cached;
use kessai_infra::dynamodb::DynamoDb;
use kessai_infra::http::HttpClient;
use kessai_infra::journal::StandardErrorJournal;
use kessai_infra::system::{SystemClock, SystemEntropy};
use kessai_shared::fingerprint::FingerprintKey;
use kessai_shared::shell::Shell;
use kessai_shared::time::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use tokio::runtime::Builder;

use crate::door::{App, Function, answer};
use crate::event::HttpEvent;

/// Why a function could not start.
pub struct StartError(Box<dyn Error + Send + Sync>);

/// `main` prints its error by `Debug`: as a sentence.
impl fmt::Debug for StartError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for StartError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// Serves invocations of `function` until the platform ends the process.
pub fn serve(function: &'static Function) -> Result<(), StartError> {
    // One invocation at a time, nothing to compute: one thread starts faster than two.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let app = Arc::new(from_environment().await?);
        let handler = |event: LambdaEvent<HttpEvent>| {
            let app = Arc::clone(&app);
            async move {
                let deadline = i64::try_from(event.context.deadline).unwrap_or(i64::MAX);
                let deadline = Timestamp::from_millis(deadline);
                Ok::<_, lambda_runtime::Error>(answer(&app, function, &event.payload, deadline).await)
            }
        };
        Ok(lambda_runtime::run(service_fn(handler)).await?)
    })
}

async fn from_environment() -> Result<App, StartError> {
    let payments = DynamoDb::from_environment(required("PAYMENTS_TABLE")?, &variable)?;
    let merchants = payments.with_table(required("MERCHANTS_TABLE")?);
    // Opens the connection while the platform does not count the time.
    payments.warm_up().await?;
    let clock = Arc::new(SystemClock);
    let shell = Shell {
        store: Arc::new(payments),
        http: Arc::new(HttpClient::new()?),
        clock: clock.clone(),
        entropy: Arc::new(SystemEntropy),
        journal: Arc::new(StandardErrorJournal),
        fingerprint_key: Arc::new(fingerprint_key(&required("FINGERPRINT_KEY")?)?),
    };
    Ok(App { shell, directory: Arc::new(Cached::new(merchants, clock)) })
}

fn fingerprint_key(hex: &str) -> Result<FingerprintKey, StartError> {
    read_fingerprint_key(hex).ok_or_else(|| "FINGERPRINT_KEY must be 64 hexadecimal digits".into())
}

/// Reads 64 hexadecimal digits.
pub fn read_fingerprint_key(hex: &str) -> Option<FingerprintKey> {
    let bytes = HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?;
    <[u8; 32]>::try_from(bytes).ok().map(FingerprintKey::new)
}

fn required(name: &str) -> Result<String, StartError> {
    variable(name).ok_or_else(|| format!("the environment variable {name} is missing").into())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment of a Lambda function is its set-up; it is read here only"
)]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
