//! The gateway behind a [`crate::socket`]: one lock around the gateway and its ledger.
//!
//! The lock is held while a request is decided and its records are written, and never while an
//! answer waits, so that a slow answer delays nobody and its operation is seen to be in progress.
//! When the ledger cannot be written the server stops: a gateway that forgets what it has done
//! would make every test that reads its ledger a lie.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use kessai_infra::http::HttpClient;
use kessai_infra::system::SystemClock;
use kessai_shared::ports::Clock;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Notify, mpsc, watch};
use tokio::task::JoinSet;

use super::ledger::Ledger;
use super::model::{Gateway, Request};
use super::outbox::Outbox;
use super::postman::{self, Receivers};
use crate::models;
use crate::socket::{self, Reply, Stopping, Unanswered};

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
    let mut tasks = JoinSet::new();
    if notifies {
        tasks.spawn(postman::run(Arc::clone(&desk), HttpClient::new()?));
    }
    let end = async move {
        tokio::select! {
            () = shutdown => Ok(()),
            Some(error) = failure.recv() => Err(error),
        }
    };
    socket::serve(listener, desk, tasks, stop, end).await
}

/// What all connections share, and the postman.
pub struct Desk {
    pub state: Mutex<State>,
    /// Tells the postman that there may be something to tell.
    pub news: Notify,
    /// Tells `serve` that the ledger has failed.
    pub failed: mpsc::Sender<io::Error>,
    pub stopping: Stopping,
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

impl socket::Desk for Desk {
    /// Lets the gateway react and stores what it recorded, so that records stand in their order.
    async fn react(&self, request: models::Request) -> Result<Reply, Unanswered> {
        let mut state = self.state.lock().await;
        let reaction = state.gateway.handle(&request.into(), now_ms());
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
        Ok(Reply { answer: reaction.answer, delay_ms: reaction.delay_ms, delivery: reaction.delivery })
    }
}

impl From<models::Request> for Request {
    fn from(request: models::Request) -> Self {
        let models::Request { method, path, query, mut headers, body } = request;
        Self { method, path, query, idempotency_key: headers.remove("idempotency-key"), body }
    }
}

/// The only look at the clock. A clock before 1970 reads as 1970.
#[expect(clippy::disallowed_methods, reason = "the sandbox is a world of its own, with a clock of its own")]
pub fn now_ms() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}
