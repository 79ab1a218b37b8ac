//! What the domain needs of the world. Each port is small enough to be played by a simulation.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use zeroize::{Zeroize, Zeroizing};

use crate::ids::{EndpointId, GatewayId, Id, ItemKey, MerchantId};
use crate::payment::{Event, Outcome, Payment, Source, Step};
use crate::rejection::Rejection;
use crate::reminder::Delayed;
use crate::stored::Item;
use crate::stored::recurring::lists::List;
use crate::time::Timestamp;

/// What a port returns: boxed, so that the domain carries no type parameter for the world around it.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keeps payments: one item each, every write conditional on the version it was made from.
pub trait Store: Send + Sync {
    /// Reads what the last acknowledged write left, or something later.
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>>;

    /// Writes the item if what is stored is as expected, all or nothing. After a fault it may have been
    /// written.
    fn write(&self, item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>>;
}

/// The condition of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    Absent,
    Version(u64),
}

/// What came of a conditional write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    Done,
    /// Something else is stored; this. None if there is nothing.
    Conflict(Option<Item>),
}

/// Keeps stored payment methods.
pub trait Vault: Store {
    /// Some methods of an account in the order of their keys, after that key, without their tokens; whether there are
    /// more.
    fn of_account<'a>(
        &'a self,
        account: &'a str,
        after: Option<&'a str>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>>;
}

/// Keeps what recurs, and lists it: as [`crate::stored::recurring::lists`] says, what is written says on which lists it
/// is.
pub trait Agenda: Store {
    /// Some of a list in the order of their places: those until one, with it, and after another, without it; whether
    /// there are more. What was written just now may be missing, or still be where it was: whoever reads the item sees.
    fn listed<'a>(
        &'a self,
        list: &'a List,
        until: Option<&'a str>,
        after: Option<&'a str>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Listed>, bool), StoreFault>>;

    /// The items of a piece of a list, as they were a moment ago; whether there are more.
    fn of<'a>(
        &'a self,
        list: &'a List,
        span: Span<'a>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>>;
}

/// What is on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The key of the item.
    pub key: String,
    pub place: String,
}

/// Keeps what merchants have set up: few items that change rarely.
pub trait Directory: Send + Sync {
    /// Reads an item; it may be as old as a minute.
    fn find<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>>;
}

/// Keeps what happened for those who ask later: items in partitions, each at its place, for a while.
pub trait Archive: Send + Sync {
    /// Writes the item, whatever is there. After a fault it may have been written.
    fn keep(&self, item: Item) -> Pending<'_, Result<(), StoreFault>>;

    /// Reads what the last acknowledged write left there, or something later.
    fn find<'a>(&'a self, partition: &'a str, place: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>>;

    /// Some items of a partition in the order of their places; whether there are more. What was written just now may be
    /// missing.
    fn list<'a>(
        &'a self,
        partition: &'a str,
        span: Span<'a>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>>;
}

/// A piece of a partition or a list, without its ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span<'a> {
    pub after: Option<&'a str>,
    pub before: Option<&'a str>,
    pub newest_first: bool,
}

/// The store failed: unreachable, throttled, or it would not say.
#[derive(Debug)]
pub struct StoreFault(pub Box<dyn Error + Send + Sync>);

impl fmt::Display for StoreFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, out)
    }
}

impl Error for StoreFault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// Speaks to gateways.
pub trait Http: Send + Sync {
    /// Sends a request, once, and waits at most `timeout` for the whole answer.
    fn send<'a>(&'a self, request: HttpRequest, timeout: Duration) -> Pending<'a, Result<HttpResponse, HttpFault>>;
}

/// Keeps to what gateways take in a second, together with all others that ask them.
pub trait Limiter: Send + Sync {
    /// Whether one more request may be sent now. Where nobody can tell, it may.
    fn admit(&self, gateway: GatewayId, per_second: u16, now: Timestamp) -> Pending<'_, bool>;
}

/// A request to a gateway. It may hold a card number: it cannot be printed, and is wiped when dropped.
pub struct HttpRequest {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Zeroizing<Vec<u8>>,
}

/// Gateways are asked by the first two; the others are for whoever speaks to Kessai itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    /// As it stands in a request line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A gateway's answer. It may hold a token: its body is not printed, and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Drop for HttpResponse {
    fn drop(&mut self) {
        self.body.zeroize();
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "HttpResponse({}, {} bytes)", self.status, self.body.len())
    }
}

/// Why there is no answer. Only the first kind says something about the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpFault {
    /// No byte of the request left: no name, no connection, no TLS.
    NotSent(String),
    /// It may have arrived.
    Lost(String),
}

/// Tells merchants what happened.
pub trait Deliveries: Send + Sync {
    /// Posts this to an endpoint, once, over a connection of its own, and waits for the answer as long as an endpoint
    /// has. The status of the answer is one from 200 to 299; where it redirects is not followed.
    fn deliver<'a>(
        &'a self,
        url: &'a str,
        headers: &'a [(&'static str, String)],
        body: Vec<u8>,
    ) -> Pending<'a, Result<u16, DeliveryFault>>;
}

/// Tells the account's own bus how sales and captures came out.
pub trait Bus: Send + Sync {
    /// Puts one event there: what happened to a merchant's payment at that time. It may arrive twice. Returns the status
    /// of the answer.
    fn put(&self, merchant: MerchantId, at: Timestamp, detail: String) -> Pending<'_, Result<u16, DeliveryFault>>;
}

