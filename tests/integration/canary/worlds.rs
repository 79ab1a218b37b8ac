//! The two worlds in which the same flows run: the local server over its embedded database, and the functions in this
//! process, where everything that is written, sent and logged is at hand.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kessai_functions::batch::{Message, StreamEvent};
use kessai_functions::lambda::apart;
use kessai_functions::{follow_up, relay};
use kessai_infra::watch::Watch;
use kessai_shared::memory::Memory;
use kessai_shared::ports::{
    Directory, Expected, Http, HttpFault, HttpRequest, HttpResponse, Pending, Queue, QueueFault, Store, StoreFault,
    Vault, Written,
};
use kessai_shared::reminder::Delayed;
use kessai_shared::stored::Item;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use ureq::http::Request;

use super::places::{Kind, Place, record};
use crate::harness::{Client, Reply};
use crate::in_process::{InProcess, provider_of};

/// What the flows need of a world.
pub trait World {
    /// Sends a request with these headers alone.
    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply;
    /// Asks the sandbox itself.
    fn sandbox(&self, method: &str, path: &str, body: &Value) -> Value;
    /// Lets time pass, and whatever is due be looked at: these records, and all others.
    fn settle(&self, pending: &[String]);
    fn gateway(&self, class: &str) -> String;
    fn api_key(&self) -> String;
    fn sandbox_url(&self) -> String;
}

fn ask_sandbox(url: &str, method: &str, path: &str, body: &Value) -> Value {
    let request = Request::builder().method(method).uri(format!("{url}{path}"));
    let body = if method == "GET" { String::new() } else { body.to_string() };
    let request = request.header("content-type", "application/json").body(body).expect("a request");
    let mut answer = ureq::agent().run(request).expect("the sandbox answers");
    serde_json::from_str(&answer.body_mut().read_to_string().expect("a body")).unwrap_or_default()
}

/// The local server.
pub struct Served<'a>(pub &'a Client);

impl World for Served<'_> {
    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let url = format!("{}{path}", self.0.variable("KESSAI_URL"));
        let request = headers
            .iter()
            .fold(Request::builder().method(method).uri(url), |request, (name, value)| request.header(*name, *value));
        self.0.try_send(request.body(body.to_vec()).expect("a request")).expect("an answer")
    }

    fn sandbox(&self, method: &str, path: &str, body: &Value) -> Value {
        ask_sandbox(&self.sandbox_url(), method, path, body)
    }

    fn settle(&self, pending: &[String]) {
        self.0.advance("PT1M");
        for path in pending {
            self.0.settled(path.trim_start_matches("/commerce/payments/"));
        }
    }

    fn gateway(&self, class: &str) -> String {
        self.0.gateway(class).to_owned()
    }

    fn api_key(&self) -> String {
        self.0.variable("KESSAI_API_KEY").to_owned()
    }

    fn sandbox_url(&self) -> String {
        self.0.variable("SANDBOX_URL").to_owned()
    }
}

/// What the way to gateways does.
#[derive(Clone, Copy)]
pub enum Way {
    Passes = 0,
    /// Panics, and says what it was to send.
    Panics = 1,
    /// Is a gateway that repeats in its error what it was sent.
    Repeats = 2,
}

/// The way to gateways, which may go wrong while a card is in flight.
pub struct Wire {
    http: Arc<dyn Http>,
    way: AtomicU8,
}

impl Http for Wire {
    fn send<'a>(&'a self, request: HttpRequest, timeout: Duration) -> Pending<'a, Result<HttpResponse, HttpFault>> {
        let said = || String::from_utf8_lossy(&request.body).into_owned();
        match self.way.load(Ordering::SeqCst) {
            0 => self.http.send(request, timeout),
            1 => panic!("cannot send {}", said()),
            _ => {
                // As text, and as what stands in it: the numbers themselves.
                let told = said().replace(['{', '}', '"'], " ");
                let body = json!({ "code": told.get(..200).unwrap_or(&told), "message": format!("refused: {told}") });
                Box::pin(async move { Ok(HttpResponse { status: 400, body: body.to_string().into_bytes() }) })
            }
        }
    }
}

