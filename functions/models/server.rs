//! The models behind a [`crate::socket`], each below its name: `/{model}/…` is as its gateway has it.
//!
//! | route | what it does |
//! |---|---|
//! | `/{model}/…` | asks the model; scripted faults strike here |
//! | `GET /ledger?model=M&reference=R` | all that moved money, or that of one model or reference |
//! | `GET`, `POST`, `DELETE /faults` | `{"next":[{"fault","model"?,"method"?,"path"?,"kind"?,"delayMs"?,"times"?}]}` |
//! | `GET /` | this, in short |
//!
//! Faults are those of the world in the sandbox's table, by the same names. One strikes the next `POST` that it fits, or
//! the method that it names; `path` is any part of the path, such as `/capture`. One of the kind `notice` strikes the
//! next body that is sent unasked. A request that is struck while its gateway acts stands in the ledger.
//!
//! What a model tells unasked is posted to the receivers of its name until they take it. Everything is forgotten when
//! the process ends: a model may hold cards, and those never rest.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use kessai_infra::http::HttpClient;
use kessai_infra::system::SystemClock;
use kessai_shared::ports::Clock;
use kessai_shared::time::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::JoinSet;

use super::description::description;
use super::faults::Aim;
use super::post::{self, Letter, Post, Sending};
use super::{Answer, Effect, Model, Request};
use crate::sandbox::{Behaviour, Mishap, Script, Treatment, object, parameter};
use crate::socket::{self, Desk, Reply, Stopping, Unanswered};

/// Where the notices of each model go; those of the others go nowhere.
pub type Receivers = BTreeMap<String, Vec<String>>;

/// How to run the server.
pub struct Options {
    pub models: Vec<Box<dyn Model>>,
    pub receivers: Receivers,
    /// The models' time: that of whoever asks them, which may be moved.
    pub clock: Arc<dyn Clock>,
}

impl Options {
    /// These, on the system's time.
    #[must_use]
    pub fn of(models: Vec<Box<dyn Model>>, receivers: Receivers) -> Self {
        Self { models, receivers, clock: Arc::new(SystemClock) }
    }
}

/// Serves until `shutdown` ends. Answers that still wait by then are not delivered.
///
/// # Errors
/// The socket's address or the system's certificates cannot be read.
pub async fn serve(
    listener: TcpListener,
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let url = format!("http://{}", listener.local_addr()?);
    let Options { models, receivers, clock } = options;
    let state = State { models, receivers, script: Script::default(), post: Post::default() };
    let (stop, stopping) = watch::channel(false);
    let counter = Arc::new(Counter { url, state: Mutex::new(state), news: Notify::new(), clock, stopping });
    let mut tasks = JoinSet::new();
    tasks.spawn(post::run(Arc::clone(&counter), HttpClient::new()?));
    socket::serve(listener, counter, tasks, stop, shutdown).await;
    Ok(())
}

/// What all connections share, and the post.
pub struct Counter {
    url: String,
    pub state: Mutex<State>,
    /// Tells the post that there may be something to tell.
    pub news: Notify,
    clock: Arc<dyn Clock>,
    pub stopping: Stopping,
}

/// What changes, all of it at once.
pub struct State {
    models: Vec<Box<dyn Model>>,
    receivers: Receivers,
    script: Script<Aim>,
    pub post: Post,
}

impl Desk for Counter {
    async fn react(&self, request: Request) -> Result<Reply, Unanswered> {
        let mut state = self.state.lock().await;
        let reply = state.react(request, &self.url, self.now_ms());
        self.news.notify_one();
        Ok(reply)
    }
}

impl Counter {
    pub fn now_ms(&self) -> i64 {
        self.clock.now().as_millis()
    }

    /// What is to be sent now, and how long there is nothing else to do.
    pub async fn due(&self, most: usize) -> (Vec<Sending>, Duration) {
        let mut state = self.state.lock().await;
        let now_ms = self.now_ms();
        state.collect(now_ms);
        let State { script, post, .. } = &mut *state;
        post.due(most, now_ms, |model| script.take_where(|aim| aim.is_at_notices(model)).and_then(Mishap::of))
    }
}

