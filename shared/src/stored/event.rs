//! Events as they are kept for merchants to look up: what happened, and what came of telling it.
//!
//! | attribute | of an event |
//! |---|---|
//! | `pk` `sk` | merchant, the event's id: in the order of time |
//! | `ttl` | when the store may forget it, in seconds |
//! | `f` | format |
//! | `n` `t` `v` | its name, when it happened, its version within its payment |
//! | `p` `o` `w` `i` | payment or method, operation, what there is to tell of it, which sequel |
//! | `b` | what came of telling it, one map for each endpoint |
//!
//! | attribute | of an endpoint |
//! |---|---|
//! | `w` `tr` `t` | which, attempts, when the last was made |
//! | `st` `e` | status of the answer, why there was none |
//! | `s` | `delivered`, `failed` or `given up` |
//!
//! What is told of an event is not kept: it is read from the payment, as it is then.

use std::time::Duration;

use super::item::{Attribute, Item};
use super::outbox::{decode_news, encode_news};
use super::payment::KEY;
use super::reader::{Reader, Unreadable, strange};
use crate::event::EventName;
use crate::ids::{EndpointId, ItemKey, MerchantId, Ordinal};
use crate::payment::outbox::{Entry, News};
use crate::time::Timestamp;

/// The name of the second part of the table's key.
pub const PLACE: &str = "sk";

/// The name of the time after which an item may be forgotten, in seconds since 1970.
pub const TTL: &str = "ttl";

/// How long what happened is kept.
pub const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The format that this version reads and writes. There is no older one.
const FORMAT: i64 = 1;

/// Characters of what is kept of a fault.
const LONGEST_FAULT: usize = 200;

/// An event, and what came of telling it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// `evt_…`, in the order of time.
    pub id: String,
    /// What it is about: a payment, or a stored method, which is its own and only operation.
    pub item: ItemKey,
    pub operation: Ordinal,
    pub news: News,
    pub at: Timestamp,
    /// Rises within a payment, or a method.
    pub version: u32,
    pub name: EventName,
    /// One for each endpoint that it was to be delivered to.
    pub deliveries: Vec<Attempted>,
}

/// What came of telling one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted {
    pub endpoint: EndpointId,
    pub attempts: u32,
    /// When the last attempt was made.
    pub at: Timestamp,
    /// Of the last answer, if there was one.
    pub status: Option<u16>,
    /// Why the last attempt failed. It may be shown to the merchant.
    pub fault: Option<String>,
    pub state: Delivery,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Delivered,
    /// It is tried again.
    Failed,
    /// It is not.
    GivenUp,
}

impl Delivery {
    pub const ALL: [Self; 3] = [Self::Delivered, Self::Failed, Self::GivenUp];

    /// As the store and the wire have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::GivenUp => "given up",
        }
    }
}

impl Recorded {
    /// The entry of the outbox that it was, by which it can be told again.
    pub fn entry(&self) -> Entry {
        Entry { number: self.version, operation: self.operation, news: self.news, at: self.at }
    }

    /// Adds what came of another attempt to tell this endpoint. What was delivered stays so.
    pub fn attempted(&mut self, attempt: Attempted) {
        match self.deliveries.iter_mut().find(|known| known.endpoint == attempt.endpoint) {
            Some(known) => {
                let attempts = known.attempts.saturating_add(attempt.attempts);
                let is_final = known.state == Delivery::Delivered && attempt.state != Delivery::Delivered;
                let last = if is_final { known.clone() } else { attempt };
                *known = Attempted { attempts, ..last };
            }
            None => self.deliveries.push(attempt),
        }
    }
}

/// When an item about something that happened then may be forgotten, as the store wants it.
pub fn forget_at(at: Timestamp) -> i64 {
    at.plus(KEPT_FOR).as_millis() / 1000
}

pub fn encode_recorded(recorded: &Recorded) -> Item {
    let Recorded { id, item, operation, news, at, version, name, deliveries } = recorded;
    let (what, sequel) = encode_news(*news);
    let deliveries: Vec<_> = deliveries.iter().map(|attempted| Attribute::Map(encode_attempted(attempted))).collect();
    Item::new()
        .with(KEY, item.merchant().as_str().to_owned())
        .with(PLACE, id)
        .with(TTL, forget_at(*at))
        .with("f", FORMAT)
        .with("n", name.text())
        .with("t", at.as_millis())
        .with("v", i64::from(*version))
        .with("p", item.to_string())
        .with("o", operation.index() as i64)
        .with("w", what)
        .with_some("i", sequel)
        .with_some("b", (!deliveries.is_empty()).then_some(deliveries))
}

pub fn decode_recorded(item: Item) -> Result<Recorded, Unreadable> {
    let mut reader = Reader::new(item);
    let format = reader.number("f")?;
    if format != FORMAT {
        return Err(Unreadable(format!("an event of format {format}, which this version does not know")));
    }
    let key = reader.parsed("p", ItemKey::parse)?;
    if reader.parsed(KEY, MerchantId::parse)? != key.merchant() {
        return Err(strange(KEY));
    }
    let place = usize::try_from(reader.number("o")?).ok().and_then(Ordinal::new);
    Ok(Recorded {
        id: reader.text(PLACE)?,
        item: key,
        operation: place.ok_or_else(|| strange("o"))?,
        news: decode_news(&mut reader)?,
        at: reader.moment("t")?,
        version: reader.small("v")?,
        name: reader.parsed("n", EventName::parse)?,
        deliveries: reader.maps("b")?.into_iter().map(decode_attempted).collect::<Result<_, _>>()?,
    })
}

