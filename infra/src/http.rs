//! Sends requests to gateways, each of them once, and says honestly what became of it.
//!
//! The caller must know one thing about a request without an answer: whether the gateway can have seen it.
//! `NotSent` is said only where this is certain, which is in three cases.
//!
//! - The request cannot be built, or no connection was made: no name, no TCP connection, no TLS.
//! - No connection was ready within three seconds, or within the time of the whole exchange.
//! - The connection that was to carry it had ended while it was idle, and hyper gave the request back
//!   untouched: that is what [`hyper::Error::is_canceled`] means on this path. An error after its first
//!   byte was put into the connection's buffer is never of that kind.
//!
//! Everything else is `Lost`, and too many requests called lost is the side to err on. Nothing is sent
//! again here, and no redirect is followed: who sends again must know the gateway, and decides so.

use std::error::Error;
use std::io;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector, capture_connection};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kessai_shared::ports::{Http, HttpFault, HttpRequest, HttpResponse, Method, Pending};
use rustls::ClientConfig;
use tokio::time;

/// As long as a name, a TCP connection and TLS may take together. A server that is up needs a tenth of
/// it; what is left of the caller's time is for the answer.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// As long as an unused connection is kept. A server that ends it while a request is on its way makes
/// that request a lost one, so we are done with a connection before the servers are: the shortest time
/// that is common among them is 5 seconds (Apache httpd's `KeepAliveTimeout`, Node's `keepAliveTimeout`).
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Unused connections to one gateway kept at most.
const IDLE_CONNECTIONS: usize = 16;

/// Longest body of an answer: far more than any gateway says of one payment.
const LONGEST_BODY: usize = 256 * 1024;

/// Speaks HTTP/1.1 over TLS with the system's root certificates. Plain HTTP is for gateways on the same
/// machine, in tests and development.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// TLS with the system's root certificates, which are read once in a process; fails where there are none.
pub(crate) fn tls() -> io::Result<ClientConfig> {
    static TLS: OnceLock<ClientConfig> = OnceLock::new();
    if let Some(tls) = TLS.get() {
        return Ok(tls.clone());
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
    let tls = builder.with_native_roots()?.with_no_client_auth();
    Ok(TLS.get_or_init(|| tls).clone())
}

/// Makes connections, plain or over TLS.
pub(crate) fn connector() -> io::Result<HttpsConnector<HttpConnector>> {
    let tls = tls()?;
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    // Shared out among the addresses of a name, so that one dead address does not take all the time.
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    Ok(builder.enable_http1().wrap_connector(tcp))
}

impl HttpClient {
    /// Reads the system's root certificates; fails where there are none.
    pub fn new() -> io::Result<Self> {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .retry_canceled_requests(false)
            .build(connector()?);
        Ok(Self { client })
    }

    /// Opens a connection to this gateway before it is needed, as far as that is possible: its name, its certificate
    /// and a ticket for the next handshake are known afterwards. What the gateway says to it is of no importance.
    pub async fn warm_up(&self, url: &str) {
        let request = Request::builder().method(hyper::Method::HEAD).uri(url).body(Full::default());
        if let Ok(request) = request {
            drop(time::timeout(CONNECT_TIMEOUT, self.client.request(request)).await);
        }
    }

    async fn exchange(&self, request: HttpRequest, timeout: Duration) -> Result<HttpResponse, HttpFault> {
        let mut request = encode(request).map_err(|error| HttpFault::NotSent(chain(&error)))?;
        let connection = capture_connection(&mut request);
        let mut answer = pin!(self.answer(request, &connection));
        let connect_timeout = timeout.min(CONNECT_TIMEOUT);
        if let Ok(answer) = time::timeout(connect_timeout, &mut answer).await {
            return answer;
        }
        if !is_connected(&connection) {
            return Err(HttpFault::NotSent(format!("no connection within {connect_timeout:?}")));
        }
        let lost = HttpFault::Lost(format!("no answer within {timeout:?}"));
        time::timeout(timeout.saturating_sub(connect_timeout), answer).await.unwrap_or(Err(lost))
    }

    async fn answer(
        &self,
        request: Request<Full<Bytes>>,
        connection: &CaptureConnection,
    ) -> Result<HttpResponse, HttpFault> {
        let response = self.client.request(request).await.map_err(|error| fault(&error, connection))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), LONGEST_BODY).collect().await;
        let body = body.map_err(|error| HttpFault::Lost(format!("body of the answer: {}", chain(&*error))))?;
        Ok(HttpResponse { status, body: body.to_bytes().into() })
    }
}

impl Http for HttpClient {
    fn send<'a>(&'a self, request: HttpRequest, timeout: Duration) -> Pending<'a, Result<HttpResponse, HttpFault>> {
        Box::pin(self.exchange(request, timeout))
    }
}

/// The body stays in the memory that is wiped. What the connection copies out of it is not ours.
fn encode(request: HttpRequest) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let HttpRequest { method, url, headers, body } = request;
    let method = match method {
        Method::Get => hyper::Method::GET,
        Method::Post => hyper::Method::POST,
        Method::Patch => hyper::Method::PATCH,
        Method::Delete => hyper::Method::DELETE,
    };
    let mut encoded = Request::builder().method(method).uri(url).body(Full::new(Bytes::from_owner(body)))?;
    *encoded.headers_mut() = encode_headers(headers)?;
    Ok(encoded)
}

pub(crate) fn encode_headers(headers: Vec<(&'static str, String)>) -> Result<HeaderMap, hyper::http::Error> {
    let mut encoded = HeaderMap::new();
    for (name, value) in headers {
        let mut value = HeaderValue::try_from(value)?;
        // Any of them may be a credential: whoever prints them must not show it.
        value.set_sensitive(true);
        encoded.append(HeaderName::try_from(name)?, value);
    }
    Ok(encoded)
}

/// Which of the two it was, where no answer began.
fn fault(error: &legacy::Error, connection: &CaptureConnection) -> HttpFault {
    if is_connected(connection) && !is_untouched(error) {
        HttpFault::Lost(chain(error))
    } else {
        HttpFault::NotSent(chain(error))
    }
}

/// Whether the request was given to a connection. It is not before this is so.
fn is_connected(connection: &CaptureConnection) -> bool {
    connection.connection_metadata().is_some()
}

/// Whether the connection gave the request back without having begun to write it.
fn is_untouched(error: &legacy::Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<hyper::Error>());
    source.is_some_and(hyper::Error::is_canceled)
}

/// An error with its causes. None of these types holds anything of the request.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
