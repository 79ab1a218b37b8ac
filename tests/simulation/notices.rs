//! What the gateway tells unasked: late, twice, never, several things in one body and in any order, to the wrong
//! merchant, and what others tell in its name.

use kessai_functions::sandbox::{Item, Record, SIGNATURE_HEADER, Stage, envelope, ping};
use kessai_shared::card::Secret;
use kessai_shared::gateways::{Adapter, RawNotice};
use kessai_shared::ids::{MerchantId, PaymentKey};
use serde_json::Value;

use crate::cast::cast;
use crate::chance::Fault;
use crate::story::Lane;
use crate::world::{Happening, START_MS, World};

/// By what the gateway's notices are signed.
pub const NOTICE_SECRET: &str = "whsec_kessai_simulated";

/// How often the gateway tells something that nobody takes, and how long it waits in between.
const TELLS: u32 = 8;
const TELL_AGAIN_MS: i64 = 60_000;

/// Longer than any signature counts.
const STALE_MS: i64 = 303_000;

/// Something that the gateway tells unasked: what has become of operations, by their places in its books.
pub struct Told {
    pub merchant: MerchantId,
    pub items: Vec<(usize, Stage)>,
    /// It went to a merchant who knows nothing of it.
    pub is_astray: bool,
    manner: Manner,
    tries: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Genuine,
    Forged,
    /// Somebody repeats what the gateway said a while ago.
    Repeated,
}

impl World {
    /// The gateway will tell what became of operations that this record is about.
    pub(crate) fn foresee_notices(&mut self, record: &Record) {
        for place in self.gateway.touched(record) {
            let Some(PaymentKey { merchant, .. }) = self.payment_at(place) else { continue };
            for Item { at_ms, stage, .. } in self.gateway.notices(place) {
                if at_ms >= START_MS + self.now_ms {
                    self.foresee_notice(merchant, (place, stage), at_ms - START_MS);
                }
            }
        }
    }

    fn foresee_notice(&mut self, merchant: MerchantId, item: (usize, Stage), from_ms: i64) {
        let told = |merchant, manner, is_astray| {
            Happening::Told(Box::new(Told { merchant, items: vec![item], is_astray, manner, tries: 0 }))
        };
        if self.chance.strikes(Fault::NoticeForged) {
            let at = from_ms + self.chance.millis(0..60_000);
            self.foresee(at, told(merchant, Manner::Forged, false));
        }
        if self.chance.strikes(Fault::NoticeStale) {
            let at = from_ms + self.chance.millis(STALE_MS..86_400_000);
            self.foresee(at, told(merchant, Manner::Repeated, false));
        }
        if self.chance.strikes(Fault::NoticeAstray) {
            let other = cast().merchants.into_iter().find(|other| *other != merchant).unwrap_or(merchant);
            let at = from_ms + self.chance.millis(0..60_000);
            self.foresee(at, told(other, Manner::Genuine, true));
        }
        if self.chance.strikes(Fault::NoticeLost) {
            return;
        }
        let late = self.chance.strikes(Fault::NoticeLate);
        let delay = if late { self.chance.millis(2_000..8 * 86_400_000) } else { self.chance.millis(0..2_000) };
        self.foresee(from_ms + delay, told(merchant, Manner::Genuine, false));
        if self.chance.strikes(Fault::NoticeDoubled) {
            let again = if self.chance.one_in(2) { 0 } else { self.chance.millis(0..120_000) };
            self.foresee(from_ms + delay + again, told(merchant, Manner::Genuine, false));
        }
    }

    /// The payment that this operation of the gateway's belongs to.
    fn payment_at(&self, place: usize) -> Option<PaymentKey> {
        let reference = self.gateway.operation(place)?.reference.as_ref()?;
        Some(self.auditor.locate(reference, &self.table)?.0)
    }

