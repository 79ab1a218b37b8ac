//! The sandbox's keyed class as a model.

use kessai_functions::models::{Act, Answer, Effect, Model, Request, Webhook};
use kessai_functions::sandbox::{self, Gateway, Kind, SIGNATURE_HEADER, Stage, envelope};
use serde_json::Value;

#[derive(Default)]
pub struct Sandbox {
    gateway: Gateway,
    secret: String,
    /// What was told, by place and stage.
    told: Vec<(usize, Stage)>,
}

impl Sandbox {
    pub fn new(secret: impl Into<String>) -> Self {
        Self { secret: secret.into(), ..Self::default() }
    }
}

/// A notice says when it is sent, so each time it is another.
pub fn sign(webhook: &mut Webhook, secret: &str, now_ms: i64) {
    let told: Value = serde_json::from_str(&webhook.body).unwrap_or_default();
    let items = told["notices"].as_array().map(Vec::as_slice).unwrap_or_default();
    let signed = envelope(items, &[secret], now_ms);
    (webhook.headers, webhook.body) = (vec![(SIGNATURE_HEADER, signed.signature)], signed.body);
}

impl Model for Sandbox {
    fn name(&self) -> &'static str {
        "sandbox-keyed"
    }

    fn handle(&mut self, request: &Request, now_ms: i64) -> Answer {
        let key = request.header("idempotency-key");
        let request = sandbox::Request {
            method: request.method.clone(),
            path: format!("/keyed{}", request.path.strip_prefix("/keyed").unwrap_or(&request.path)),
            query: request.query.clone(),
            idempotency_key: (!key.is_empty()).then(|| key.to_owned()),
            body: request.body.clone(),
        };
        let Answer { status, body, .. } = self.gateway.handle(&request, now_ms).answer;
        Answer { status, headers: Vec::new(), body }
    }

    fn effects(&self, now_ms: i64) -> Vec<Effect> {
        let effects = self.gateway.effects(now_ms).filter(|effect| effect.status == "approved");
        let effects = effects.filter_map(|effect| {
            let act = match effect.kind {
                Kind::Authorize | Kind::PostAuthorize => Act::Authorize,
                Kind::Sale => Act::Sale,
                Kind::Capture => Act::Capture,
                Kind::Reverse => Act::Reverse,
                Kind::Refund => Act::Refund,
                Kind::Tokenize => return None,
            };
            Some(Effect {
                at_ms: 0,
                act,
                reference: effect.reference.unwrap_or_default().to_owned(),
                id: effect.id.to_owned(),
                minor: i64::try_from(effect.amount).unwrap_or(i64::MAX),
                currency: effect.currency.to_owned(),
                undone: effect.voided || effect.failed,
            })
        });
        effects.collect()
    }

    fn webhooks(&mut self, now_ms: i64) -> Vec<Webhook> {
        let mut posts = Vec::new();
        for place in 0..self.gateway.operations() {
            for item in self.gateway.notices(place) {
                // That nobody acted is told only where nobody did.
                let may_not_be = item.at_ms > now_ms && item.told["code"] == "78";
                if !may_not_be && !self.told.contains(&(place, item.stage)) {
                    self.told.push((place, item.stage));
                    let signed = envelope([&item.told], &[&self.secret], item.at_ms);
                    let headers = vec![(SIGNATURE_HEADER, signed.signature)];
                    posts.push(Webhook { at_ms: item.at_ms, headers, body: signed.body });
                }
            }
        }
        posts
    }
}
