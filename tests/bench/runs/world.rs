//! What the functions see of the world: stores in memory, and the sandbox gateway's model. All answer, and none fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kessai_functions::door::App;
use kessai_functions::sandbox::{Class, Request, TABLE, method_id};
use kessai_shared::card::Secret;
use kessai_shared::fingerprint::FingerprintKey;
use kessai_shared::ids::{GatewayId, MerchantId, MethodId};
use kessai_shared::memory::Memory;
use kessai_shared::merchant::{self, Merchant};
use kessai_shared::method::Method;
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::ports::{
    Agenda, Clock, Directory, Entropy, Expected, Http, HttpFault, HttpRequest, HttpResponse, Journal, Listed, Note,
    Pending, Queue, QueueFault, Span, Store, StoreFault, Written,
};
use kessai_shared::reminder::{Delayed, Image, Reminder, mark, reminders};
use kessai_shared::seal::SealingKeys;
use kessai_shared::shell::Shell;
use kessai_shared::stored::Item;
use kessai_shared::stored::merchant::encode_merchant;
use kessai_shared::stored::method::StoredMethod;
use kessai_shared::stored::recurring::lists::List;
use kessai_shared::time::Timestamp;

use crate::across::Across;
use crate::resting::{Of, Resting};
use crate::time::{Time, at_once};

/// How long a table takes to answer, and a gateway: some time, so that others get on meanwhile.
pub const TABLE_TAKES: Duration = Duration::from_millis(5);
pub const GATEWAY_TAKES: Duration = Duration::from_millis(150);

const GATEWAY_URL: &str = "https://gateway";

pub struct World {
    pub time: Time,
    pub merchant: Merchant,
    pub gateway: GatewayId,
    pub method: MethodId,
    /// What rests, on a thread of its own.
    pub rests: Across,
    /// What merchants have set up, as those know it who work.
    known: Memory,
    random: AtomicU64,
    keys: Arc<SealingKeys>,
}

impl World {
    pub fn new(now: Timestamp) -> Arc<Self> {
        let (id, gateway) = (MerchantId::from_random([1; 16]), GatewayId::from_random([6; 16]));
        let name = Class::Keyed.name();
        let account = merchant::Gateway::at(format!("sandbox-{name}"), format!("{GATEWAY_URL}/{name}"));
        let merchant = Merchant { gateways: [(gateway, account)].into(), ..Merchant::new(id, "M") };
        let keys = SealingKeys::parse(&format!("k1:{}", "08".repeat(32))).expect("keys");
        let (set_up, method) = (encode_merchant(&merchant), method(id, &keys, now));
        let known = Memory::default();
        known.put(set_up.clone());
        let (method, item) = (method.id, StoredMethod::following(None, method).to_item());
        let rests = Across::to(Resting::new);
        rests.put(move |resting| {
            resting.set_up.memory.put(set_up.clone());
            resting.vault.put(item.clone(), now);
        });
        Arc::new(Self {
            time: Time::at(now),
            merchant,
            gateway,
            method,
            rests,
            known,
            random: AtomicU64::default(),
            keys: Arc::new(keys),
        })
    }

    pub fn app(self: &Arc<Self>) -> App {
        let port = Arc::new(Port(Arc::clone(self)));
        let table = |of| Arc::new(Table { world: Arc::clone(self), of });
        let shell = Shell {
            store: table(|resting| &mut resting.payments),
            http: port.clone(),
            clock: port.clone(),
            entropy: port.clone(),
            journal: port.clone(),
            fingerprint_key: Some(Arc::new(FingerprintKey::new([7; 32]))),
            vault: Some(table(|resting| &mut resting.vault)),
            sealing_keys: Some(Arc::clone(&self.keys)),
            limiter: None,
        };
        App {
            shell,
            directory: port,
            merchants: table(|resting| &mut resting.set_up),
            rates: Arc::default(),
            archive: None,
            schedules: Some(table(|resting| &mut resting.schedules)),
            tells_bus: false,
            takes_loopback: false,
        }
    }

    pub fn queue(self: &Arc<Self>) -> Arc<dyn Queue> {
        Arc::new(Port(Arc::clone(self)))
    }

    /// What the streams show becomes reminders, as the relay makes them: of one batch after the other.
    pub fn relay(&self) {
        let now = self.time.now();
        while self.rests.next().batch.is_some_and(|ready| ready <= now) {
            let images = self.rests.at_once(move |resting| resting.streams.batch(now));
            self.send(&reminders(images.into_iter().flatten(), now));
        }
    }

    /// Messages whose time has come, at most so many.
    pub fn receive(&self, most: usize) -> Vec<Reminder> {
        let now = self.time.now();
        match self.rests.next().message.is_some_and(|at| at <= now) && most > 0 {
            true => self.rests.at_once(move |resting| resting.streams.receive(now, most)),
            false => Vec::new(),
        }
    }

