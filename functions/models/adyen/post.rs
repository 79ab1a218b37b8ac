//! What the model tells unasked, signed as Adyen signs.

use kessai_shared::card::Secret;
use kessai_shared::gateways::signatures::{AdyenItem, adyen};
use kessai_shared::time::Timestamp;
use serde_json::{Value, json};

use super::super::Webhook;
use super::read::Amount;

/// An event, as a webhook has it.
pub(super) struct Event<'a> {
    pub at_ms: i64,
    pub code: &'static str,
    pub name: &'a str,
    /// The payment that it is about, where it is not that payment's own.
    pub original: &'a str,
    pub reference: &'a str,
    pub merchant_account: &'a str,
    pub amount: &'a Amount,
    /// Why not, where it was not done.
    pub failure: Option<&'a str>,
    pub more: Value,
}

pub(super) struct Outbox {
    key: Secret,
    waiting: Vec<Webhook>,
}

impl Outbox {
    pub fn new(key: Secret) -> Self {
        Self { key, waiting: Vec::new() }
    }

    /// Oldest first.
    pub fn take(&mut self) -> Vec<Webhook> {
        let mut taken = std::mem::take(&mut self.waiting);
        taken.sort_by_key(|webhook| webhook.at_ms);
        taken
    }

    /// How many are yet to be taken.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub fn post(&mut self, event: &Event<'_>) {
        let success = if event.failure.is_none() { "true" } else { "false" };
        let signature = adyen(
            &AdyenItem {
                psp_reference: event.name,
                original_reference: event.original,
                merchant_account_code: event.merchant_account,
                merchant_reference: event.reference,
                amount_value: &event.amount.value.to_string(),
                amount_currency: &event.amount.currency,
                event_code: event.code,
                success,
            },
            &self.key,
        );
        let mut more = event.more.clone();
        more["hmacSignature"] = json!(signature.unwrap_or_default());
        let mut item = json!({
            "additionalData": more,
            "amount": {"currency": event.amount.currency, "value": event.amount.value},
            "eventCode": event.code,
            "eventDate": Timestamp::from_millis(event.at_ms).to_string(),
            "merchantAccountCode": event.merchant_account,
            "merchantReference": event.reference,
            "paymentMethod": "visa",
            "pspReference": event.name,
            "reason": event.failure.unwrap_or_default(),
            "success": success,
        });
        if !event.original.is_empty() {
            item["originalReference"] = json!(event.original);
        }
        let body = json!({"live": "false", "notificationItems": [{"NotificationRequestItem": item}]});
        let headers = vec![("content-type", "application/json".to_owned())];
        self.waiting.push(Webhook { at_ms: event.at_ms, headers, body: body.to_string() });
    }
}
