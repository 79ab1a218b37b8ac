//! What the functions see of the world: stores in memory, and the sandbox gateway's model. All answer, and none fails.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kessai_functions::door::App;
use kessai_functions::sandbox::{Class, Gateway, Request, TABLE, method_id};
use kessai_shared::card::Secret;
use kessai_shared::fingerprint::FingerprintKey;
use kessai_shared::ids::{GatewayId, MerchantId, MethodId};
use kessai_shared::memory::Memory;
use kessai_shared::merchant::{self, Merchant};
use kessai_shared::method::Method;
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::ports::{
    Agenda, Clock, Directory, Entropy, Expected, Http, HttpFault, HttpRequest, HttpResponse, Journal, Listed, Note,
    Pending, Span, Store, StoreFault, Written,
};
use kessai_shared::reminder::{Image, mark};
use kessai_shared::seal::SealingKeys;
use kessai_shared::shell::Shell;
use kessai_shared::stored::Item;
use kessai_shared::stored::merchant::encode_merchant;
use kessai_shared::stored::method::StoredMethod;
use kessai_shared::stored::recurring::lists::List;
use kessai_shared::time::Timestamp;

use crate::memory;
use crate::streams::{PAYMENTS, SCHEDULES, Stream, Streams};
use crate::time::{Time, at_once, locked};

/// How long a table takes to answer, and a gateway: some time, so that others get on meanwhile.
pub const TABLE_TAKES: Duration = Duration::from_millis(5);
pub const GATEWAY_TAKES: Duration = Duration::from_millis(150);

const GATEWAY_URL: &str = "https://gateway";

pub struct World {
    pub time: Time,
    pub merchant: Merchant,
    pub gateway: GatewayId,
    pub method: MethodId,
    pub payments: Memory,
    pub schedules: Memory,
    /// What merchants have set up, and their methods: nobody changes it.
    pub set_up: Memory,
    pub vault: Memory,
    pub sandbox: Mutex<Gateway>,
    pub streams: Streams,
    random: AtomicU64,
    pub keys: Arc<SealingKeys>,
}

impl World {
    pub fn new(now: Timestamp) -> Arc<Self> {
        let (id, gateway) = (MerchantId::from_random([1; 16]), GatewayId::from_random([6; 16]));
        let name = Class::Keyed.name();
        let account = merchant::Gateway::at(format!("sandbox-{name}"), format!("{GATEWAY_URL}/{name}"));
        let merchant = Merchant { gateways: [(gateway, account)].into(), ..Merchant::new(id, "M") };
        let set_up = Memory::default();
        set_up.put(encode_merchant(&merchant));
        let keys = SealingKeys::parse(&format!("k1:{}", "08".repeat(32))).expect("keys");
        let (vault, method) = vault(id, &keys, now);
        Arc::new(Self {
            time: Time::at(now),
            merchant,
            gateway,
            method,
            payments: Memory::default(),
            schedules: Memory::default(),
            set_up,
            vault,
            sandbox: Mutex::default(),
            streams: Streams::default(),
            random: AtomicU64::default(),
            keys: Arc::new(keys),
        })
    }

    pub fn app(self: &Arc<Self>) -> App {
        let port = Arc::new(Port(Arc::clone(self)));
        let table = |of, stream| Arc::new(Table { world: Arc::clone(self), of, stream });
        let shell = Shell {
            store: table(|world| &world.payments, Some(PAYMENTS)),
            http: port.clone(),
            clock: port.clone(),
            entropy: port.clone(),
            journal: port.clone(),
            fingerprint_key: Some(Arc::new(FingerprintKey::new([7; 32]))),
            vault: Some(table(|world| &world.vault, None)),
            sealing_keys: Some(Arc::clone(&self.keys)),
            limiter: None,
        };
        App {
            shell,
            directory: port,
            merchants: table(|world| &world.set_up, None),
            rates: Arc::default(),
            archive: None,
            schedules: Some(table(|world| &world.schedules, Some(SCHEDULES))),
            tells_bus: false,
            takes_loopback: false,
        }
    }
}

/// The sandbox's method that approves whatever it pays.
fn vault(merchant: MerchantId, keys: &SealingKeys, now: Timestamp) -> (Memory, MethodId) {
    let row = TABLE.first().expect("the table of what the sandbox does begins with what approves");
    let id = method_id(row.code);
    let key = IdempotencyKey::parse(row.name).expect("a key");
    let mut method = Method::of_token(merchant, MethodId::parse(&id).expect("an id"), key, now);
    let token = Secret::new(id);
    method.token = Some(method.at_its_place(|place| keys.seal(place, &token, [9; 16])).expect("sealed"));
    let (vault, id) = (Memory::default(), method.id);
    vault.put(StoredMethod::following(None, method).to_item());
    (vault, id)
}

/// One of the tables.
struct Table {
    world: Arc<World>,
    of: fn(&World) -> &Memory,
    stream: Option<Stream>,
}

impl Table {
    fn memory(&self) -> &Memory {
        (self.of)(&self.world)
    }

    async fn takes(&self) {
        memory::look();
        self.world.time.pass(TABLE_TAKES).await;
    }
}

impl Store for Table {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(async move {
            self.takes().await;
            memory::of_the_world(|| at_once(Store::read(self.memory(), key)))
        })
    }

    fn write(&self, mut item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        Box::pin(async move {
            self.takes().await;
            mark(&mut item, self.world.time.now());
            let image = Image::of(&item).map_err(|unreadable| StoreFault(Box::new(unreadable)))?;
            // What is written is kept, and nothing of what it was written from.
            let written =
                memory::of_the_world(|| memory::resting(|| at_once(self.memory().write(item.clone(), expected))))?;
            if let (Written::Done, Some(stream)) = (&written, self.stream) {
                self.world.streams.show(stream, image, self.world.time.now());
            }
            Ok(written)
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
        Box::pin(async move {
            self.takes().await;
            memory::of_the_world(|| at_once(self.memory().listed(list, until, after, limit)))
        })
    }

    fn of<'a>(
        &'a self,
        list: &'a List,
        span: Span<'a>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        Box::pin(async move {
            self.takes().await;
            self.memory().of(list, span, limit).await
        })
    }
}

impl kessai_shared::ports::Vault for Table {
    fn of_account<'a>(
        &'a self,
        account: &'a str,
        after: Option<&'a str>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        Box::pin(async move {
            self.takes().await;
            self.memory().of_account(account, after, limit).await
        })
    }
}

/// Everything else.
struct Port(Arc<World>);

impl Directory for Port {
    /// From memory, as for a minute after it was read.
    fn find<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        self.0.set_up.read(key)
    }
}

impl Http for Port {
    fn send<'a>(&'a self, request: HttpRequest, _: Duration) -> Pending<'a, Result<HttpResponse, HttpFault>> {
        Box::pin(async move {
            memory::look();
            self.0.time.pass(GATEWAY_TAKES).await;
            let (request, now_ms) = (as_the_gateway_sees(&request), self.0.time.now().as_millis());
            let (status, body) = memory::of_the_world(|| {
                memory::resting(|| {
                    let answer = locked(&self.0.sandbox).handle(&request, now_ms).answer;
                    (answer.status, answer.body)
                })
            });
            memory::handed_out(body.capacity());
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