/// Why something is not delivered. What it prints may be shown to the merchant: it holds nothing of the address but
/// what anybody may know, and nothing of what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryFault {
    /// The endpoint is, or its name leads to, no place that we may send to. Which that is, is for the journal alone: it
    /// could be the address of one of our neighbours.
    Refused(String),
    /// No byte of the request left: no name, no connection, no TLS.
    NotSent(String),
    /// It may have arrived.
    Lost(String),
    /// It arrived, and this was the answer.
    Status(u16),
    /// The bus did not take it, for all that is known.
    NotTaken(String),
}

impl fmt::Display for DeliveryFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(_) => out.write_str("refused: nothing is delivered to this address"),
            Self::NotSent(cause) => write!(out, "not sent: {cause}"),
            Self::Lost(cause) => write!(out, "no answer: {cause}"),
            Self::Status(status) => write!(out, "answered with {status}"),
            Self::NotTaken(cause) => write!(out, "not taken: {cause}"),
        }
    }
}

impl Error for DeliveryFault {}

/// Tells the time and waits.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
    fn sleep(&self, duration: Duration) -> Pending<'_, ()>;
}

/// Hears what a person should know. Notes hold ids, outcomes and the gateway's references; never what a
/// caller sent.
pub trait Journal: Send + Sync {
    fn note(&self, note: &Note<'_>);

    /// Hears what was decided, before anything is made of it. A simulation listens, to check each decision; nobody
    /// else has to.
    fn decided(&self, _: &Decision<'_>) {}
}

/// A step: what there was, what happened, what follows.
pub struct Decision<'a> {
    pub before: Option<&'a Payment>,
    pub event: &'a Event<'a>,
    pub follows: Result<&'a Step, &'a Rejection>,
}

/// Something worth a line, or an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note<'a> {
    /// A gateway was asked.
    Called(Called<'a>),
    /// A gateway says something else than what an operation was settled to, or that it approved another amount than was
    /// asked for: `settled` is how it stands. Nothing was settled.
    Contradiction { operation: Id, settled: &'a str, heard: &'a Outcome },
    /// A gateway tells what came after an operation's verdict; strange where that was no approval.
    Followed { operation: Id, what: &'a str, is_strange: bool },
    /// A gateway has accepted an operation and does not tell its verdict, or nobody can find out what became of one.
    Overdue { operation: Id, since: Duration },
    /// A gateway answered, and the answer could not be stored: it stands only here, until it is found out
    /// again.
    Unwritten { operation: Id, heard: &'a Outcome },
    /// A stored method's token is not to be had, so that a request which needs it is not sent.
    Locked { method: Id, cause: &'a str },
    /// A request was answered.
    Answered(Answered<'a>),
    /// A payment was looked at because it was due.
    Looked(Looked<'a>),
    /// A batch of the stream was turned into reminders.
    Relayed { images: usize, reminders: usize },
    /// A tick found this near or overdue, the longest by so much.
    Ticked { reminders: usize, overdue: Duration },
    /// An event was delivered, or not.
    Delivered(Delivered<'a>),
    /// What an endpoint's deliveries are signed with is not to be had, so that nothing is sent.
    Unsigned { endpoint: EndpointId, cause: &'a str },
    /// Nothing was delivered to an endpoint for so long that nobody goes on.
    Disabled { merchant: MerchantId, endpoint: EndpointId, since: Duration },
    /// The account's own bus did not take an event for so long that nobody goes on.
    Untold { event: &'a str },
    /// Something came in that is none of ours.
    Unreadable { what: &'a str },
    /// An invocation that answers nobody came to nothing.
    Failed { cause: &'a str },
}

/// What became of a request to a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Called<'a> {
    pub gateway: GatewayId,
    /// What its answer is to.
    pub source: Source,
    pub operation: Id,
    pub outcome: &'a Outcome,
    /// Why there was no answer.
    pub fault: Option<&'a HttpFault>,
    pub took: Duration,
}

/// How a request was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answered<'a> {
    pub status: u16,
    /// Of an answer that is an error.
    pub code: Option<&'a str>,
    /// What lies behind an error of ours, which the caller does not hear.
    pub cause: Option<&'a str>,
    pub merchant: Option<MerchantId>,
    /// The operation that it is about.
    pub operation: Option<Id>,
    /// How that stands, in the wire's words.
    pub state: Option<&'a str>,
    /// It was asked for before.
    pub replayed: bool,
    /// It opened this payment just now.
    pub opened: bool,
}

/// What came of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looked<'a> {
    pub item: ItemKey,
    /// How long it was due before somebody looked; none where nothing was.
    pub late: Option<Duration>,
    /// What was found out, and how long after it was asked for.
    pub settled: &'a [(Id, Duration)],
    /// Why the look came to nothing.
    pub fault: Option<&'a str>,
}

/// What came of an attempt to tell a merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered<'a> {
    /// The event's id.
    pub event: &'a str,
    pub endpoint: EndpointId,
    /// The status of the answer; none where there was none.
    pub status: Option<u16>,
    /// Why it was not delivered.
    pub fault: Option<&'a DeliveryFault>,
    pub took: Duration,
}

/// Passes reminders on, and holds them back until they are due where it can.
pub trait Queue: Send + Sync {
    /// Sends all of them. After a fault some may have been sent.
    fn send<'a>(&'a self, reminders: &'a [Delayed]) -> Pending<'a, Result<(), QueueFault>>;
}

/// The queue failed.
#[derive(Debug)]
pub struct QueueFault(pub Box<dyn Error + Send + Sync>);

impl fmt::Display for QueueFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, out)
    }
}

impl Error for QueueFault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// Makes what nobody can guess.
pub trait Entropy: Send + Sync {
    fn bytes(&self) -> [u8; 16];
}
