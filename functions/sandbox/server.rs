//! The gateway behind a socket: HTTP/1.1, one lock around the gateway and its ledger.
//!
//! The lock is held while a request is decided and its records are written, and never while an
//! answer waits, so that a slow answer delays nobody and its operation is seen to be in progress.
//! When the ledger cannot be written the server stops: a gateway that forgets what it has done
//! would make every test that reads its ledger a lie.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use kessai_infra::http::HttpClient;
use kessai_infra::system::SystemClock;
use kessai_shared::ports::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::answer::Answer;
use super::ledger::Ledger;
use super::model::{Delivery, Gateway, Reaction, Request};
use super::outbox::Outbox;
use super::postman::{self, Receivers};

/// Largest body: many times the largest operation, and a script of faults of the longest kind.
const BODY_MAX: usize = 64 * 1024;

/// Most connections at once: below the open files that a process has by default.
const CONNECTIONS_MAX: usize = 512;

/// Longest time for a body to arrive, so that a client that stalls holds no connection.
const BODY_LIMIT: Duration = Duration::from_secs(30);

/// Pause after an accept that failed, as it does while the process is out of files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long stopping waits for requests that are being read or answered.
const STOP_LIMIT: Duration = Duration::from_secs(1);

/// How to run the server.
pub struct Options {
    /// Where the ledger is kept; without it, in memory only.
    pub data: Option<PathBuf>,
    /// Where notices go.
    pub notify: Receivers,
    /// By which notices are signed: that of whoever takes them, which may be moved.
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self { data: None, notify: Receivers::default(), clock: Arc::new(SystemClock) }
    }
}

/// Serves until `shutdown` ends. Answers that still wait by then are not delivered.
///
/// # Errors
/// The ledger cannot be opened, read or written.
pub async fn serve(
    listener: TcpListener,
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (ledger, records) = Ledger::open(options.data.as_deref())?;
    let gateway = Gateway::restore(records).at(format!("http://{}", listener.local_addr()?));
    let notifies = !options.notify.is_empty();
    let mut state =
        State { gateway, ledger, outbox: Outbox::default(), receivers: options.notify, clock: options.clock };
    state.look_at(0..state.gateway.operations());
    let (failed, mut failure) = mpsc::channel(1);
    let (stop, stopping) = watch::channel(false);
    let desk = Arc::new(Desk { state: Mutex::new(state), news: Notify::new(), failed, stopping });
    let mut connections = JoinSet::new();
    if notifies {
        connections.spawn(postman::run(Arc::clone(&desk), HttpClient::new()?));
    }
    let mut shutdown = pin!(shutdown);
    let end = loop {
        tokio::select! {
            () = &mut shutdown => break Ok(()),
            Some(error) = failure.recv() => break Err(error),
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => {
                accept(accepted, &desk, &mut connections).await;
            }
        }
    };
    stop.send_replace(true);
    // A client that stalls is not waited for: what it asked was recorded or was not.
    let _ = timeout(STOP_LIMIT, async { while connections.join_next().await.is_some() {} }).await;
    connections.shutdown().await;
    end
}

async fn accept(accepted: io::Result<(TcpStream, SocketAddr)>, desk: &Arc<Desk>, connections: &mut JoinSet<()>) {
    let Ok((stream, _)) = accepted else {
        return sleep(ACCEPT_PAUSE).await;
    };
    connections.spawn(converse(stream, Arc::clone(desk)));
}

/// One connection, until its client or a fault ends it, or until the server stops.
async fn converse(stream: TcpStream, desk: Arc<Desk>) {
    let mut stopping = desk.stopping.clone();
    let service = service_fn(move |request| Arc::clone(&desk).answer(request));
    let mut connection =
        pin!(http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service));
    // An error is how a connection ends that somebody breaks off; there is nobody to tell.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|stopping| *stopping) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// What all connections share, and the postman.
pub struct Desk {
    pub state: Mutex<State>,
    /// Tells the postman that there may be something to tell.
    pub news: Notify,
    /// Tells `serve` that the ledger has failed.
    pub failed: mpsc::Sender<io::Error>,
    pub stopping: watch::Receiver<bool>,
}

/// What changes, all of it at once.
pub struct State {
    pub gateway: Gateway,
    pub ledger: Ledger,
    pub outbox: Outbox,
    pub receivers: Receivers,
    pub clock: Arc<dyn Clock>,
}

impl State {
    /// Has the postman look at the operations at these places, where anybody is told of their class.
    fn look_at(&mut self, places: Range<usize>) {
        for place in places {
            let operation = self.gateway.operation(place);
            if operation.is_some_and(|operation| self.receivers.contains_key(&operation.class)) {
                self.outbox.add(place, 0);
            }
        }
    }
}

impl Desk {
    /// One exchange; the error makes hyper close the connection without a word.
    async fn answer(self: Arc<Self>, request: hyper::Request<Incoming>) -> Result<Response<Full<Bytes>>, Unanswered> {
        let request = match read(request).await {
            Ok(request) => request,
            Err(refusal) => return refusal.map(response),
        };
        let reaction = self.react(&request).await?;
        if reaction.delay_ms > 0 {
            self.wait(sleep(Duration::from_millis(reaction.delay_ms))).await?;
        }
        match reaction.delivery {
            Delivery::Answered => Ok(response(reaction.answer)),
            Delivery::Closed => Err(Unanswered),
            Delivery::Silent => {
                self.wait(std::future::pending()).await?;
                Err(Unanswered)
            }
        }
    }

    /// Lets the gateway react and stores what it recorded, so that records stand in their order.
    async fn react(&self, request: &Request) -> Result<Reaction, Unanswered> {
        let mut state = self.state.lock().await;
        let reaction = state.gateway.handle(request, now_ms());
        if let Err(error) = state.ledger.append(&reaction.records) {
            // When the channel is full, an earlier failure is already stopping the server.
            let _ = self.failed.try_send(error);
            return Err(Unanswered);
        }
        for record in &reaction.records {
            let places = state.gateway.touched(record);
            state.look_at(places);
        }
        self.news.notify_one();
        Ok(reaction)
    }

    /// Waits for something, or gives up because the server stops.
    async fn wait(&self, something: impl Future<Output = ()>) -> Result<(), Unanswered> {
        let mut stopping = self.stopping.clone();
        tokio::select! {
            () = something => Ok(()),
            _ = stopping.wait_for(|stopping| *stopping) => Err(Unanswered),
        }
    }
}

/// The connection is to be closed without an answer.
#[derive(Debug)]
struct Unanswered;

impl fmt::Display for Unanswered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("closed without an answer")
    }
}

impl std::error::Error for Unanswered {}

/// The request as the gateway reads it, or else an answer or none.
async fn read(request: hyper::Request<Incoming>) -> Result<Request, Result<Answer, Unanswered>> {
    let (head, body) = request.into_parts();
    let body = match timeout(BODY_LIMIT, Limited::new(body, BODY_MAX).collect()).await {
        Ok(Ok(body)) => body.to_bytes().to_vec(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let message = format!("a body has at most {BODY_MAX} bytes");
            return Err(Ok(Answer::error(413, "body_too_large", &message)));
        }
        Ok(Err(_)) | Err(_) => return Err(Err(Unanswered)),
    };
    let key = head.headers.get("idempotency-key");
    Ok(Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        idempotency_key: key.map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned()),
        body,
    })
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// The only look at the clock. A clock before 1970 reads as 1970.
#[expect(clippy::disallowed_methods, reason = "the sandbox is a world of its own, with a clock of its own")]
pub fn now_ms() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}
