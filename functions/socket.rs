//! A gateway behind a socket: HTTP/1.1, a limit on everything, and answers that come late, never, or not at all because
//! the connection is closed.
//!
//! Whoever is served decides what is said and how it is delivered ([`Desk`]). Nothing is held while an answer waits, so
//! that a slow one delays nobody.

use std::fmt;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::models::{Answer, Request};
use crate::sandbox::Delivery;

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

/// Who is asked.
pub trait Desk: Send + Sync + 'static {
    /// What is said to a request, and how it gets there.
    fn react(&self, request: Request) -> impl Future<Output = Result<Reply, Unanswered>> + Send;
}

/// What is said, and how it gets there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub answer: Answer,
    pub delay_ms: u64,
    pub delivery: Delivery,
}

impl Reply {
    /// It arrives at once.
    pub fn at_once(answer: Answer) -> Self {
        Self { answer, delay_ms: 0, delivery: Delivery::Answered }
    }
}

/// The connection is to be closed without an answer.
#[derive(Debug)]
pub struct Unanswered;

impl fmt::Display for Unanswered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("closed without an answer")
    }
}

impl std::error::Error for Unanswered {}

/// Turns true when the server stops.
pub type Stopping = watch::Receiver<bool>;

/// Serves until `end` comes, and says what it said. Answers that still wait by then are not delivered. What works beside
/// the connections is among `tasks`; it is told by `stop` to end.
pub async fn serve<T>(
    listener: TcpListener,
    desk: Arc<impl Desk>,
    mut tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
    end: impl Future<Output = T>,
) -> T {
    let mut end = pin!(end);
    let said = loop {
        tokio::select! {
            said = &mut end => break said,
            Some(_) = tasks.join_next() => {}
            accepted = listener.accept(), if tasks.len() < CONNECTIONS_MAX => {
                accept(accepted, &desk, stop.subscribe(), &mut tasks).await;
            }
        }
    };
    stop.send_replace(true);
    // A client that stalls is not waited for: what it asked was recorded or was not.
    let _ = timeout(STOP_LIMIT, async { while tasks.join_next().await.is_some() {} }).await;
    tasks.shutdown().await;
    said
}

async fn accept(
    accepted: std::io::Result<(TcpStream, SocketAddr)>,
    desk: &Arc<impl Desk>,
    stopping: Stopping,
    tasks: &mut JoinSet<()>,
) {
    let Ok((stream, _)) = accepted else {
        return sleep(ACCEPT_PAUSE).await;
    };
    tasks.spawn(converse(stream, Arc::clone(desk), stopping));
}

/// One connection, until its client or a fault ends it, or until the server stops.
async fn converse(stream: TcpStream, desk: Arc<impl Desk>, stopping: Stopping) {
    let mut stopped = stopping.clone();
    let service = service_fn(move |request| exchange(Arc::clone(&desk), request, stopping.clone()));
    let mut connection =
        pin!(http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service));
    // An error is how a connection ends that somebody breaks off; there is nobody to tell.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|stopping| *stopping) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// One exchange; the error makes hyper close the connection without a word.
async fn exchange(
    desk: Arc<impl Desk>,
    request: hyper::Request<Incoming>,
    stopping: Stopping,
) -> Result<Response<Full<Bytes>>, Unanswered> {
    let request = match read(request).await {
        Ok(request) => request,
        Err(refusal) => return refusal.map(response),
    };
    let Reply { answer, delay_ms, delivery } = desk.react(request).await?;
    if delay_ms > 0 {
        wait(sleep(Duration::from_millis(delay_ms)), stopping.clone()).await?;
    }
    match delivery {
        Delivery::Answered => Ok(response(answer)),
        Delivery::Closed => Err(Unanswered),
        Delivery::Silent => {
            wait(std::future::pending(), stopping).await?;
            Err(Unanswered)
        }
    }
}

/// Waits for something, or gives up because the server stops.
async fn wait(something: impl Future<Output = ()>, mut stopping: Stopping) -> Result<(), Unanswered> {
    tokio::select! {
        () = something => Ok(()),
        _ = stopping.wait_for(|stopping| *stopping) => Err(Unanswered),
    }
}

/// The request as it is read, or else an answer or none.
async fn read(request: hyper::Request<Incoming>) -> Result<Request, Result<Answer, Unanswered>> {
    let (head, body) = request.into_parts();
    let body = match timeout(BODY_LIMIT, Limited::new(body, BODY_MAX).collect()).await {
        Ok(Ok(body)) => body.to_bytes().to_vec(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let message = format!("a body has at most {BODY_MAX} bytes");
            return Err(Ok(Answer::json(413, &json!({"code": "body_too_large", "message": message}))));
        }
        Ok(Err(_)) | Err(_) => return Err(Err(Unanswered)),
    };
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: &HeaderMap = &head.headers;
    Ok(Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        body,
    })
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        // What is no header's value is left out, as any proxy would.
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
