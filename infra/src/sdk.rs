//! What carries the SDK's requests: the HTTP/1.1 that gateways are spoken to with, so that no binary holds two clients.
//!
//! Bodies are whole in memory, as those of DynamoDB are. How long a request may take, and whether it is sent again, the
//! SDK decides.

use std::fmt;
use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as Tcp;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::http::connector;

/// DynamoDB answers with a megabyte of items at most, which JSON makes longer.
const LONGEST_BODY: usize = 16 * 1024 * 1024;

/// As long as an unused connection is kept: DynamoDB keeps one longer.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// A client for the SDK. It reads the system's root certificates when it is first used.
pub fn http_client() -> SharedHttpClient {
    SharedHttpClient::new(Carrier::default())
}

#[derive(Clone, Default)]
struct Carrier(std::sync::Arc<OnceLock<Carried>>);

type Carried = Client<HttpsConnector<Tcp>, Full<Bytes>>;

impl Carrier {
    fn client(&self) -> io::Result<Carried> {
        if let Some(client) = self.0.get() {
            return Ok(client.clone());
        }
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector()?);
        Ok(self.0.get_or_init(|| client).clone())
    }
}

impl fmt::Debug for Carrier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Carrier")
    }
}

impl HttpClient for Carrier {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Carrier {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.client();
        HttpConnectorFuture::new(async move {
            let client = client.map_err(|error| ConnectorError::other(error.into(), None))?;
            exchange(client, request).await
        })
    }
}

async fn exchange(client: Carried, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (head, body) = request.into_parts();
    let streams = || ConnectorError::user("the body is not in memory".into());
    let body = Bytes::copy_from_slice(body.bytes().ok_or_else(streams)?);
    let answer = client.request(Request::from_parts(head, Full::new(body))).await;
    let (head, body) = answer.map_err(|error| ConnectorError::io(error.into()))?.into_parts();
    let body = Limited::new(body, LONGEST_BODY).collect().await.map_err(ConnectorError::io)?;
    let answer = Response::from_parts(head, SdkBody::from(body.to_bytes()));
    HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
}
