//! The other side of the sandbox's wire: a gateway that keeps a ledger of what it really did.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};

use super::fuse::Fuse;
use super::world::Hands;
use crate::gateways::Adapter;
use crate::payment::tests::fixtures::LIFE;
use crate::ports::{Clock, Http, HttpFault, HttpRequest, HttpResponse, Method, Pending};
use crate::time::Timestamp;

/// How long a request may be on its way after its sender was killed: a property of the world, not of ours.
const LATENESS: Duration = Duration::from_millis(19_999);

/// Where it is asked for tokens.
const TOKENS: &str = "/tokens";

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Answers,
    Declines,
    /// It takes the request, acts, and says that its verdict comes later.
    Accepts,
    /// No connection.
    Refuses,
    /// It says that it is too busy and has not acted.
    IsBusy,
    /// It never arrives.
    LosesRequest,
    /// It acts, and nobody hears of it.
    LosesAnswer,
    /// It arrives after its sender was killed.
    ArrivesLate,
    /// It acts, and answers that something broke.
    Breaks,
    /// It does not like the request, and does not act.
    Rejects,
    /// It acts and gives out this token, or none.
    GivesToken(Option<&'static str>),
    /// It acts, and says the token in every place where it says something.
    RepeatsToken,
}

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) key: Option<String>,
    pub(super) body: String,
    pub(super) timeout: Duration,
}

/// What the gateway did, or refused to do.
#[derive(Debug)]
struct Deed {
    id: String,
    reference: String,
    key: Option<String>,
    body: String,
    status: &'static str,
    undone: bool,
    token: Option<String>,
    message: Option<String>,
}

#[derive(Default)]
struct Books {
    seen: Vec<Seen>,
    deeds: Vec<Deed>,
    reversed: BTreeSet<String>,
    fates: VecDeque<Fate>,
    late: Vec<(Timestamp, Seen)>,
}

pub(super) struct Sandbox {
    honours_keys: bool,
    books: Mutex<Books>,
    clock: Arc<Hands>,
    fuse: Arc<Fuse>,
}

impl Sandbox {
    pub(super) fn of(adapter: &Adapter, clock: Arc<Hands>, fuse: Arc<Fuse>) -> Self {
        Self { honours_keys: adapter.key_window.is_some(), books: Mutex::default(), clock, fuse }
    }

    /// What becomes of the next calls; those after them are answered.
    pub(super) fn foresee(&self, fates: &[Fate]) {
        self.books().fates = fates.iter().copied().collect();
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.books().seen.clone()
    }

    /// How often it acted for this reference, and has not undone it.
    pub(super) fn effects(&self, reference: &str) -> usize {
        let books = self.books();
        let effective = |deed: &&Deed| deed.reference == reference && deed.status != "declined" && !deed.undone;
        books.deeds.iter().filter(effective).count()
    }

    /// Every reference under which it was ever asked to act.
    pub(super) fn references(&self) -> BTreeSet<String> {
        self.books().deeds.iter().map(|deed| deed.reference.clone()).collect()
    }

    /// The tokens that it gave out under this reference.
    pub(super) fn tokens(&self, reference: &str) -> Vec<String> {
        let books = self.books();
        let deeds = books.deeds.iter().filter(|deed| deed.reference == reference);
        deeds.filter_map(|deed| deed.token.clone()).collect()
    }

    /// The keys under which it was asked for tokens.
    pub(super) fn token_keys(&self) -> BTreeSet<Option<String>> {
        let seen = self.seen();
        seen.into_iter().filter(|seen| seen.path == TOKENS).map(|seen| seen.key).collect()
    }

    /// Tells the verdict on what it accepted.
    pub(super) fn decide(&self, status: &'static str) {
        let mut books = self.books();
        books.deeds.iter_mut().filter(|deed| deed.status == "accepted").for_each(|deed| deed.status = status);
    }

