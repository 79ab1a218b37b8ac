//! Where merchants are told, and the way there: endpoints fail, are down for days, answer too late, and take what they
//! are told twice.

use std::collections::BTreeMap;

use kessai_shared::card::Secret;
use kessai_shared::ids::{EndpointId, MerchantId};
use kessai_shared::merchant::{Endpoint, EventFilter, SealedSecret, SharedWith};
use kessai_shared::ports::DeliveryFault;
use kessai_shared::seal::SealingKeys;
use kessai_shared::time::Timestamp;

use crate::cast::{MERCHANTS, cast};
use crate::chance::Fault;
use crate::port::Reply;
use crate::story::Lane;
use crate::world::{Happening, START_MS, World};

/// The endpoints that both merchants have, by what each wants to hear.
pub const ENDPOINTS: [&[&[&str]]; 4] =
    [&[], &[&["*"]], &[&["*"], &["payment.*", "refund.updated"]], &[&["refund.*", "dispute.charged_back"]]];

/// Most endpoints that a merchant has.
pub const MOST_ENDPOINTS: usize = 2;

/// By what deliveries are signed.
pub const DELIVERY_SECRET: &str = "whsec_c2ltdWxhdGVkLXNpbXVsYXRlZC1zaW11bGF0ZWQ=";

/// As long as an endpoint has for its answer.
const PATIENCE_MS: i64 = 10_000;

/// A delivery may arrive so long after nobody waits for it any more.
const LATENESS_MS: i64 = 2_000;

/// An endpoint: the merchant's place, and its own.
pub type Place = (usize, usize);

/// Something on its way to an endpoint.
pub struct Delivery {
    task: usize,
    call: u32,
    pub to: Place,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    given_up_ms: i64,
}

pub fn endpoint_id((merchant, endpoint): Place) -> EndpointId {
    let digit = u8::try_from(20 + merchant * MOST_ENDPOINTS + endpoint).expect("few endpoints");
    EndpointId::from_random([digit; 16])
}

/// What a merchant has set up for them.
pub fn set_up_for(merchant: &MerchantId, wanted: &[&[&str]], keys: &SealingKeys) -> BTreeMap<EndpointId, Endpoint> {
    let which = usize::from(*merchant != MerchantId::from_random([1; 16]));
    let made = wanted.iter().enumerate().map(|(place, filters)| {
        let id = endpoint_id((which, place));
        let secret = Secret::new(DELIVERY_SECRET.to_owned());
        let sealed = SharedWith::Endpoint(id).seal(merchant, keys, &secret, [9; 16]).expect("it is sealed");
        let events = filters.iter().map(|filter| EventFilter::parse(filter).expect("a filter")).collect();
        let endpoint = Endpoint {
            url: format!("https://merchant{which}/{place}"),
            events,
            description: None,
            is_active: true,
            enabled_at: Some(Timestamp::from_millis(START_MS - 1)),
            secrets: vec![SealedSecret { sealed, created_at: None, until: None, made: None }],
            made: None,
        };
        (id, endpoint)
    });
    made.collect()
}

fn place_of(url: &str) -> Place {
    let (merchant, endpoint) = url.strip_prefix("https://merchant").and_then(|at| at.split_once('/')).expect("a URL");
    (merchant.parse().expect("a number"), endpoint.parse().expect("a number"))
}

impl World {
    /// When endpoints take nothing.
    pub(crate) fn set_endpoints(&mut self) {
        for place in (0..MERCHANTS).flat_map(|merchant| (0..MOST_ENDPOINTS).map(move |endpoint| (merchant, endpoint))) {
            let is_there = self.plan.endpoints > 0 && place.1 < ENDPOINTS[self.plan.endpoints].len();
            if is_there && self.chance.strikes(Fault::EndpointDown) {
                let from = self.chance.millis(0..60_000);
                let range = from..from + self.chance.millis(3_600_000..5 * 86_400_000);
                let hours = (range.end - from) / 3_600_000;
                self.tell(Lane::Queue, Lane::Queue, || format!("endpoint {place:?} is down for {hours} hours"));
                self.endpoints_down_ms.push((place, range));
            }
        }
    }

