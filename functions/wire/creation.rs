//! `PaymentCreationEvent`: how a sale or capture came out, with the members that the wire format gives it.
//!
//! Two of them have no counterpart here. `ReplayId` is the version of the event, which rises within a payment; the wire's
//! is a place in a stream of all. `RequestIdentifier` is the key under which the operation was asked for: nothing else
//! names a request before there is a record.

use kessai_shared::ids::log_id;
use kessai_shared::payment::Payment;
use kessai_shared::stored::event::Recorded;
use serde::Serialize;

use super::view::{View, record_type};

/// The detail of the event. It tells of the verdict, which never changes, so it is the same however often it is told.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Creation {
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    event_uuid: String,
    is_success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_gateway_log_id: Option<String>,
    payment_id: String,
    payment_status: &'static str,
    replay_id: String,
    request_identifier: String,
    #[serde(rename = "Type")]
    kind: &'static str,
}

impl Creation {
    /// None where the payment has no such operation.
    pub fn of(recorded: &Recorded, payment: &Payment) -> Option<Self> {
        let view = View::of(payment, recorded.operation)?;
        let View { operation, ordinal, .. } = view;
        let error = view.error();
        // The one that settled it.
        let log = operation.logs.len().checked_sub(1).map(|last| log_id(payment.id, ordinal, last));
        Some(Self {
            error_code: error.as_ref().map(|error| error.error_code),
            error_message: error.map(|error| error.message),
            event_uuid: recorded.id.clone(),
            is_success: operation.is_approved(),
            payment_gateway_log_id: log.map(|log| log.to_string()),
            payment_id: view.id().to_string(),
            payment_status: view.status(),
            replay_id: recorded.version.to_string(),
            request_identifier: operation.asked.key.as_str().to_owned(),
            kind: record_type(&operation.asked.kind),
        })
    }
}