fn encode_attempted(attempted: &Attempted) -> Item {
    let Attempted { endpoint, attempts, at, status, fault, state } = attempted;
    let fault = fault.as_ref().map(|fault| fault.chars().take(LONGEST_FAULT).collect::<String>());
    Item::new()
        .with("w", endpoint.as_str().to_owned())
        .with("tr", i64::from(*attempts))
        .with("t", at.as_millis())
        .with_some("st", status.map(i64::from))
        .with_some("e", fault)
        .with("s", state.name())
}

fn decode_attempted(item: Item) -> Result<Attempted, Unreadable> {
    let mut reader = Reader::new(item);
    let status = reader.maybe_number("st")?.map(u16::try_from).transpose();
    Ok(Attempted {
        endpoint: reader.parsed("w", EndpointId::parse)?,
        attempts: reader.small("tr")?,
        at: reader.moment("t")?,
        status: status.map_err(|_| strange("st"))?,
        fault: reader.maybe_text("e")?,
        state: reader.parsed("s", |text| Delivery::ALL.into_iter().find(|state| state.name() == text))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{PaymentId, PaymentKey};
    use crate::payment::tests::fixtures::{START, merchant, method_id, place};

    fn endpoint(number: u8) -> EndpointId {
        EndpointId::from_random([number; 16])
    }

    fn recorded() -> Recorded {
        Recorded {
            id: "evt_0197".to_owned(),
            item: PaymentKey { merchant: merchant(), payment: PaymentId::from_bits(0x1f) }.into(),
            operation: place(2),
            news: News::Sequel(3),
            at: START,
            version: 7,
            name: EventName::DisputeOpened,
            deliveries: vec![
                Attempted {
                    endpoint: endpoint(1),
                    attempts: 2,
                    at: START,
                    status: Some(204),
                    fault: None,
                    state: Delivery::Delivered,
                },
                Attempted {
                    endpoint: endpoint(2),
                    attempts: 1,
                    at: START,
                    status: None,
                    fault: Some("no answer".to_owned()),
                    state: Delivery::Failed,
                },
            ],
        }
    }

    #[test]
    fn an_event_to_the_letter() {
        let at = START.as_millis();
        let first = Item::new()
            .with("w", endpoint(1).as_str().to_owned())
            .with("tr", 2)
            .with("t", at)
            .with("st", 204)
            .with("s", "delivered");
        let second = Item::new()
            .with("w", endpoint(2).as_str().to_owned())
            .with("tr", 1)
            .with("t", at)
            .with("e", "no answer")
            .with("s", "failed");
        let item = Item::new()
            .with("pk", merchant().as_str().to_owned())
            .with("sk", "evt_0197")
            .with("ttl", at / 1000 + 30 * 86_400)
            .with("f", 1)
            .with("n", "dispute.opened")
            .with("t", at)
            .with("v", 7)
            .with("p", format!("{}/1f", merchant().as_str()))
            .with("o", 2)
            .with("w", "sequel")
            .with("i", 3)
            .with("b", vec![Attribute::Map(first), Attribute::Map(second)]);
        assert_eq!(encode_recorded(&recorded()), item);
        assert_eq!(decode_recorded(item), Ok(recorded()));
    }

    #[test]
    fn an_event_that_nobody_was_told_reads_back() {
        for news in [News::Created, News::Pending, News::Verdict, News::Changed(7)] {
            for item in [recorded().item, ItemKey::Method(merchant(), method_id())] {
                let recorded = Recorded { item, news, deliveries: Vec::new(), ..recorded() };
                assert_eq!(decode_recorded(encode_recorded(&recorded)), Ok(recorded));
            }
        }
    }

    #[test]
    fn what_is_no_event_of_ours_is_refused_by_name() {
        let sound = || encode_recorded(&recorded());
        let rows = [
            (sound().with("f", 2), "format 2"),
            (sound().with("pk", "00D000000000009"), "pk"),
            (sound().with("n", "payment.exploded"), "n "),
            (sound().with("o", -1), "o "),
            (sound().with("v", -1), "v "),
            (sound().with("w", "rumour"), "w "),
        ];
        for (item, name) in rows {
            let error = decode_recorded(item).expect_err(name).to_string();
            assert!(error.contains(name), "{name}: {error}");
        }
    }

    #[test]
    fn attempts_are_counted_for_each_endpoint() {
        let mut recorded = recorded();
        let again = Attempted { attempts: 1, state: Delivery::GivenUp, ..recorded.deliveries[1].clone() };
        recorded.attempted(again.clone());
        recorded.attempted(Attempted { endpoint: endpoint(1), ..again.clone() });
        recorded.attempted(Attempted { endpoint: endpoint(3), ..again });
        let counted: Vec<_> = recorded.deliveries.iter().map(|known| (known.attempts, known.state)).collect();
        assert_eq!(counted, [(3, Delivery::Delivered), (2, Delivery::GivenUp), (1, Delivery::GivenUp)]);
    }
}