    pub(super) fn deliver_what_is_late(&self) {
        let now = self.clock.now();
        let mut books = self.books();
        let (due, later) = std::mem::take(&mut books.late).into_iter().partition(|(arrival, _)| *arrival <= now);
        books.late = later;
        for (_, seen) in due {
            self.handle(&mut books, &seen, "approved");
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().expect("the books")
    }

    fn meet(&self, seen: Seen) -> Result<HttpResponse, HttpFault> {
        let timeout = seen.timeout;
        let mut books = self.books();
        books.seen.push(seen.clone());
        let fate = books.fates.pop_front().unwrap_or(Fate::Answers);
        let lost = || {
            self.clock.advance(timeout);
            Err(HttpFault::Lost("timeout".to_owned()))
        };
        match fate {
            Fate::Answers => Ok(self.handle(&mut books, &seen, "approved")),
            Fate::Declines => Ok(self.handle(&mut books, &seen, "declined")),
            Fate::Accepts => Ok(self.handle(&mut books, &seen, "accepted")),
            Fate::Refuses => Err(HttpFault::NotSent("connection refused".to_owned())),
            Fate::IsBusy => Ok(respond(429, &json!({}))),
            Fate::LosesRequest => lost(),
            Fate::LosesAnswer => {
                self.handle(&mut books, &seen, "approved");
                lost()
            }
            Fate::ArrivesLate => {
                let arrival = self.clock.now().plus(LIFE + LATENESS);
                books.late.push((arrival, seen));
                lost()
            }
            Fate::Breaks => {
                self.handle(&mut books, &seen, "approved");
                Ok(respond(500, &json!({"code": "internal_error"})))
            }
            Fate::Rejects => Ok(respond(400, &json!({"code": "bad_request", "message": "no such card"}))),
            Fate::GivesToken(token) => {
                self.handle(&mut books, &seen, "approved");
                let deed = books.deeds.last_mut().expect("a deed");
                deed.token = token.map(str::to_owned);
                Ok(respond(200, &describe(deed)))
            }
            Fate::RepeatsToken => {
                self.handle(&mut books, &seen, "approved");
                let deed = books.deeds.last_mut().expect("a deed");
                deed.id = deed.token.clone().expect("a token");
                deed.message = Some(format!("{}is kept as {}", "x".repeat(230), deed.id));
                Ok(respond(200, &describe(deed)))
            }
        }
    }

    fn handle(&self, books: &mut Books, seen: &Seen, status: &'static str) -> HttpResponse {
        if let Some((_, reference)) = seen.path.split_once("/operations?reference=") {
            let found = books.deeds.iter().filter(|deed| deed.reference == reference).map(describe);
            return respond(200, &json!({"operations": found.collect::<Vec<_>>()}));
        }
        let body: Value = serde_json::from_str(&seen.body).expect("JSON");
        let reference = body["reference"].as_str().expect("a reference").to_owned();
        if seen.path == "/timeout-reversals" {
            return reverse(books, reference);
        }
        let earlier = books.deeds.iter().find(|deed| self.honours_keys && deed.key == seen.key);
        if let Some(deed) = earlier {
            let reused = respond(422, &json!({"code": "key_reused"}));
            return if deed.body == seen.body { respond(200, &describe(deed)) } else { reused };
        }
        let stands = |target: &str| books.deeds.iter().any(|deed| deed.id == target && deed.status == "approved");
        if target(&seen.path).is_some_and(|target| !stands(target)) {
            return respond(404, &json!({"code": "unknown_id"}));
        }
        let number = books.deeds.len();
        let is_token = seen.path == TOKENS && status == "approved";
        let deed = Deed {
            id: format!("deed{number}"),
            token: is_token.then(|| format!("tok_of_the_gateway_{number}")),
            message: None,
            status: if books.reversed.contains(&reference) { "declined" } else { status },
            reference,
            key: seen.key.clone(),
            body: seen.body.clone(),
            undone: false,
        };
        let response = respond(200, &describe(&deed));
        books.deeds.push(deed);
        response
    }
}

fn reverse(books: &mut Books, reference: String) -> HttpResponse {
    let deeds = books.deeds.iter_mut().filter(|deed| deed.reference == reference);
    let reversed = deeds.map(|deed| deed.undone = true).count();
    let status = if reversed > 0 { "reversed" } else { "nothing_to_reverse" };
    let response = respond(200, &json!({"id": "reversal", "reference": reference, "status": status, "code": "00"}));
    books.reversed.insert(reference);
    response
}

/// The id in `/authorizations/{id}/captures` and the like.
fn target(path: &str) -> Option<&str> {
    let mut parts = path.trim_start_matches('/').split('/').skip(1);
    let target = parts.next()?;
    parts.next().map(|_| target)
}

fn describe(deed: &Deed) -> Value {
    let code = if deed.status == "declined" { "05" } else { "00" };
    let mut answer = json!({"id": deed.id, "reference": deed.reference, "status": deed.status, "code": code});
    for (name, text) in [("token", &deed.token), ("message", &deed.message)] {
        if let Some(text) = text {
            answer[name] = json!(text);
        }
    }
    answer
}

fn respond(status: u16, body: &Value) -> HttpResponse {
    HttpResponse { status, body: body.to_string().into_bytes() }
}

impl Http for Sandbox {
    fn send<'a>(&'a self, request: HttpRequest, timeout: Duration) -> Pending<'a, Result<HttpResponse, HttpFault>> {
        let key = request.headers.iter().find(|(name, _)| *name == "idempotency-key").map(|(_, value)| value.clone());
        let path = request.url.strip_prefix("https://gateway.test").expect("the gateway's address").to_owned();
        let body = String::from_utf8(request.body.to_vec()).expect("text");
        let seen = Seen { method: request.method, path, key, body, timeout };
        Box::pin(self.fuse.around(async move { self.meet(seen) }))
    }
}
