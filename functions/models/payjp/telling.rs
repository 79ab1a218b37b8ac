//! What PAY.JP tells unasked: one event a post, under a token that is always the same.

use serde_json::{Map, Value, json};

use super::flows::{Flow, later};
use super::{Payjp, moment};
use crate::models::{Webhook, magic};
use crate::sandbox::{Behaviour, SETTLEMENT_MS, Verdict};

/// From when on the older names are left out: 2026-10-01 in Tokyo.
const NEW_NAMES_MS: i64 = 1_790_780_400_000;

const NAMES: [(&str, &str); 3] =
    [("created_at", "created_date"), ("updated_at", "updated_date"), ("metadata", "meta_data")];

impl Payjp {
    pub(super) fn tell_of_flow(&mut self, event: &'static str, flow: &Flow, at_ms: i64) {
        self.tell(event, flow.shown(), flow.is_live, at_ms);
    }

    pub(super) fn tell(&mut self, event: &'static str, data: Value, is_live: bool, at_ms: i64) {
        let id = self.name("evt");
        let mut body = json!({
            "object": "event", "id": id, "livemode": is_live, "type": event, "pending_webhooks": 1,
            "created_at": moment(at_ms), "updated_at": moment(at_ms),
        });
        if let Some(members) = body.as_object_mut() {
            members.insert("data".to_owned(), with_old_names(data, at_ms));
        }
        let headers =
            vec![("content-type", "application/json".to_owned()), ("x-payjp-webhook-token", self.token.clone())];
        self.outbox.push(Webhook { at_ms, headers, body: with_old_names(body, at_ms).to_string() });
    }

    /// A buyer disputes what was taken, where its amount asks for that; the dispute is lost, or it is dropped.
    pub(super) fn dispute(&mut self, flow: &Flow, at_ms: i64) {
        let Behaviour::Dispute(verdict) = magic(flow.received) else { return };
        let id = self.name("dp");
        let end = match verdict {
            Verdict::ChargedBack => "lost",
            Verdict::Won => "cancel",
        };
        let opened_ms = later(at_ms, SETTLEMENT_MS);
        let ended_ms = later(opened_ms, SETTLEMENT_MS);
        let stages = [("dispute.created", "needs_response", opened_ms), ("dispute.updated", end, ended_ms)];
        for (event, status, stage_ms) in stages {
            let data = json!({
                "object": "payment_dispute", "id": id, "livemode": flow.is_live, "payment_flow_id": flow.id,
                "amount": flow.received, "currency": "jpy", "status": status, "reason": "fraudulent",
                "due_by": null, "payment_method_type": "card", "metadata": Map::new(),
                "created_at": moment(opened_ms), "updated_at": moment(stage_ms),
            });
            self.tell(event, data, flow.is_live, stage_ms);
        }
    }
}

/// The same with the names of before as well, as long as PAY.JP sends both.
fn with_old_names(mut value: Value, at_ms: i64) -> Value {
    if let Some(members) = value.as_object_mut().filter(|_| at_ms < NEW_NAMES_MS) {
        for (name, old) in NAMES {
            if let Some(known) = members.get(name).cloned() {
                members.insert(old.to_owned(), known);
            }
        }
    }
    value
}
