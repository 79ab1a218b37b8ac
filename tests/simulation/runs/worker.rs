//! What one worker of a payment run sees of the world: every call waits once, so that others come between, and may fail,
//! or be made and seem to have failed.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use kessai_functions::sandbox::Gateway;
use kessai_shared::memory::Memory;
use kessai_shared::ports::{
    Agenda, Clock, Directory, Entropy, Expected, Http, HttpFault, HttpRequest, HttpResponse, Journal, Listed, Note,
    Pending, Span, Store, StoreFault, Written,
};
use kessai_shared::recurring::run::Lane;
use kessai_shared::reminder::{Image, mark};
use kessai_shared::stored::Item;
use kessai_shared::stored::recurring::lane::StoredLane;
use kessai_shared::stored::recurring::lists::List;
use kessai_shared::time::Timestamp;

use super::totals::{Happened, Totals};
use crate::network::as_the_gateway_sees;

/// What all workers share.
pub struct Shared {
    pub now_ms: AtomicI64,
    pub payments: Memory,
    pub schedules: Memory,
    /// What merchants have set up; nobody changes it.
    pub set_up: Memory,
    pub inner: Mutex<Inner>,
}

pub struct Inner {
    pub random: fastrand::Rng,
    pub gateway: Gateway,
    /// One call in so many fails; none from some time on.
    pub fails_one_in: Option<u32>,
    /// What the streams show that nobody has seen yet.
    pub images: Vec<Image>,
    pub totals: Totals,
}

impl Shared {
    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        // Whoever panicked while it was held has ended the history.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now_ms.load(Ordering::Relaxed))
    }

    /// Whether a call fails in this way.
    fn fails(&self, how: Happened) -> bool {
        let mut inner = self.inner();
        let fails = inner.fails_one_in.is_some_and(|one_in| inner.random.u32(0..one_in) == 0);
        inner.totals.add(how, u64::from(fails));
        fails
    }
}

/// Waits until it is asked a second time.
struct Turn(bool);

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

/// The ports of one invocation.
pub struct Worker {
    pub shared: Arc<Shared>,
}

/// One of the tables.
pub struct Table {
    pub shared: Arc<Shared>,
    pub of: fn(&Shared) -> &Memory,
}

impl Table {
    async fn disturbed<T>(&self, done: impl Future<Output = Result<T, StoreFault>>) -> Result<T, StoreFault> {
        Turn(false).await;
        let fault = |why: &str| Err(StoreFault(why.into()));
        if self.shared.fails(Happened::CallFailed) {
            return fault("the table is not there");
        }
        let done = done.await;
        if self.shared.fails(Happened::AnswerLost) { fault("the answer is lost") } else { done }
    }
}

impl Store for Table {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(self.disturbed((self.of)(&self.shared).read(key)))
    }

    fn write(&self, mut item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        Box::pin(self.disturbed(async move {
            mark(&mut item, self.shared.now());
            let image = Image::of(&item).expect("an item of ours");
            let is_held_up = StoredLane::from_item(item.clone()).is_ok_and(|stored| comes_back(&stored.lane));
            let written = (self.of)(&self.shared).write(item, expected).await;
            if let Ok(Written::Done) = written {
                let mut inner = self.shared.inner();
                inner.images.push(image);
                inner.totals.add(Happened::HeldUp, is_held_up.into());
            }
            written
        }))
    }
}

/// Whether it has read its list to the end, and waits to read it again.
fn comes_back(lane: &Lane) -> bool {
    lane.is_read && lane.back.is_some() && lane.due == lane.back
}

impl Agenda for Table {
    fn listed<'a>(
        &'a self,
        list: &'a List,
        until: Option<&'a str>,
        after: Option<&'a str>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Listed>, bool), StoreFault>> {
        Box::pin(self.disturbed((self.of)(&self.shared).listed(list, until, after, limit)))
    }

    fn of<'a>(
        &'a self,
        list: &'a List,
        span: Span<'a>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        Box::pin(self.disturbed((self.of)(&self.shared).of(list, span, limit)))
    }
}

impl Directory for Worker {
    fn find<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        self.shared.set_up.read(key)
    }
}

impl Store for Worker {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        self.shared.set_up.read(key)
    }

    fn write(&self, _: Item, _: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        Box::pin(async { Err(StoreFault("nobody sets anything up here".into())) })
    }
}

impl Http for Worker {
    fn send<'a>(&'a self, request: HttpRequest, _: Duration) -> Pending<'a, Result<HttpResponse, HttpFault>> {
        Box::pin(async move {
            Turn(false).await;
            if self.shared.fails(Happened::CallFailed) {
                return Err(HttpFault::NotSent("no connection".to_owned()));
            }
            if self.shared.fails(Happened::CallFailed) {
                return Err(HttpFault::Lost("on its way".to_owned()));
            }
            let now_ms = self.shared.now().as_millis();
            let reaction = self.shared.inner().gateway.handle(&as_the_gateway_sees(&request), now_ms);
            Turn(false).await;
            if self.shared.fails(Happened::AnswerLost) {
                return Err(HttpFault::Lost("the answer".to_owned()));
            }
            Ok(HttpResponse { status: reaction.answer.status, body: reaction.answer.body.into_bytes() })
        })
    }
}

impl Clock for Worker {
    fn now(&self) -> Timestamp {
        self.shared.now()
    }

    fn sleep(&self, duration: Duration) -> Pending<'_, ()> {
        let until = self.now().plus(duration);
        Box::pin(async move {
            while self.now() < until {
                Turn(false).await;
            }
        })
    }
}

impl Entropy for Worker {
    fn bytes(&self) -> [u8; 16] {
        self.shared.inner().random.u128(..).to_be_bytes()
    }
}

impl Journal for Worker {
    fn note(&self, _: &Note<'_>) {}
}