    fn send(&self, delayed: &[Delayed]) {
        let now = self.time.now();
        let messages: Vec<_> = delayed.iter().map(|delayed| (now.plus(delayed.delay), delayed.reminder)).collect();
        self.rests.put(move |resting| resting.streams.send(&messages));
    }
}

/// The sandbox's method that approves whatever it pays.
fn method(merchant: MerchantId, keys: &SealingKeys, now: Timestamp) -> Method {
    let row = TABLE.first().expect("the table of what the sandbox does begins with what approves");
    let id = method_id(row.code);
    let key = IdempotencyKey::parse(row.name).expect("a key");
    let mut method = Method::of_token(merchant, MethodId::parse(&id).expect("an id"), key, now);
    let token = Secret::new(id);
    method.token = Some(method.at_its_place(|place| keys.seal(place, &token, [9; 16])).expect("sealed"));
    method
}

/// One of the tables, for those who work.
pub struct Table {
    pub world: Arc<World>,
    pub of: Of,
}

impl Table {
    /// Waits as long as it takes, and asks it.
    pub async fn ask<W, T>(&self, work: W) -> T
    where
        W: Fn(&mut Resting) -> T + Send + Sync + 'static,
        T: Clone + Send + 'static,
    {
        self.world.time.pass(TABLE_TAKES).await;
        self.world.rests.ask(work).await
    }
}

impl Store for Table {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        let (of, key) = (self.of, key.to_owned());
        Box::pin(async move { Ok(self.ask(move |resting| of(resting).read(&key)).await) })
    }

    fn write(&self, mut item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        let (of, now) = (self.of, self.world.time.now());
        Box::pin(async move {
            mark(&mut item, now);
            let image = Image::of(&item).map_err(|unreadable| StoreFault(Box::new(unreadable)))?;
            let made = now.plus(TABLE_TAKES);
            Ok(self.ask(move |resting| resting.write(of, &item, expected, image, made)).await)
        })
    }
}

impl Agenda for Table {
    fn listed<'a>(
        &'a self,
        list: &'a List,
        until: Option<&'a str>,
        after: Option<&'a str>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Listed>, bool), StoreFault>> {
        let (of, list) = (self.of, list.clone());
        let [until, after] = [until, after].map(|place| place.map(str::to_owned));
        Box::pin(async move {
            let page = move |resting: &mut Resting| {
                at_once(of(resting).memory.listed(&list, until.as_deref(), after.as_deref(), limit)).ok()
            };
            Ok(self.ask(page).await.expect("memory does not fail"))
        })
    }

    fn of<'a>(&'a self, _: &'a List, _: Span<'a>, _: u16) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        unreachable!("nobody has anything shown")
    }
}

impl kessai_shared::ports::Vault for Table {
    fn of_account<'a>(
        &'a self,
        _: &'a str,
        _: Option<&'a str>,
        _: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        unreachable!("nobody has anything shown")
    }
}

/// Everything else.
struct Port(Arc<World>);

impl Directory for Port {
    /// From memory, as for a minute after it was read.
    fn find<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        self.0.known.read(key)
    }
}

impl Http for Port {
    fn send<'a>(&'a self, request: HttpRequest, _: Duration) -> Pending<'a, Result<HttpResponse, HttpFault>> {
        Box::pin(async move {
            let World { time, rests, .. } = &*self.0;
            time.pass(GATEWAY_TAKES).await;
            let now_ms = time.now().as_millis();
            let answer = rests.ask(move |resting| {
                let answer = resting.sandbox.handle(&as_the_gateway_sees(&request), now_ms).answer;
                (answer.status, answer.body)
            });
            let (status, body) = answer.await;
            Ok(HttpResponse { status, body: body.into_bytes() })
        })
    }
}

fn as_the_gateway_sees(request: &HttpRequest) -> Request {
    let url = request.url.strip_prefix(GATEWAY_URL).expect("the gateway's address");
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let key = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("idempotency-key"));
    Request {
        method: request.method.name().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        idempotency_key: key.map(|(_, key)| key.clone()),
        body: request.body.to_vec(),
    }
}

/// Of follow-up.
impl Queue for Port {
    fn send<'a>(&'a self, delayed: &'a [Delayed]) -> Pending<'a, Result<(), QueueFault>> {
        self.0.send(delayed);
        Box::pin(async { Ok(()) })
    }
}

impl Clock for Port {
    fn now(&self) -> Timestamp {
        self.0.time.now()
    }

    fn sleep(&self, duration: Duration) -> Pending<'_, ()> {
        Box::pin(self.0.time.pass(duration))
    }
}

impl Entropy for Port {
    fn bytes(&self) -> [u8; 16] {
        u128::from(self.0.random.fetch_add(1, Ordering::Relaxed)).to_be_bytes()
    }
}

impl Journal for Port {
    fn note(&self, note: &Note<'_>) {
        assert!(
            !matches!(note, Note::Failed { .. } | Note::Contradiction { .. } | Note::Unreadable { .. }),
            "{note:?}"
        );
    }
}
