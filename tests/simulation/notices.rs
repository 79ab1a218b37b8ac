//! What the gateway tells unasked: late, twice, never, and what others tell in its name.

use kessai_functions::sandbox::{Decline, Operation, Outcome, SIGNATURE_HEADER, envelope, notices};
use kessai_shared::card::Secret;
use kessai_shared::gateways::{Adapter, RawNotice};
use kessai_shared::ids::{MerchantId, PaymentKey};

use crate::cast::GATEWAY_URL;
use crate::chance::Fault;
use crate::story::Lane;
use crate::world::{Happening, START_MS, World};

/// By what the gateway's notices are signed.
pub const NOTICE_SECRET: &str = "whsec_kessai_simulated";

/// How often the gateway tells something that nobody takes, and how long it waits in between.
const TELLS: u32 = 8;
const TELL_AGAIN_MS: i64 = 60_000;

/// Something that the gateway tells unasked.
pub struct Told {
    pub merchant: MerchantId,
    pub operation: Operation,
    told_ms: i64,
    is_forged: bool,
    tries: u32,
}

impl World {
    /// The gateway will tell what becomes of an operation.
    pub(crate) fn foresee_notices(&mut self, operation: &Operation) {
        let located = operation.reference.as_ref().and_then(|known| self.auditor.locate(known, &self.table));
        let Some((PaymentKey { merchant, .. }, _)) = located else { return };
        let told = |told_ms, is_forged| {
            Box::new(Told { merchant, operation: operation.clone(), told_ms, is_forged, tries: 0 })
        };
        let settles_ms = match operation.outcome {
            Outcome::Accepted { settles_at_ms, .. } => {
                if self.chance.one_in(2) {
                    let at = self.now_ms + self.chance.millis(20..2_000);
                    self.foresee(at, Happening::Told(told(self.now_ms, false)));
                }
                settles_at_ms - START_MS
            }
            Outcome::Approved | Outcome::Declined { .. } | Outcome::ActionRequired { .. } => self.now_ms,
        };
        if self.chance.strikes(Fault::NoticeForged) {
            let at = self.now_ms + self.chance.millis(0..60_000);
            self.foresee(at, Happening::Told(told(settles_ms, true)));
        }
        if self.chance.strikes(Fault::NoticeLost) {
            return;
        }
        let late = self.chance.strikes(Fault::NoticeLate);
        let delay = if late { self.chance.millis(2_000..8 * 86_400_000) } else { self.chance.millis(20..2_000) };
        self.foresee(settles_ms + delay, Happening::Told(told(settles_ms, false)));
        if self.chance.strikes(Fault::NoticeDoubled) {
            let again = if self.chance.one_in(2) { 0 } else { self.chance.millis(0..120_000) };
            self.foresee(settles_ms + delay + again, Happening::Told(told(settles_ms, false)));
        }
    }

    /// A notice is there; only a genuine one comes further than its codec.
    pub(crate) fn be_told(&mut self, mut told: Told) {
        let said = if told.is_forged { other(&told.operation) } else { told.operation.clone() };
        let secret = if told.is_forged { "whsec_somebody_else" } else { NOTICE_SECRET };
        let mut items = notices(&said, GATEWAY_URL);
        let known = items.iter().filter(|item| item.at_ms <= START_MS + told.told_ms).count().max(1);
        items.truncate(known);
        let signed = envelope(items.last().map(|item| &item.told), &[secret], START_MS + self.now_ms);
        let name = format!("sandbox-{}", self.plan.class.name());
        let codec = Adapter::named(&name).and_then(|adapter| adapter.notice).expect("the sandbox's codec");
        let header = |name: &str| (name == SIGNATURE_HEADER).then_some(signed.signature.as_str());
        let raw = RawNotice { body: signed.body.as_bytes(), header: &header, now: self.time() };
        let taken = (codec.read)(&raw, &[Secret::new(NOTICE_SECRET.to_owned())]);
        let genuine = if told.is_forged { "a forged" } else { "a" };
        self.tell(Lane::Gateway, Lane::Worker(self.tasks.len()), || format!("{genuine} notice {}", signed.body));
        match taken {
            Ok(_) if told.is_forged => self.auditor.object("forged", || "a forged notice was taken".to_owned()),
            Ok(mut notices) => {
                told.tries += 1;
                let Some(notice) = notices.pop() else { return };
                self.start_taking(told.merchant, notice, Box::new(told));
            }
            Err(_) if told.is_forged => {}
            Err(_) => self.auditor.object("forged", || "a genuine notice was not taken".to_owned()),
        }
    }

    /// Nobody took it: it is told again, for a while.
    pub(crate) fn tell_again(&mut self, told: Told) {
        if told.tries < TELLS {
            self.foresee_in(TELL_AGAIN_MS, Happening::Told(Box::new(told)));
        }
    }
}

/// What a forger would have us believe.
fn other(operation: &Operation) -> Operation {
    let outcome = match operation.outcome {
        Outcome::Approved | Outcome::Accepted { .. } | Outcome::ActionRequired { .. } => {
            Outcome::Declined { because: Decline::DoNotHonour }
        }
        Outcome::Declined { .. } => Outcome::Approved,
    };
    Operation { outcome, ..operation.clone() }
}
