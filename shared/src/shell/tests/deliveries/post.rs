//! A merchant with endpoints, and what they hear.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::card::Secret;
use crate::delivery::{About, Delivering, OnBus};
use crate::event::EventNames;
use crate::gateways::sandbox;
use crate::ids::{EndpointId, MerchantId};
use crate::memory::{Memory, MemoryArchive};
use crate::merchant::tests::{endpoint, endpoint_id, shop};
use crate::merchant::{Endpoint, EventFilter, Health, Merchant, SealedSecret, SharedWith};
use crate::payment::tests::fixtures::{LIFE, START, merchant, opening, stored_method, vault};
use crate::payment::{Kind, Payment};
use crate::ports::{Archive, Bus, Clock, Deliveries, DeliveryFault, Entropy, Pending, Span, StoreFault};
use crate::rejection::Refusal;
use crate::shell::tests::fuse::{Fuse, block_on};
use crate::shell::tests::gateway::Fate;
use crate::shell::tests::world::{Hands, World};
use crate::shell::{Route, Shell};
use crate::stored::Item;
use crate::stored::event::{Recorded, decode_recorded};
use crate::stored::health::{decode_health, health_key};
use crate::stored::payment::Stored;
use crate::time::Timestamp;

/// A delivery as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    pub(super) url: String,
    pub(super) headers: BTreeMap<&'static str, String>,
    pub(super) body: Vec<u8>,
    pub(super) at: Timestamp,
}

impl Arrived {
    fn member(&self, name: &str) -> Value {
        serde_json::from_slice::<Value>(&self.body).expect("JSON")[name].clone()
    }

    pub(super) fn name(&self) -> String {
        self.member("type").as_str().expect("a name").to_owned()
    }

    pub(super) fn version(&self) -> u64 {
        self.member("version").as_u64().expect("a version")
    }

    pub(super) fn status(&self) -> String {
        self.member("status").as_str().expect("a status").to_owned()
    }
}

/// All endpoints of the world.
pub(super) struct Endpoints {
    fuse: Arc<Fuse>,
    clock: Arc<Hands>,
    arrived: Mutex<Vec<Arrived>>,
    /// Those that answer with 500.
    broken: Mutex<Vec<String>>,
    /// As long as each takes to answer.
    delay: Mutex<Duration>,
}

impl Deliveries for Endpoints {
    fn deliver<'a>(
        &'a self,
        url: &'a str,
        headers: &'a [(&'static str, String)],
        body: Vec<u8>,
    ) -> Pending<'a, Result<u16, DeliveryFault>> {
        Box::pin(self.fuse.around(async move {
            self.clock.advance(*self.delay.lock().expect("a delay"));
            let (url, at) = (url.to_owned(), self.clock.now());
            let is_broken = self.broken.lock().expect("endpoints").contains(&url);
            let headers = headers.iter().cloned().collect();
            self.arrived.lock().expect("deliveries").push(Arrived { url, headers, body, at });
            if is_broken { Err(DeliveryFault::Status(500)) } else { Ok(204) }
        }))
    }
}

/// The account's own bus.
pub(super) struct HeardBus {
    fuse: Arc<Fuse>,
    heard: Mutex<Vec<String>>,
    is_broken: Mutex<bool>,
}

impl Bus for HeardBus {
    fn put(&self, _: MerchantId, _: Timestamp, detail: String) -> Pending<'_, Result<u16, DeliveryFault>> {
        Box::pin(self.fuse.around(async move {
            self.heard.lock().expect("events").push(detail);
            let is_broken = *self.is_broken.lock().expect("it is known");
            if is_broken { Err(DeliveryFault::NotTaken("the bus is full".to_owned())) } else { Ok(200) }
        }))
    }
}

struct Shelved {
    archive: MemoryArchive,
    fuse: Arc<Fuse>,
}