/// A table that remembers each version of each item: what its stream shows.
struct Remembering {
    table: Arc<Memory>,
    written: Arc<Mutex<Vec<Item>>>,
}

impl Store for Remembering {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        self.table.read(key)
    }

    fn write(&self, item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        // Also what is refused has been on its way.
        self.written.lock().expect("the items").push(item.clone());
        self.table.write(item, expected)
    }
}

impl Vault for Remembering {
    fn of_account<'a>(
        &'a self,
        account: &'a str,
        after: Option<&'a str>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        self.table.of_account(account, after, limit)
    }
}

impl Directory for Remembering {
    fn find<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        self.table.find(key)
    }
}

/// A queue that keeps what it is sent.
#[derive(Default)]
struct Kept(Mutex<Vec<Delayed>>);

impl Queue for Kept {
    fn send<'a>(&'a self, reminders: &'a [Delayed]) -> Pending<'a, Result<(), QueueFault>> {
        self.0.lock().expect("what was sent").extend(reminders);
        Box::pin(async { Ok(()) })
    }
}

/// The functions in this process.
pub struct Within {
    runtime: Runtime,
    world: InProcess,
    wire: Arc<Wire>,
    written: [Arc<Mutex<Vec<Item>>>; 3],
    /// Versions of payments that the relay has seen.
    relayed: RefCell<usize>,
    messages: RefCell<Vec<String>>,
}

impl Within {
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut world = runtime.block_on(InProcess::new());
        let written: [Arc<Mutex<Vec<Item>>>; 3] = Default::default();
        let over = |table: &Arc<Memory>, written: &Arc<Mutex<Vec<Item>>>| {
            written.lock().expect("the items").extend(table.items());
            Arc::new(Remembering { table: Arc::clone(table), written: Arc::clone(written) })
        };
        let wire = Arc::new(Wire { http: Arc::clone(&world.app.shell.http), way: AtomicU8::new(0) });
        world.app.shell.http = wire.clone();
        world.app.shell.store = over(&world.payments, &written[0]);
        world.app.shell.vault = Some(over(&world.vault, &written[1]));
        let merchants = over(&world.merchants, &written[2]);
        (world.app.directory, world.app.merchants) = (merchants.clone(), merchants);
        Self { runtime, world, wire, written, relayed: RefCell::default(), messages: RefCell::default() }
    }

    pub fn world(&self) -> &InProcess {
        &self.world
    }

    pub fn take_way(&self, way: Way) {
        self.wire.way.store(way as u8, Ordering::SeqCst);
    }

    /// Every version of every item of a table.
    pub fn items(&self, kind: Kind) -> Vec<Item> {
        let place = match kind {
            Kind::Payments => 0,
            Kind::Vault => 1,
            Kind::Merchants => 2,
            _ => panic!("{kind:?} is no table"),
        };
        self.written[place].lock().expect("the items").clone()
    }

    /// The messages of the queue.
    pub fn messages(&self) -> Vec<String> {
        self.messages.borrow().clone()
    }

    /// Where the gateways of a class tell something unasked.
    pub fn notify_path(&self, class: &str) -> String {
        format!("/commerce/payments/notify?provider={}", provider_of(&self.world.merchant, class))
    }

    /// What the relay makes of what was written since, and what follow-up makes of that.
    async fn follow_up(&self) {
        let images: Vec<Value> = self.items(Kind::Payments).iter().skip(*self.relayed.borrow()).map(record).collect();
        *self.relayed.borrow_mut() += images.len();
        let event: StreamEvent = serde_json::from_value(json!({ "Records": images })).expect("a batch");
        let app = self.world.invocation();
        let watch = Watch::new(&self.world.log, "relay".to_owned(), None);
        let queue = Arc::new(Kept::default());
        let now = app.shell.clock.now();
        relay::relay(&*watch, &*queue, &event, now).await.expect("the queue takes it");
        let sent = std::mem::take(&mut *queue.0.lock().expect("what was sent"));
        self.messages.borrow_mut().extend(sent.iter().map(|delayed| delayed.reminder.message()));
        let queue: Arc<dyn Queue> = queue;
        for delayed in sent {
            let message = json!({ "messageId": "1", "body": delayed.reminder.message(), "attributes": {} });
            let message: Message = serde_json::from_value(message).expect("a message");
            follow_up::handle(&app, &queue, &message, self.world.deadline()).await;
        }
    }
}

