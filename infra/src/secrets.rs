//! Secrets, from the Parameter Store: all that a function needs in one call, while it starts.
//!
//! One call needs no client of its own: it is signed by the library that signs those of the SDK, and sent by the HTTP
//! client that is there. `aws-sdk-ssm` takes a minute of each build to send the same.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use kessai_shared::ports::{Clock, Entropy, Http, HttpRequest, HttpResponse, Method};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::http::HttpClient;
use crate::system::{SystemClock, SystemEntropy};

/// As long as one attempt may take. All of them, with the pauses, stay below the ten seconds that a start may take.
const TIMEOUT: Duration = Duration::from_millis(1_500);

/// What happens before it is given up: a function that cannot start is started again.
const ATTEMPTS: u32 = 4;

/// The longest pause before the second attempt; it doubles. Many functions that start at once ask at once, and the
/// store allows so many a second.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// What passes, although it is told as the asker's fault.
const BUSY: [&str; 2] = ["ThrottlingException", "RequestLimitExceeded"];

const TARGET: &str = "AmazonSSM.GetParameters";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// The Parameter Store of a region.
pub struct Secrets {
    url: String,
    region: String,
    credentials: Credentials,
}

/// Why a secret is not to be had. Names it, and holds nothing of it.
#[derive(Debug)]
pub struct SecretsFault(String);

impl fmt::Display for SecretsFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Error for SecretsFault {}

impl Secrets {
    pub(crate) fn new(url: String, region: String, credentials: Credentials) -> Self {
        Self { url, region, credentials }
    }

    /// The values of these parameters, all of them. One call takes ten names.
    pub async fn fetch(
        &self,
        http: &HttpClient,
        names: &[&str],
    ) -> Result<BTreeMap<String, Zeroizing<String>>, SecretsFault> {
        let body = json!({ "Names": names, "WithDecryption": true }).to_string();
        let mut attempt = 1;
        loop {
            let fault = match http.send(self.signed(&body)?, TIMEOUT).await {
                Ok(answer) if answer.status == 200 => return values(&answer, names),
                Ok(answer) => match refused(&answer) {
                    (fault, true) => fault,
                    (fault, false) => return Err(fault),
                },
                Err(fault) => SecretsFault(format!("Parameter Store: {fault:?}")),
            };
            if attempt >= ATTEMPTS {
                return Err(fault);
            }
            SystemClock.sleep(pause(attempt)).await;
            attempt += 1;
        }
    }

    fn signed(&self, body: &str) -> Result<HttpRequest, SecretsFault> {
        let strange = |error: &dyn fmt::Display| SecretsFault(format!("Parameter Store: {error}"));
        let identity = self.credentials.clone().into();
        let millis = u64::try_from(SystemClock.now().as_millis()).unwrap_or_default();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("ssm")
            .time(UNIX_EPOCH + Duration::from_millis(millis))
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| strange(&error))?;
        let mut headers = vec![("content-type", CONTENT_TYPE.to_owned()), ("x-amz-target", TARGET.to_owned())];
        let url = format!("{}/", self.url.trim_end_matches('/'));
        let signed = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let request = SignableRequest::new("POST", &url, signed, SignableBody::Bytes(body.as_bytes()))
            .map_err(|error| strange(&error))?;
        let (instructions, _) = sign(request, &params.into()).map_err(|error| strange(&error))?.into_parts();
        let (signature, _) = instructions.into_parts();
        headers.extend(signature.into_iter().map(|header| (header.name(), header.value().to_owned())));
        Ok(HttpRequest { method: Method::Post, url, headers, body: Zeroizing::new(body.as_bytes().to_vec()) })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    #[serde(rename = "__type")]
    kind: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Answer {
    parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    name: String,
    value: Zeroizing<String>,
}

/// What was said, and whether it may pass.
fn refused(answer: &HttpResponse) -> (SecretsFault, bool) {
    let Refusal { kind } = serde_json::from_slice(&answer.body).unwrap_or_default();
    let passes = answer.status >= 500 || answer.status == 429 || BUSY.iter().any(|busy| kind.ends_with(busy));
    (SecretsFault(format!("Parameter Store: {} {kind}", answer.status)), passes)
}

/// A random part of the longest.
fn pause(attempt: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
    longest.saturating_mul(u32::from(SystemEntropy.bytes()[0])) / u32::from(u8::MAX)
}

fn values(answer: &HttpResponse, names: &[&str]) -> Result<BTreeMap<String, Zeroizing<String>>, SecretsFault> {
    let Answer { parameters } = serde_json::from_slice(&answer.body).unwrap_or_default();
    let found: BTreeMap<_, _> = parameters.into_iter().map(|parameter| (parameter.name, parameter.value)).collect();
    match names.iter().find(|name| !found.contains_key(**name)) {
        None => Ok(found),
        Some(name) => Err(SecretsFault(format!("Parameter Store: there is no parameter {name}"))),
    }
}
