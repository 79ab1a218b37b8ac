//! Single calls of AWS's services: JSON over POST, signed by the library that signs those of the SDK, and sent by the
//! HTTP client that is there.
//!
//! For a service of which one call is needed a client of the SDK is much to build and to load (docs/decisions/0018).
//! What it would do beside sending is here: a failure that may pass is tried again, after a random pause. So a call may
//! arrive twice, and must be one that does no harm then.

use std::error::Error;
use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use kessai_shared::ports::{Clock, Entropy, Http, HttpRequest, HttpResponse, Method};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::system::{SystemClock, SystemEntropy};

/// How long somebody waits for a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For one attempt, with its connection if it needs one.
    pub(crate) attempt: Duration,
    pub(crate) attempts: u32,
    /// The longest pause before the second attempt; it doubles.
    pub(crate) first_pause: Duration,
}

/// What passes, although it is told as the asker's fault.
const BUSY: [&str; 3] = ["ThrottlingException", "RequestLimitExceeded", "RequestThrottled"];

/// A service of a region.
#[derive(Clone)]
pub(crate) struct Service {
    /// As people know it.
    pub(crate) title: &'static str,
    /// As signatures know it.
    pub(crate) name: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) url: String,
    pub(crate) region: String,
    pub(crate) credentials: Credentials,
    pub(crate) patience: Patience,
}

/// What a service is asked.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) path: &'a str,
    /// What says which call this is, or how it is meant.
    pub(crate) header: (&'static str, &'a str),
    pub(crate) body: &'a str,
    /// The status of an answer that is none of a refusal.
    pub(crate) success: u16,
}

/// Why a call came to nothing. Says nothing of what was asked or answered.
#[derive(Debug)]
pub(crate) struct CallFault(String);

impl fmt::Display for CallFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Error for CallFault {}

impl Service {
    /// What a service answers to `body` that knows its calls by targets.
    pub(crate) async fn call<A: DeserializeOwned>(
        &self,
        http: &dyn Http,
        target: &'static str,
        body: &str,
    ) -> Result<A, CallFault> {
        let call = Call { path: "/", header: ("x-amz-target", target), body, success: 200 };
        let answer = self.ask(http, &call).await?;
        serde_json::from_slice(&answer.body).map_err(|_| self.fault("an answer that is none"))
    }

    /// The answer, if it is a success.
    pub(crate) async fn ask(&self, http: &dyn Http, call: &Call<'_>) -> Result<HttpResponse, CallFault> {
        let Patience { attempt: timeout, attempts, first_pause } = self.patience;
        let mut attempt = 1;
        loop {
            let fault = match http.send(self.signed(call)?, timeout).await {
                Ok(answer) if answer.status == call.success => return Ok(answer),
                Ok(answer) => match self.refused(&answer) {
                    (fault, true) => fault,
                    (fault, false) => return Err(fault),
                },
                Err(fault) => self.fault(format_args!("{fault:?}")),
            };
            if attempt >= attempts {
                return Err(fault);
            }
            SystemClock.sleep(pause(first_pause, attempt)).await;
            attempt += 1;
        }
    }

    /// A fault of this service.
    pub(crate) fn fault(&self, what: impl fmt::Display) -> CallFault {
        CallFault(format!("{}: {what}", self.title))
    }

    fn signed(&self, call: &Call<'_>) -> Result<HttpRequest, CallFault> {
        let Call { path, header: (name, value), body, .. } = *call;
        let identity = self.credentials.clone().into();
        let millis = u64::try_from(SystemClock.now().as_millis()).unwrap_or_default();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.name)
            .time(UNIX_EPOCH + Duration::from_millis(millis))
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| self.fault(error))?;
        let mut headers = vec![("content-type", self.content_type.to_owned()), (name, value.to_owned())];
        let url = format!("{}{path}", self.url.trim_end_matches('/'));
        let signed = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let request = SignableRequest::new("POST", &url, signed, SignableBody::Bytes(body.as_bytes()))
            .map_err(|error| self.fault(error))?;
        let (instructions, _) = sign(request, &params.into()).map_err(|error| self.fault(error))?.into_parts();
        let (signature, _) = instructions.into_parts();
        headers.extend(signature.into_iter().map(|header| (header.name(), header.value().to_owned())));
        Ok(HttpRequest { method: Method::Post, url, headers, body: Zeroizing::new(body.as_bytes().to_vec()) })
    }

    /// What was said, and whether it may pass.
    fn refused(&self, answer: &HttpResponse) -> (CallFault, bool) {
        let Refusal { kind } = serde_json::from_slice(&answer.body).unwrap_or_default();
        let passes = answer.status >= 500 || answer.status == 429 || BUSY.iter().any(|busy| kind.ends_with(busy));
        (self.fault(format_args!("{} {kind}", answer.status)), passes)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    #[serde(rename = "__type")]
    kind: String,
}

/// A random part of the longest.
fn pause(first: Duration, attempt: u32) -> Duration {
    let longest = first.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
    longest.saturating_mul(u32::from(SystemEntropy.bytes()[0])) / u32::from(u8::MAX)
}