impl World for Within {
    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut event = self.world.event(body);
        event.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let Some((function, event)) = self.world.routed(method, path, event) else {
            return Reply { status: 404, headers: BTreeMap::new(), text: String::new() };
        };
        let answer = apart(self.world.invocation(), function, event, self.world.deadline());
        let answer = self.runtime.block_on(answer);
        let headers = answer.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Reply { status: answer.status_code, headers, text: answer.body }
    }

    fn sandbox(&self, method: &str, path: &str, body: &Value) -> Value {
        ask_sandbox(self.world.sandbox_url(), method, path, body)
    }

    fn settle(&self, _: &[String]) {
        self.runtime.block_on(async {
            // What a look leaves open is looked at again.
            for _ in 0..3 {
                self.world.advance(Duration::from_secs(60)).await;
                self.follow_up().await;
            }
        });
    }

    fn gateway(&self, class: &str) -> String {
        self.world.gateways[class].to_string()
    }

    fn api_key(&self) -> String {
        self.world.api_key.reveal().to_owned()
    }

    fn sandbox_url(&self) -> String {
        self.world.sandbox_url().to_owned()
    }
}

/// Whoever uses a world, and writes down what it heard and what must be nowhere.
pub struct Diary<'a> {
    pub world: &'a dyn World,
    pub secrets: RefCell<Vec<super::search::Secret>>,
    pub places: RefCell<Vec<Place>>,
}

impl<'a> Diary<'a> {
    pub fn new(world: &'a dyn World, secrets: Vec<super::search::Secret>) -> Self {
        Self { world, secrets: RefCell::new(secrets), places: RefCell::default() }
    }

    /// Asks with the merchant's key, under a key for the operation if there is one.
    pub fn ask(&self, method: &str, path: &str, name: Option<&str>, body: &Value) -> Reply {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(name.map(|name| ("idempotency-key", name)));
        self.ask_with(method, path, &headers, &body)
    }

    /// The same with these headers.
    pub fn ask_with(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let key = format!("Bearer {}", self.world.api_key());
        let mut all = headers.to_vec();
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            all.push(("authorization", &key));
        }
        let reply = self.world.send(method, path, &all, body);
        let is_shown = method == "GET" && path.contains("/set-up");
        let kind = if is_shown { Kind::SetUp } else { Kind::Answer };
        let place = format!("{method} {path} {} ({})", reply.status, self.places.borrow().len());
        let heard = format!("{} {:?} {}", reply.status, reply.headers, reply.text);
        self.places.borrow_mut().push(Place::new(kind, place, heard));
        reply
    }

    pub fn post(&self, path: &str, name: Option<&str>, body: &Value) -> Reply {
        self.ask("POST", &format!("/commerce/payments/{path}"), name, body)
    }

    pub fn script(&self, fault: &Value) {
        self.world.sandbox("POST", "/faults", &json!({ "next": [fault] }));
    }

    pub fn unscript(&self) {
        self.world.sandbox("DELETE", "/faults", &Value::Null);
    }

    /// The answer that was heard last shows this secret, and no other place may.
    pub fn shown(&self, secret: super::search::Secret) {
        let shown_in = self.places.borrow().last().map(|place| place.name.clone());
        self.secrets.borrow_mut().push(super::search::Secret { shown_in, ..secret });
    }

    pub fn hide(&self, secret: super::search::Secret) {
        self.secrets.borrow_mut().push(secret);
    }
}