impl Archive for Shelved {
    fn keep(&self, item: Item) -> Pending<'_, Result<(), StoreFault>> {
        Box::pin(self.fuse.around(self.archive.keep(item)))
    }

    fn find<'a>(&'a self, partition: &'a str, place: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(self.fuse.around(self.archive.find(partition, place)))
    }

    fn list<'a>(
        &'a self,
        partition: &'a str,
        span: Span<'a>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        Box::pin(self.fuse.around(self.archive.list(partition, span, limit)))
    }
}

/// Draws this byte every time.
struct Always(u8);

impl Entropy for Always {
    fn bytes(&self) -> [u8; 16] {
        [self.0; 16]
    }
}

pub(super) struct Post {
    pub(super) world: World,
    pub(super) merchant: Merchant,
    pub(super) merchants: Memory,
    pub(super) endpoints: Arc<Endpoints>,
    bus: HeardBus,
    pub(super) tells_bus: bool,
    archive: Shelved,
    chance: u8,
}

pub(super) fn url(number: u8) -> String {
    format!("https://{number}.example.com/hook")
}

/// A secret by its number.
pub(super) fn secret(number: u8) -> Secret {
    Secret::new(format!("whsec_{}", data_encoding::BASE64.encode(&[number; 32])))
}

fn sealed(endpoint: EndpointId, number: u8, until: Option<Timestamp>) -> SealedSecret {
    let (_, keys) = vault();
    let sealed = SharedWith::Endpoint(endpoint).seal(&merchant(), &keys, &secret(number), [number; 16]);
    SealedSecret { sealed: sealed.expect("it is sealed"), created_at: Some(START), until, made: None }
}

/// What is told in this world.
fn render(event: &Recorded, about: About<'_>, _: Timestamp) -> Vec<u8> {
    let About::Payment(payment) = about else { panic!("no methods here") };
    let operation = payment.operation(event.operation).expect("an operation");
    let status = operation.state.status();
    json!({ "id": event.id, "type": event.name.text(), "version": event.version, "status": status })
        .to_string()
        .into_bytes()
}

/// What the bus is told in this world.
fn render_for_bus(event: &Recorded, _: &Payment) -> String {
    format!("{} {}", event.name.text(), event.version)
}

impl Post {
    /// With one endpoint for each of these filters, numbered from 1.
    pub(super) fn with(filters: &[&str]) -> Self {
        let world = World::with(&sandbox::KEYED);
        let endpoints = (1..).zip(filters).map(|(number, filter)| {
            let id = endpoint_id(number);
            let events = filter.split(' ').map(|filter| EventFilter::parse(filter).expect("a filter")).collect();
            let secrets = vec![sealed(id, number, None)];
            (id, Endpoint { url: url(number), events, secrets, enabled_at: Some(START), ..endpoint(number) })
        });
        let merchant = Merchant { endpoints: endpoints.collect(), ..shop() };
        let heard = Endpoints {
            fuse: world.fuse.clone(),
            clock: world.clock.clone(),
            arrived: Mutex::default(),
            broken: Mutex::default(),
            delay: Mutex::default(),
        };
        let archive = Shelved { archive: MemoryArchive::default(), fuse: world.fuse.clone() };
        let bus = HeardBus { fuse: world.fuse.clone(), heard: Mutex::default(), is_broken: Mutex::default() };
        Self {
            world,
            merchant,
            merchants: Memory::default(),
            endpoints: Arc::new(heard),
            bus,
            tells_bus: false,
            archive,
            chance: 255,
        }
    }

    /// The same, in an account whose bus is told too.
    pub(super) fn on_bus(self) -> Self {
        Self { tells_bus: true, ..self }
    }

    /// The bus takes nothing, or what it is given again.
    pub(super) fn fill_bus(&self, is_broken: bool) {
        *self.bus.is_broken.lock().expect("it is known") = is_broken;
    }

    /// The name and version of what the bus was told.
    pub(super) fn heard_on_bus(&self) -> Vec<String> {
        self.bus.heard.lock().expect("events").clone()
    }

