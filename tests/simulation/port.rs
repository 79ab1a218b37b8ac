//! What one worker sees of the world while it handles one invocation: every port of the domain, each a
//! call that waits until the world has served it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use kessai_shared::ports::{
    Archive, Called, Clock, Decision, Deliveries, DeliveryFault, Directory, Entropy, Expected, Http, HttpFault,
    HttpRequest, HttpResponse, Journal, Note, Pending, Span, Store, StoreFault, Written,
};
use kessai_shared::stored::Item;
use kessai_shared::time::Timestamp;

use crate::cast::SetUp;
use crate::cells::Cell;
use crate::endpoints::Headers;

/// Something that a worker waits for.
pub enum Call {
    Read(String),
    Write(Box<Item>, Expected),
    Send(Box<HttpRequest>, Duration),
    Deliver(Box<(String, Headers, Vec<u8>)>),
    Keep(Box<Item>),
    FindEvent(String, String),
    /// From the beginning, and no more than this.
    List(String, usize),
    FindHealth(String),
    WriteHealth(Box<Item>, Expected),
    Sleep(Duration),
}

/// What came of it.
pub enum Reply {
    Read(Result<Option<Item>, StoreFault>),
    Written(Result<Written, StoreFault>),
    Answered(Result<HttpResponse, HttpFault>),
    Delivered(Result<u16, DeliveryFault>),
    Kept(Result<(), StoreFault>),
    Listed(Result<(Vec<Item>, bool), StoreFault>),
    Slept,
}

/// All ports of one invocation.
pub struct Port {
    inner: Mutex<Inner>,
    set_up: Arc<SetUp>,
}

pub struct Inner {
    /// By the clock of this worker.
    pub now: Timestamp,
    /// How many calls there were; those that the world has not seen yet, and replies that nobody has heard yet, each
    /// with its number.
    count: u32,
    pub calls: Vec<(u32, Call)>,
    pub replies: Vec<(u32, Reply)>,
    /// How often the directory fails before it answers.
    pub directory_fails: u32,
    /// What was decided since the world last looked.
    pub decided: Vec<Cell>,
    /// What was noted since the world last looked.
    pub noted: Vec<String>,
    random: fastrand::Rng,
}

impl Port {
    pub fn new(seed: u64, now: Timestamp, set_up: Arc<SetUp>) -> Arc<Self> {
        let inner = Inner {
            now,
            count: 0,
            calls: Vec::new(),
            replies: Vec::new(),
            directory_fails: 0,
            decided: Vec::new(),
            noted: Vec::new(),
            random: fastrand::Rng::with_seed(seed),
        };
        Arc::new(Self { inner: Mutex::new(inner), set_up })
    }

    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        // Whoever panicked while it was held has ended the history.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call<'a, T: 'a>(&'a self, call: Call, take: fn(Reply) -> Option<T>) -> Pending<'a, T> {
        Box::pin(Waiting { port: self, call: Some(call), number: 0, take })
    }
}

/// A call that waits for its reply.
struct Waiting<'a, T> {
    port: &'a Port,
    call: Option<Call>,
    number: u32,
    take: fn(Reply) -> Option<T>,
}

impl<T> Future for Waiting<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        let call = self.call.take();
        let port = self.port;
        let mut inner = port.inner();
        if let Some(call) = call {
            inner.count += 1;
            self.number = inner.count;
            inner.calls.push((self.number, call));
            return Poll::Pending;
        }
        let Some(place) = inner.replies.iter().position(|(number, _)| *number == self.number) else {
            return Poll::Pending;
        };
        let (_, reply) = inner.replies.swap_remove(place);
        (self.take)(reply).map_or(Poll::Pending, Poll::Ready)
    }
}

impl Store for Port {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        self.call(Call::Read(key.to_owned()), |reply| if let Reply::Read(read) = reply { Some(read) } else { None })
    }

    fn write(&self, item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        let call = Call::Write(Box::new(item), expected);
        self.call(call, |reply| if let Reply::Written(written) = reply { Some(written) } else { None })
    }
}

/// The table of what merchants have set up, as far as anybody writes it here: how endpoints fare.
pub struct Merchants(pub Arc<Port>);

impl Store for Merchants {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Directory::find(&*self.0, key)
    }

    fn write(&self, item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        let call = Call::WriteHealth(Box::new(item), expected);
        self.0.call(call, |reply| if let Reply::Written(written) = reply { Some(written) } else { None })
    }
}

impl Archive for Port {
    fn keep(&self, item: Item) -> Pending<'_, Result<(), StoreFault>> {
        let call = Call::Keep(Box::new(item));
        self.call(call, |reply| if let Reply::Kept(kept) = reply { Some(kept) } else { None })
    }

    fn find<'a>(&'a self, partition: &'a str, place: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        let call = Call::FindEvent(partition.to_owned(), place.to_owned());
        self.call(call, |reply| if let Reply::Read(read) = reply { Some(read) } else { None })
    }

    fn list<'a>(
        &'a self,
        partition: &'a str,
        _: Span<'a>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        let call = Call::List(partition.to_owned(), usize::from(limit));
        self.call(call, |reply| if let Reply::Listed(listed) = reply { Some(listed) } else { None })
    }
}

impl Deliveries for Port {
    fn deliver<'a>(
        &'a self,
        url: &'a str,
        headers: &'a [(&'static str, String)],
        body: Vec<u8>,
    ) -> Pending<'a, Result<u16, DeliveryFault>> {
        let call = Call::Deliver(Box::new((url.to_owned(), headers.to_vec(), body)));
        self.call(call, |reply| if let Reply::Delivered(result) = reply { Some(result) } else { None })
    }
}

impl Directory for Port {
    fn find<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        if key.starts_with("health/") {
            let call = Call::FindHealth(key.to_owned());
            return self.call(call, |reply| if let Reply::Read(read) = reply { Some(read) } else { None });
        }
        let mut inner = self.inner();
        if inner.directory_fails > 0 {
            inner.directory_fails -= 1;
            return Box::pin(std::future::ready(Err(StoreFault("the directory is not there".into()))));
        }
        Box::pin(std::future::ready(Ok(self.set_up.items.get(key).cloned())))
    }
}

impl Http for Port {
    fn send<'a>(&'a self, request: HttpRequest, timeout: Duration) -> Pending<'a, Result<HttpResponse, HttpFault>> {
        let call = Call::Send(Box::new(request), timeout);
        self.call(call, |reply| if let Reply::Answered(answer) = reply { Some(answer) } else { None })
    }
}

impl Clock for Port {
    fn now(&self) -> Timestamp {
        self.inner().now
    }

    fn sleep(&self, duration: Duration) -> Pending<'_, ()> {
        self.call(Call::Sleep(duration), |reply| if let Reply::Slept = reply { Some(()) } else { None })
    }
}

impl Entropy for Port {
    fn bytes(&self) -> [u8; 16] {
        self.inner().random.u128(..).to_be_bytes()
    }
}

impl Journal for Port {
    fn note(&self, note: &Note<'_>) {
        // What the gateway said without ado rests, and is looked at there.
        let is_ordinary = matches!(
            note,
            Note::Called(Called { fault: None, .. }) | Note::Answered(_) | Note::Looked(_) | Note::Delivered(_)
        );
        if !is_ordinary {
            self.inner().noted.push(format!("{note:?}"));
        }
    }

    fn decided(&self, decision: &Decision<'_>) {
        let cell = Cell::of(decision);
        self.inner().decided.extend(cell);
    }
}
