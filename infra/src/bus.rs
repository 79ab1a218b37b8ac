//! How sales and captures came out, on EventBridge.
//!
//! An event has the names under which those who wait for it know it: its detail-type is `PaymentCreationEvent`, its
//! source `kessai`, its only resource the merchant's id. A call takes one, because a payment's events go in order.

use std::sync::Arc;
use std::time::Duration;

use kessai_shared::ids::MerchantId;
use kessai_shared::ports::{Bus, DeliveryFault, Http, Pending};
use kessai_shared::time::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::signed::{Patience, Service};

/// All attempts together stay below what a delivery may take.
pub(crate) const PATIENCE: Patience =
    Patience { attempt: Duration::from_secs(3), attempts: 3, first_pause: Duration::from_millis(50) };

const TARGET: &str = "AWSEvents.PutEvents";

const SOURCE: &str = "kessai";

const DETAIL_TYPE: &str = "PaymentCreationEvent";

/// A bus of EventBridge.
#[derive(Clone)]
pub struct EventBridge {
    service: Service,
    http: Arc<dyn Http>,
    name: String,
}

impl EventBridge {
    pub(crate) fn new(service: Service, http: Arc<dyn Http>, name: String) -> Self {
        Self { service, http, name }
    }

    async fn put_one(&self, merchant: MerchantId, at: Timestamp, detail: String) -> Result<u16, DeliveryFault> {
        let entry = json!({
            "EventBusName": self.name,
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Resources": [merchant.to_string()],
            "Time": at.as_millis().div_euclid(1000),
            "Detail": detail,
        });
        let body = json!({ "Entries": [entry] }).to_string();
        let answer = self.service.call::<Answer>(&*self.http, TARGET, &body).await;
        let Answer { failed_entry_count, entries } =
            answer.map_err(|fault| DeliveryFault::NotTaken(fault.to_string()))?;
        if failed_entry_count == 0 {
            return Ok(200);
        }
        let code = entries.into_iter().find_map(|entry| entry.error_code).unwrap_or_default();
        Err(DeliveryFault::NotTaken(self.service.fault(code).to_string()))
    }
}

impl Bus for EventBridge {
    fn put(&self, merchant: MerchantId, at: Timestamp, detail: String) -> Pending<'_, Result<u16, DeliveryFault>> {
        Box::pin(self.put_one(merchant, at, detail))
    }
}

/// An answer of 200 may still say that what was put was not taken.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    failed_entry_count: u32,
    #[serde(default)]
    entries: Vec<Put>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    error_code: Option<String>,
}
