//! The models of a history: one for each merchant, as each has an account of its own.

use kessai_functions::models::{Answer, Effect, Model, Request, Webhook};

use super::{Facts, Played};
use crate::cast::MERCHANTS;
use crate::world::START_MS;

/// What merchants have at the gateway. A model is made when its merchant first needs it.
pub struct Accounts {
    pub played: Played,
    pub(super) models: [Option<Box<dyn Model>>; MERCHANTS],
}

impl Accounts {
    pub fn at(played: Played) -> Self {
        Self { played, models: Default::default() }
    }

    pub fn facts(&self) -> &'static Facts {
        self.played.facts()
    }

    fn model(&mut self, merchant: usize) -> &mut dyn Model {
        let played = self.played;
        self.models[merchant].get_or_insert_with(|| opened(played, merchant)).as_mut()
    }

    /// A model does what it is asked.
    pub fn handle(&mut self, merchant: usize, request: &Request, now_ms: i64) -> Answer {
        self.model(merchant).handle(request, now_ms)
    }

    /// What it tells of since it was last asked.
    pub fn webhooks(&mut self, merchant: usize, now_ms: i64) -> Vec<Webhook> {
        self.model(merchant).webhooks(now_ms)
    }

    /// What stands in a model's ledger.
    pub fn effects(&self, merchant: usize, now_ms: i64) -> Vec<Effect> {
        self.models[merchant].as_ref().map(|model| model.effects(now_ms)).unwrap_or_default()
    }
}

/// A model that keeps what the merchant's stored method stands for.
fn opened(played: Played, merchant: usize) -> Box<dyn Model> {
    let mut model = (played.facts().model)(played.facts().notice_secrets[merchant]);
    for request in &played.set_ups().kept {
        model.handle(request, START_MS);
    }
    // What it tells of that is nothing to this history.
    model.webhooks(START_MS);
    model
}