    /// A notice is there; only a genuine one comes further than its codec.
    pub(crate) fn be_told(&mut self, mut told: Told) {
        let now_ms = START_MS + self.now_ms;
        if told.tries == 0 && self.chance.strikes(Fault::NoticeBatch) {
            self.put_all_into(&mut told);
        }
        // What it would have told is no more where the payer acted, or where it was undone.
        told.items.retain(|item| self.said_of(*item, now_ms).is_some());
        let known: Vec<Value> = told.items.iter().filter_map(|item| self.said_of(*item, now_ms)).collect();
        if known.is_empty() {
            return;
        }
        let signed = match told.manner {
            Manner::Genuine if told.items.len() > 1 => {
                envelope(known.iter().chain([&ping()]), &["whsec_older", NOTICE_SECRET], now_ms)
            }
            Manner::Genuine => envelope(&known, &[NOTICE_SECRET], now_ms),
            Manner::Repeated => envelope(&known, &[NOTICE_SECRET], now_ms - STALE_MS),
            Manner::Forged => {
                let known: Vec<Value> = known.into_iter().map(otherwise).collect();
                envelope(&known, &["whsec_somebody_else"], now_ms)
            }
        };
        let name = format!("sandbox-{}", self.plan.class.name());
        let codec = Adapter::named(&name).and_then(|adapter| adapter.notice).expect("the sandbox's codec");
        let header = |name: &str| (name == SIGNATURE_HEADER).then_some(signed.signature.as_str());
        let raw = RawNotice { body: signed.body.as_bytes(), header: &header, now: self.time() };
        let taken = (codec.read)(&raw, &[Secret::new(NOTICE_SECRET.to_owned())]);
        self.tell(Lane::Gateway, Lane::Worker(self.tasks.len()), || format!("{} {}", told.manner.said(), signed.body));
        match (taken, told.manner) {
            (Ok(items), Manner::Genuine) if items.iter().filter(|item| item.is_ok()).count() == told.items.len() => {
                let notices = items.into_iter().flatten().filter_map(kessai_shared::gateways::Told::notice).collect();
                told.tries += 1;
                self.start_taking(told.merchant, notices, Box::new(told));
            }
            (Ok(_), Manner::Genuine) => self.auditor.object("kept", || "an item of a notice is gone".to_owned()),
            (Ok(_), Manner::Forged | Manner::Repeated) => {
                self.auditor.object("forged", || format!("{} was taken", told.manner.said()));
            }
            (Err(_), Manner::Forged | Manner::Repeated) => {}
            (Err(_), Manner::Genuine) => {
                self.auditor.object("forged", || "a genuine notice was not taken".to_owned());
            }
        }
    }

    /// What the gateway says of it, once it can.
    fn said_of(&self, (place, stage): (usize, Stage), now_ms: i64) -> Option<Value> {
        let items = self.gateway.notices(place).into_iter();
        let found = items.filter(|item| item.at_ms <= now_ms).find(|item| item.stage == stage);
        found.map(|item| item.told)
    }

    /// Everything that the gateway has to tell this merchant by now, in any order.
    fn put_all_into(&mut self, told: &mut Told) {
        let now_ms = START_MS + self.now_ms;
        let mut all = Vec::new();
        for place in 0..self.gateway.operations() {
            if !told.is_astray && self.payment_at(place).is_some_and(|key| key.merchant == told.merchant) {
                let items = self.gateway.notices(place).into_iter().filter(|item| item.at_ms <= now_ms);
                all.extend(items.map(|item| (place, item.stage)));
            }
        }
        while !all.is_empty() {
            let next = all.swap_remove(self.chance.pick(all.len()));
            if !told.items.contains(&next) {
                told.items.push(next);
            }
        }
    }

    /// Nobody took it: it is told again, for a while.
    pub(crate) fn tell_again(&mut self, told: Told) {
        if told.tries < TELLS {
            self.foresee_in(TELL_AGAIN_MS, Happening::Told(Box::new(told)));
        }
    }
}

impl Manner {
    fn said(self) -> &'static str {
        match self {
            Self::Genuine => "a notice",
            Self::Forged => "a forged notice",
            Self::Repeated => "repeats an old notice",
        }
    }
}

/// What a forger would have us believe.
fn otherwise(said: Value) -> Value {
    let text = said.to_string();
    let text = match text.contains(r#""status":"declined""#) {
        true => text.replace(r#""status":"declined""#, r#""status":"approved""#),
        false => text.replace(r#""status":"approved""#, r#""status":"declined""#),
    };
    serde_json::from_str(&text).unwrap_or(said)
}
