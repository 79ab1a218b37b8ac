//! What gateways tell unasked is believed for its signature, taken once, of what they were asked for, in any order; and
//! they hear their own words once it is written.

mod answers;
mod inquiries;
mod kept;
mod sequels;
mod served;

use std::collections::BTreeMap;

use kessai_functions::event::{HttpAnswer, HttpEvent};
use kessai_functions::sandbox::{Notice, SIGNATURE_HEADER, envelope};
use serde_json::{Value, json};

use crate::in_process::{InProcess, NOTICE_SECRET, Spent, provider_of};

pub const TAKEN: (u16, &str) = (200, "[accepted]");
pub const IRRELEVANT: (u16, &str) = (200, "[accepted] but not processed");
pub const FORGED: (u16, &str) = (403, "Not a valid notification request");

/// How the sandbox tells how an operation stands.
pub fn operation(reference: &str, status: &str) -> Value {
    let (code, message) = if status == "declined" { ("05", "Do Not Honour") } else { ("00", "Transaction Normal") };
    json!({
        "event": "operation", "id": "KE1000001", "reference": reference, "status": status, "code": code,
        "message": message, "date": "2026-08-01T00:00:00.000Z",
    })
}

/// That it did not stand after all.
pub fn failed(reference: &str) -> Value {
    json!({
        "event": "failed", "reference": reference, "id": "KE1000001", "notice": "KE1000001-failed", "code": "96",
        "message": "Did Not Settle",
    })
}

/// How far a dispute has come.
pub fn dispute(reference: &str, stage: &str, amount: u64) -> Value {
    json!({
        "event": "dispute", "reference": reference, "id": "KE1000001", "dispute": "D1000001", "stage": stage,
        "amount": amount, "code": "10.4",
    })
}

/// The functions in this process, and gateways that tell them something.
pub struct Told(pub InProcess);

impl Told {
    pub async fn new() -> Self {
        Self(InProcess::new().await)
    }

    /// Where the gateways of a class tell us something.
    pub fn path(&self, class: &str) -> String {
        format!("/commerce/payments/notify?provider={}", provider_of(&self.0.merchant, class))
    }

    /// Signed now, as the keyed gateways sign.
    pub fn signed(&self, told: &[Value]) -> Notice {
        envelope(told, &[NOTICE_SECRET], self.0.now().as_millis())
    }

    /// A notice on its way.
    pub fn event(&self, body: &[u8], signature: &str) -> HttpEvent {
        let mut event = self.0.event(body);
        event.headers = BTreeMap::from([(SIGNATURE_HEADER.to_owned(), signature.to_owned())]);
        event
    }

    /// Brings a body where the path leads, and counts what that cost.
    pub async fn send(&self, path: &str, body: &[u8], signature: &str) -> (HttpAnswer, Spent) {
        let (function, event) = self.0.routed("POST", path, self.event(body, signature)).expect("a route");
        let before = self.0.spent();
        let (answer, _) = self.0.send(function, &event).await;
        (answer, self.0.spent().since(before))
    }

    /// The keyed gateways tell this.
    pub async fn tell(&self, told: &[Value]) -> (HttpAnswer, Spent) {
        let Notice { body, signature } = self.signed(told);
        self.send(&self.path("KEYED"), body.as_bytes(), &signature).await
    }

    /// They tell it, and hear that it was taken.
    #[track_caller]
    pub fn hears(answer: &HttpAnswer, expected: (u16, &str), context: &str) {
        assert_eq!((answer.status_code, answer.body.as_str()), expected, "{context}");
        assert_eq!(answer.headers["content-type"], "text/plain", "{context}");
    }

    pub async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let key = format!("Bearer {}", self.0.api_key.reveal());
        let headers = [("content-type", "application/json"), ("authorization", key.as_str())];
        let (answer, _) = self.0.request(method, &format!("/commerce/payments/{path}"), &headers, body).await;
        (answer.status_code, serde_json::from_str(&answer.body).expect("JSON"))
    }

    /// A sale through the gateway of a class, by the sandbox's code for what becomes of it; the id of its record.
    pub async fn sale(&self, class: &str, amount: &str) -> String {
        let body = json!({
            "amount": amount, "currencyIsoCode": "USD", "paymentGatewayId": self.0.gateways[class].to_string(),
            "paymentMethod": { "cardPaymentMethod": { "cardNumber": "4242424242424242", "expiryMonth": 12, "expiryYear": 2030 } },
        });
        let (status, body) = self.ask("POST", "sales", &body).await;
        assert!([201, 202].contains(&status), "{body}");
        body["payment"]["id"].as_str().expect("an id").to_owned()
    }

    pub async fn payment(&self, id: &str) -> Value {
        let (status, body) = self.ask("GET", &format!("payments/{id}"), &Value::Null).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    pub async fn status(&self, id: &str) -> String {
        self.payment(id).await["payment"]["status"].as_str().expect("a status").to_owned()
    }
}