    /// A delivery leaves.
    pub(crate) fn deliver(&mut self, (task, call): (usize, u32), url: &str, headers: Headers, body: Vec<u8>) {
        let to = place_of(url);
        let given_up_ms = self.now_ms + PATIENCE_MS;
        let served = |result| Happening::Served { task, call, reply: Some(Reply::Delivered(result)) };
        if self.is_down(to) && self.chance.one_in(2) {
            let failed = self.chance.millis(5..500);
            let at = self.now_ms + failed;
            self.auditor.failed(to, START_MS + at);
            self.tell(Lane::Worker(task), Lane::Queue, || format!("finds no connection to endpoint {to:?}"));
            return self.foresee(at, served(Err(DeliveryFault::NotSent("refused".to_owned()))));
        }
        self.foresee(given_up_ms, served(Err(DeliveryFault::Lost("timeout".to_owned()))));
        if self.chance.strikes_call(Fault::DeliveryLost, task, call) {
            self.auditor.failed(to, START_MS + given_up_ms);
            return self.tell(Lane::Worker(task), Lane::Queue, || format!("is lost: what endpoint {to:?} is told"));
        }
        let late = self.chance.strikes_call(Fault::DeliveryLate, task, call);
        let after = if late { self.chance.millis(0..PATIENCE_MS + LATENESS_MS) } else { self.latency(5..150) };
        self.foresee_in(after, Happening::Delivered(Box::new(Delivery { task, call, to, headers, body, given_up_ms })));
    }

    fn is_down(&self, to: Place) -> bool {
        self.endpoints_down_ms.iter().any(|(place, range)| *place == to && range.contains(&self.now_ms))
    }

    /// An endpoint is told something.
    pub(crate) fn be_delivered(&mut self, delivery: Delivery) {
        let Delivery { task, call, to, given_up_ms, .. } = delivery;
        let fails = self.is_down(to) || self.chance.strikes_call(Fault::EndpointFails, task, call);
        let status = match fails {
            true => [302, 404, 410, 500, 503][self.chance.pick(5)],
            false => [200, 201, 204][self.chance.pick(3)],
        };
        self.tell(Lane::Worker(task), Lane::Queue, || {
            format!("tells endpoint {to:?} → {status}: {}", String::from_utf8_lossy(&delivery.body))
        });
        let seen = self.tasks[task].seen.as_ref();
        self.auditor.delivered(&delivery, !fails, seen, START_MS + self.now_ms);
        let slow = self.chance.strikes_call(Fault::EndpointSlow, task, call);
        let lost = self.chance.strikes_call(Fault::DeliveryAnswerLost, task, call);
        let at = self.now_ms + self.latency(5..150);
        if slow || lost || at >= given_up_ms {
            return self.auditor.failed(to, START_MS + given_up_ms);
        }
        match fails {
            true => self.auditor.failed(to, START_MS + at),
            false => self.tasks[task].took.push((call, to, None)),
        }
        let result = if fails { Err(DeliveryFault::Status(status)) } else { Ok(status) };
        self.foresee(at, Happening::Served { task, call, reply: Some(Reply::Delivered(result)) });
    }
}

pub type Headers = Vec<(&'static str, String)>;

/// Whether this endpoint wants to hear of it, in the auditor's words.
pub fn wants(endpoints: usize, endpoint: usize, name: &str) -> bool {
    let filters = ENDPOINTS[endpoints].get(endpoint).copied().unwrap_or_default();
    filters.iter().any(|filter| match filter.strip_suffix('*') {
        Some(kind) => name.starts_with(kind),
        None => *filter == name,
    })
}

/// Which of the merchants it is.
pub fn merchant_place(merchant: &MerchantId) -> usize {
    cast().merchants.iter().position(|known| known == merchant).unwrap_or_default()
}
