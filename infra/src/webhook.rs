//! Delivers to endpoints of merchants, whom nobody vouches for: they choose where we send to, and may change what their
//! names lead to at any moment.
//!
//! So a delivery has a connection of its own, which is opened in one place: the endpoint's host is looked up once, what
//! is not on the public internet is left out ([`is_public`]), and a connection is opened to one of the very addresses
//! that are left. There is no pool in which a connection could wait that was opened to somewhere else, no second
//! look-up, and no redirect is followed. While developing, this machine may be reached by its own names, and by
//! nobody else's.
//!
//! As of a request to a gateway it is said honestly whether anything can have arrived: `NotSent` only where no
//! connection was made, or hyper gave the request back untouched ([`http`](crate::http) has it in full). The answer's
//! status is all that counts.

use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, HeaderValue};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use kessai_shared::merchant::address::{Plain, check_endpoint, is_loopback, is_public};
use kessai_shared::ports::{Deliveries, DeliveryFault, Pending};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{self, Instant};
use tokio_rustls::TlsConnector;

use crate::http::{CONNECT_TIMEOUT, chain, encode_headers, tls};

/// As long as a delivery may take, from the look-up to the answer. An endpoint that has more to do does it afterwards.
const PATIENCE: Duration = Duration::from_secs(10);

/// Addresses of one name that are tried. They share the time of a connection, so more would have too little each.
const MOST_ADDRESSES: usize = 4;

/// Longest head of an answer: twice as much as common servers allow.
const LONGEST_HEAD: usize = 16 * 1024;

/// As much of an answer's body as is read, so that an endpoint can finish what it says. Nobody looks at it.
const LONGEST_BODY: usize = 16 * 1024;

/// What the client needs of the network. A test plays it, to see what is looked up and where connections go.
pub trait Network: Send + Sync {
    fn look_up<'a>(&'a self, name: &'a str) -> Pending<'a, io::Result<Vec<IpAddr>>>;
    fn connect(&self, address: SocketAddr) -> Pending<'_, io::Result<TcpStream>>;
}

/// The operating system's.
struct System;

impl Network for System {
    fn look_up<'a>(&'a self, name: &'a str) -> Pending<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect()) })
    }

    fn connect(&self, address: SocketAddr) -> Pending<'_, io::Result<TcpStream>> {
        Box::pin(TcpStream::connect(address))
    }
}

/// Speaks HTTP/1.1 over TLS with the system's root certificates.
pub struct WebhookClient {
    plain: Plain,
    patience: Duration,
    network: Arc<dyn Network>,
    tls: TlsConnector,
}

