//! The auditor sees what a gateway must not do, and what must not be done at one.

use kessai_functions::models::{Answer, Effect, Model, Request, Webhook};

use super::sandbox::Sandbox;
use super::{Accounts, Played};
use crate::plan::Plan;
use crate::story::Story;
use crate::world::World;

/// The sandbox with something wrong.
struct Wrong {
    model: Sandbox,
    forgets_keys: bool,
    forgets_effects: bool,
    moves_more: bool,
    asked: u32,
}

impl Model for Wrong {
    fn name(&self) -> &'static str {
        self.model.name()
    }

    fn handle(&mut self, request: &Request, now_ms: i64) -> Answer {
        self.asked += 1;
        let mut request = request.clone();
        if self.forgets_keys {
            // Each request is the first under its key.
            request.headers.insert("idempotency-key".to_owned(), format!("{}", self.asked));
        }
        self.model.handle(&request, now_ms)
    }

    fn effects(&self, now_ms: i64) -> Vec<Effect> {
        let effects = self.model.effects(now_ms).into_iter().filter(|_| !self.forgets_effects);
        effects.map(|effect| Effect { minor: effect.minor + i64::from(self.moves_more), ..effect }).collect()
    }

    fn webhooks(&mut self, now_ms: i64) -> Vec<Webhook> {
        self.model.webhooks(now_ms)
    }
}

/// The rules that are broken in the first histories at such a gateway.
fn broken(make: fn(Sandbox) -> Wrong) -> Vec<&'static str> {
    let rules = (0..400).filter_map(|seed| {
        let mut world = World::new(Plan::at(Played::Sandbox, seed), Story::default());
        let secrets = Played::Sandbox.facts().notice_secrets;
        let models = secrets.map(|secret| Some(Box::new(make(Sandbox::new(secret))) as Box<dyn Model>));
        world.accounts = Some(Accounts { models, ..Accounts::at(Played::Sandbox) });
        world.begin();
        world.go_on();
        world.end().violation.map(|violation| violation.rule)
    });
    let mut rules: Vec<&str> = rules.collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn right(model: Sandbox) -> Wrong {
    Wrong { model, forgets_keys: false, forgets_effects: false, moves_more: false, asked: 0 }
}

#[test]
fn a_gateway_that_does_what_it_says_breaks_no_rule() {
    assert_eq!(broken(right), [""; 0]);
}

#[test]
fn what_acts_twice_is_seen() {
    assert!(broken(|model| Wrong { forgets_keys: true, ..right(model) }).contains(&"at most one effect"));
}

#[test]
fn what_is_approved_and_did_not_happen_is_seen() {
    assert!(broken(|model| Wrong { forgets_effects: true, ..right(model) }).contains(&"answers"));
}

#[test]
fn what_moves_another_amount_is_seen() {
    assert!(broken(|model| Wrong { moves_more: true, ..right(model) }).contains(&"intent"));
}