    pub(super) fn drawing(self, chance: u8) -> Self {
        Self { chance, ..self }
    }

    pub(super) fn endpoint(&mut self, number: u8) -> &mut Endpoint {
        self.merchant.endpoints.get_mut(&endpoint_id(number)).expect("an endpoint")
    }

    /// The secret with this number is the newest of the endpoint's; the one before counts until then.
    pub(super) fn rotate(&mut self, endpoint: u8, number: u8, until: Timestamp) {
        let secrets =
            vec![sealed(endpoint_id(endpoint), number, None), sealed(endpoint_id(endpoint), endpoint, Some(until))];
        self.endpoint(endpoint).secrets = secrets;
    }

    pub(super) fn break_down(&self, numbers: &[u8]) {
        *self.endpoints.broken.lock().expect("endpoints") = numbers.iter().copied().map(url).collect();
    }

    pub(super) fn take(&self, delay: Duration) {
        *self.endpoints.delay.lock().expect("a delay") = delay;
    }

    pub(super) fn route(&self) -> Route<'_> {
        Route { wanted: EventNames::all(), ..self.world.route() }
    }

    /// A sale is asked for, and this becomes of the request.
    pub(super) fn sell(&self, fate: Fate) {
        self.world.gateway.foresee(&[fate]);
        let request = opening(Kind::Sale, stored_method(), "order 1", 100);
        let deadline = self.world.clock.now().plus(LIFE);
        block_on(self.world.shell.perform(merchant(), self.route(), &request, None, deadline)).expect("an answer");
    }

    pub(super) fn payment(&self) -> Payment {
        self.world.payment().expect("a payment")
    }

    pub(super) fn stored(&self) -> Stored {
        let deadline = self.world.clock.now().plus(LIFE);
        block_on(self.world.shell.read(self.payment().key(), deadline)).expect("a read").expect("it is there")
    }

    pub(super) async fn telling(&self, stored: Stored, time: Duration) -> Result<Payment, Refusal> {
        let with = Delivering {
            merchant: &self.merchant,
            deliveries: &*self.endpoints,
            bus: self.tells_bus.then_some(OnBus { bus: &self.bus, render: render_for_bus }),
            archive: &self.archive,
            directory: &self.merchants,
            merchants: &self.merchants,
            render,
        };
        let shell = Shell { entropy: Arc::new(Always(self.chance)), ..self.world.shell.clone() };
        shell.deliver(&with, self.route(), stored, self.world.clock.now().plus(time)).await
    }

    /// Somebody comes to tell what is due, now.
    pub(super) fn tell(&self) -> Payment {
        block_on(self.telling(self.stored(), LIFE)).expect("nothing hinders it")
    }

    /// Somebody comes whenever something is due, until nothing is.
    pub(super) fn tell_all(&self) {
        for _ in 0..100 {
            let Some(due) = self.payment().outbox.due() else { return };
            self.world.clock.move_to(due);
            self.tell();
        }
        panic!("it never ends: {:?}", self.payment().outbox);
    }

    /// What arrived at this endpoint.
    pub(super) fn arrived(&self, number: u8) -> Vec<Arrived> {
        let url = url(number);
        let arrived = self.endpoints.arrived.lock().expect("deliveries");
        arrived.iter().filter(|arrived| arrived.url == url).cloned().collect()
    }

    pub(super) fn names(&self, number: u8) -> Vec<String> {
        self.arrived(number).iter().map(Arrived::name).collect()
    }

    /// What is kept of it, in the order of the events' ids.
    pub(super) fn kept(&self) -> Vec<Recorded> {
        let items = self.archive.archive.items();
        items.into_iter().map(|item| decode_recorded(item).expect("an event")).collect()
    }

    pub(super) fn health(&self, number: u8) -> Health {
        let key = health_key(&merchant(), &endpoint_id(number));
        let item = self.merchants.items().into_iter().find(|item| item.text("pk") == Some(key.as_str()));
        decode_health(item).expect("health")
    }
}