impl State {
    fn react(&mut self, mut request: Request, url: &str, now_ms: i64) -> Reply {
        let (first, rest) = split(&request.path);
        let place = self.models.iter().position(|model| model.name() == first);
        if let Some(place) = place {
            request.path = rest.to_owned();
            return self.ask(place, &request, now_ms);
        }
        Reply::at_once(match (first, request.method.as_str()) {
            ("", "GET") => description(self.models.iter().map(AsRef::as_ref), url),
            ("ledger", "GET") => self.ledger(&request.query, now_ms),
            ("faults", "GET") => Answer::ok(&self.script.describe()),
            ("faults", "POST" | "DELETE") => self.direct(&request),
            ("" | "ledger" | "faults", _) => Answer::error(405, "wrong_method", "this route does not take that method"),
            _ => Answer::error(404, "no_such_route", "no such model or route"),
        })
    }

    /// Has a model react, unless the world does not let the request through.
    fn ask(&mut self, place: usize, request: &Request, now_ms: i64) -> Reply {
        let Some(model) = self.models.get_mut(place) else {
            return Reply::at_once(Answer::error(404, "no_such_route", "no such model or route"));
        };
        let cue = self.script.take_where(|aim| aim.is_at(model.name(), request));
        let treatment = match cue {
            Some(cue) => Treatment::scripted(cue, Behaviour::Approve),
            None => Treatment::unstruck(Behaviour::Approve),
        };
        let meant = if treatment.acts() { model.handle(request, now_ms) } else { Answer::internal_error() };
        self.collect(now_ms);
        let (answer, delivery) = treatment.deliver(meant);
        Reply { answer, delay_ms: treatment.delay_ms, delivery }
    }

    /// Takes what the models tell to the post, where anybody listens.
    fn collect(&mut self, now_ms: i64) {
        for model in &mut self.models {
            let urls = self.receivers.get(model.name()).map_or(&[][..], Vec::as_slice);
            for webhook in model.webhooks(now_ms) {
                for url in urls {
                    self.post.add(Letter { model: model.name(), url: url.clone(), webhook: webhook.clone() });
                }
            }
        }
    }

    fn ledger(&self, query: &str, now_ms: i64) -> Answer {
        let (model, reference) = match (parameter(query, "model"), parameter(query, "reference")) {
            (Ok(model), Ok(reference)) => (model, reference),
            (Err(message), _) | (_, Err(message)) => return Answer::invalid(&message),
        };
        if let Err(message) = self.knows(model.as_deref()) {
            return Answer::invalid(&message);
        }
        let models = self.models.iter().filter(|known| model.as_deref().is_none_or(|name| name == known.name()));
        let effects: Vec<Value> = models
            .flat_map(|model| model.effects(now_ms).into_iter().map(|effect| (model.name(), effect)))
            .filter(|(_, effect)| reference.as_ref().is_none_or(|reference| *reference == effect.reference))
            .map(|(model, effect)| shown(model, &effect))
            .collect();
        Answer::ok(&json!({ "effects": effects }))
    }

    fn direct(&mut self, request: &Request) -> Answer {
        if request.method == "DELETE" {
            self.script.clear();
        } else if let Err(message) = self.knows_all(&request.body).and_then(|()| self.script.add(&request.body)) {
            return Answer::invalid(&message);
        }
        Answer::ok(&json!({ "pending": self.script.pending() }))
    }

    /// A fault for a model that is not there would strike nothing, and nobody would know.
    fn knows_all(&self, body: &[u8]) -> Result<(), String> {
        let body = object(body)?;
        let next = body.get("next").and_then(Value::as_array).into_iter().flatten();
        next.filter_map(|fault| fault.get("model")).try_for_each(|name| self.knows(name.as_str()))
    }

    fn knows(&self, name: Option<&str>) -> Result<(), String> {
        let names: Vec<&str> = self.models.iter().map(|model| model.name()).collect();
        match name {
            Some(name) if !names.contains(&name) => Err(format!("model must be one of {}", names.join(", "))),
            Some(_) | None => Ok(()),
        }
    }
}

/// The first part of a path, and what follows it with its slash.
fn split(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    let end = path.find('/').unwrap_or(path.len());
    path.split_at(end)
}

fn shown(model: &str, effect: &Effect) -> Value {
    json!({
        "model": model,
        "at": Timestamp::from_millis(effect.at_ms).to_string(),
        "act": effect.act.name(),
        "reference": effect.reference,
        "id": effect.id,
        "amount": effect.minor,
        "currency": effect.currency,
        "undone": effect.undone,
    })
}
