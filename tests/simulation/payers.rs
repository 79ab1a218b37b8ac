//! Payers whom a gateway needs: they act on its page, in time, too late, or never.

use kessai_functions::sandbox::{ACTION_MS, Request};

use crate::chance::Fault;
use crate::story::Lane;
use crate::world::{Happening, START_MS, World};

/// Most payers are quick.
const SOON_MS: i64 = 120_000;

impl World {
    /// The gateway waits for the payer of the operation at this place of its books.
    pub(crate) fn await_payer(&mut self, place: usize) {
        if self.chance.strikes(Fault::PayerAway) {
            return self.tell(Lane::Gateway, Lane::Gateway, || "its payer never comes".to_owned());
        }
        let window = i64::try_from(ACTION_MS).expect("a short time");
        let late = self.chance.strikes(Fault::PayerLate);
        let after = if late {
            self.chance.millis(window - SOON_MS..window + SOON_MS)
        } else {
            self.chance.millis(1_000..SOON_MS)
        };
        let approves = !self.chance.one_in(4);
        self.foresee_in(after, Happening::Pays { place, approves });
    }

    /// The payer decides.
    pub(crate) fn pay(&mut self, place: usize, approves: bool) {
        let Some(operation) = self.gateway.operation(place) else { return };
        let result = if approves { "approve" } else { "decline" };
        let request = Request {
            method: "POST".to_owned(),
            path: format!("/{}/challenges/{}", operation.class.name(), operation.id),
            query: String::new(),
            idempotency_key: None,
            body: format!("result={result}").into_bytes(),
        };
        let reaction = self.gateway.handle(&request, START_MS + self.now_ms);
        let status = reaction.answer.status;
        self.tell(Lane::Gateway, Lane::Gateway, || format!("its payer says {result}, and hears {status}"));
        self.enter(&reaction.records);
    }
}
