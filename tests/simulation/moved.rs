//! A merchant sets up another account at the gateway in mid-flight. What was asked of the one account, the other has never
//! seen: no key, no reference and no id of it.
//!
//! The sandbox's model keeps one ledger for both, so that what takes effect in both has taken effect twice.

use std::sync::Arc;

use kessai_functions::sandbox::Request;
use kessai_shared::payment::Generation;

use crate::cast::SetUp;
use crate::chance::Fault;
use crate::story::Lane;
use crate::world::{Happening, World};

/// So long workers may know the former set-up.
const REMEMBERED_MS: i64 = 60_000;

/// What a name of another account becomes: nobody has heard of it.
const UNHEARD: &str = "unheard";

/// Which accounts there are, and whose what the ledger holds is.
#[derive(Default)]
pub struct Moving {
    /// What was set up before, and how long somebody may believe it.
    former: Option<(Arc<SetUp>, i64)>,
    /// By place in the ledger; of the first where there is none.
    owners: Vec<Generation>,
}

impl World {
    pub(crate) fn set_move(&mut self) {
        if self.accounts.is_none() && self.chance.strikes(Fault::AccountReplaced) {
            let at = self.chance.millis(0..REMEMBERED_MS);
            self.foresee(at, Happening::Moves);
        }
    }

    pub(crate) fn move_account(&mut self) {
        let next = self.platform.next_set_up.clone();
        let former = std::mem::replace(&mut self.platform.set_up, next);
        self.moving.former = Some((former, self.now_ms + REMEMBERED_MS));
        self.auditor.generation = self.platform.set_up.generation;
        self.tell(Lane::Gateway, Lane::Gateway, || "merchants are known by other accounts from here on".to_owned());
    }

    /// What an invocation that begins now knows of it.
    pub(crate) fn set_up_known(&mut self) -> Arc<SetUp> {
        match &self.moving.former {
            Some((former, until_ms)) if self.now_ms < *until_ms && self.chance.one_in(2) => former.clone(),
            Some(_) | None => self.platform.set_up.clone(),
        }
    }

    /// A request as this account understands it.
    pub(crate) fn as_understood(&self, account: Generation, request: &Request) -> Request {
        let mut understood = request.clone();
        if let (Some(key), true) = (&mut understood.idempotency_key, account != Generation::FIRST) {
            *key = format!("{key} at {}", account.0);
        }
        let asks = request.method == "GET" || request.path.ends_with("/timeout-reversals");
        for operation in (0..self.gateway.operations()).filter(|place| self.owner(*place) != account) {
            let Some(operation) = self.gateway.operation(operation) else { continue };
            let unhear = |text: &str, name: &str| text.replace(name, UNHEARD);
            if let (Some(reference), true) = (&operation.reference, asks) {
                understood.query = unhear(&understood.query, reference);
                let body = unhear(&String::from_utf8_lossy(&understood.body), reference);
                understood.body = body.into_bytes();
            }
            understood.path = understood.path.replace(&format!("/{}/", operation.id), &format!("/{UNHEARD}/"));
            let named = |id: &str| format!(r#""authorization":"{id}""#);
            let body = String::from_utf8_lossy(&understood.body).replace(&named(&operation.id), &named(UNHEARD));
            understood.body = body.into_bytes();
        }
        understood
    }

    fn owner(&self, place: usize) -> Generation {
        self.moving.owners.get(place).copied().unwrap_or_default()
    }

    /// What the ledger holds by now was there before, or is this account's.
    pub(crate) fn owns_since(&mut self, operations: usize, account: Generation) {
        self.moving.owners.resize(operations, Generation::FIRST);
        self.moving.owners.resize(self.gateway.operations(), account);
    }
}