/// What may be spoken over: TCP, or TLS over it.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl WebhookClient {
    /// Reads the system's root certificates; fails where there are none. `plain` says whether endpoints on this machine
    /// are delivered to.
    pub fn new(plain: Plain) -> io::Result<Self> {
        let mut tls = tls()?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { plain, patience: PATIENCE, network: Arc::new(System), tls: TlsConnector::from(Arc::new(tls)) })
    }

    /// The same over another network.
    #[must_use]
    pub fn over(self, network: Arc<dyn Network>) -> Self {
        Self { network, ..self }
    }

    /// The same with less time for a delivery.
    #[must_use]
    pub fn within(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    async fn exchange(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<u16, DeliveryFault> {
        let end = Instant::now() + self.patience;
        // It was looked at when it was set up; what is allowed may have changed.
        check_endpoint(url, self.plain).map_err(|error| DeliveryFault::Refused(error.to_string()))?;
        let target = Target::parse(url).ok_or_else(|| DeliveryFault::NotSent("no such URL".to_owned()))?;
        let request = target.request(headers, body).map_err(|error| DeliveryFault::NotSent(chain(&error)))?;
        let patience = self.patience.min(CONNECT_TIMEOUT);
        let none = DeliveryFault::NotSent(format!("no connection within {patience:?}"));
        let stream = time::timeout(patience, self.connect(&target)).await.unwrap_or(Err(none))?;
        post(stream, request, end).await
    }

    async fn connect(&self, target: &Target) -> Result<Box<dyn Stream>, DeliveryFault> {
        let tcp = self.reach(target).await?;
        // A delivery is one small write, or two.
        let _ = tcp.set_nodelay(true);
        if !target.is_tls {
            return Ok(Box::new(tcp));
        }
        let not_sent = |error: &(dyn std::error::Error + 'static)| DeliveryFault::NotSent(chain(error));
        let name = target.host.trim_end_matches('.').to_owned();
        let name = ServerName::try_from(name).map_err(|error| not_sent(&error))?;
        Ok(Box::new(self.tls.connect(name, tcp).await.map_err(|error| not_sent(&error))?))
    }

    /// A connection to one of the target's addresses that may be reached.
    async fn reach(&self, target: &Target) -> Result<TcpStream, DeliveryFault> {
        let mut addresses = self.addresses(&target.host).await?;
        addresses.truncate(MOST_ADDRESSES);
        let each = CONNECT_TIMEOUT / u32::try_from(addresses.len()).unwrap_or(1).max(1);
        let mut fault = "no address".to_owned();
        for address in addresses {
            let connection = self.network.connect(SocketAddr::new(address, target.port));
            match time::timeout(each, connection).await {
                Ok(Ok(tcp)) => return Ok(tcp),
                Ok(Err(error)) => fault = error.to_string(),
                Err(_) => fault = format!("no connection within {each:?}"),
            }
        }
        Err(DeliveryFault::NotSent(fault))
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DeliveryFault> {
        let found = match host.parse() {
            Ok(address) => vec![address],
            Err(_) => self.network.look_up(host).await.map_err(|error| DeliveryFault::NotSent(chain(&error)))?,
        };
        let is_ours = self.plain == Plain::Loopback && is_loopback(host);
        let may_be_reached = |address: &IpAddr| if is_ours { address.is_loopback() } else { is_public(*address) };
        let (allowed, others): (Vec<_>, Vec<_>) = found.into_iter().partition(may_be_reached);
        match others.first() {
            Some(other) if allowed.is_empty() => Err(DeliveryFault::Refused(other.to_string())),
            Some(_) | None => Ok(allowed),
        }
    }
}

impl Deliveries for WebhookClient {
    fn deliver<'a>(
        &'a self,
        url: &'a str,
        headers: &'a [(&'static str, String)],
        body: Vec<u8>,
    ) -> Pending<'a, Result<u16, DeliveryFault>> {
        Box::pin(self.exchange(url, headers, body))
    }
}

/// Where a delivery goes.
struct Target {
    is_tls: bool,
    /// A name, or an address without brackets.
    host: String,
    port: u16,
    /// What the header `Host` says.
    authority: String,
    path: String,
}

impl Target {
    fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let is_tls = uri.scheme_str()?.eq_ignore_ascii_case("https");
        let host = uri.host()?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Some(Self {
            is_tls,
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
            authority: uri.port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
            // `https://host?query` has no path of its own.
            path: if path.starts_with('/') { path.to_owned() } else { format!("/{path}") },
        })
    }

    fn request(
        &self,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let mut request = Request::post(&self.path).body(Full::from(body))?;
        *request.headers_mut() = encode_headers(headers.to_vec())?;
        request.headers_mut().insert(HOST, HeaderValue::try_from(&self.authority)?);
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        Ok(request)
    }
}

/// Sends the request and hears the answer's status. Both ends of the connection live in this future, so that nothing
/// goes on when a delivery is given up.
async fn post(stream: Box<dyn Stream>, request: Request<Full<Bytes>>, end: Instant) -> Result<u16, DeliveryFault> {
    let handshake = http1::Builder::new().max_buf_size(LONGEST_HEAD).handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| DeliveryFault::NotSent(chain(&error)))?;
    let mut connection = pin!(connection);
    let mut exchange = pin!(async {
        let answer = time::timeout_at(end, sender.send_request(request)).await;
        let answer = answer.map_err(|_| DeliveryFault::Lost("not in time".to_owned()))?;
        let answer = answer.map_err(|error| match error.is_canceled() {
            true => DeliveryFault::NotSent(chain(&error)),
            false => DeliveryFault::Lost(chain(&error)),
        })?;
        let status = answer.status();
        // However its body ends, the status was said.
        drop(time::timeout_at(end, Limited::new(answer.into_body(), LONGEST_BODY).collect()).await);
        if status.is_success() { Ok(status.as_u16()) } else { Err(DeliveryFault::Status(status.as_u16())) }
    });
    let mut is_open = true;
    poll_fn(|context| {
        // However it ends, the exchange hears of it.
        is_open = is_open && connection.as_mut().poll(context).is_pending();
        exchange.as_mut().poll(context)
    })
    .await
}
