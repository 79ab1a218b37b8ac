//! The shapes of answers. Members without a value are left out; `view` fills them.

use kessai_shared::payment::PayerAction;
use serde::Serialize;
use serde_json::value::RawValue;

/// A number as the wire prints it.
pub(super) type Amount = Box<RawValue>;

/// The answer to every operation, and to the question how it stands.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gateway_response: Option<GatewayResponse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_multi_capture_supported: Option<bool>,
    #[serde(flatten)]
    pub(super) record: Option<RecordMember>,
    pub(super) payment_gateway_logs: Vec<GatewayLog>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment_group: Option<PaymentGroup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment_method: Option<PaymentMethod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) saved_payment_method_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pending: Option<PendingMember>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_action: Option<NextAction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<ErrorMember>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) operations: Option<Vec<Entry>>,
}

/// The record under the name of its kind.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum RecordMember {
    PaymentAuthorization(Fields),
    Payment(Fields),
    PaymentAuthAdjustment(Fields),
    Refund(Fields),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fields {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account_id: Option<String>,
    pub(super) amount: Amount,
    pub(super) currency_iso_code: &'static str,
    pub(super) effective_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expiration_date: Option<String>,
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) number: NumberMember,
    pub(super) request_date: String,
    pub(super) status: &'static str,
    #[serde(flatten)]
    pub(super) more: Option<Box<More>>,
}

/// The record's number under the name of its kind.
#[expect(clippy::enum_variant_names, reason = "these are the wire's names")]
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum NumberMember {
    PaymentAuthorizationNumber(String),
    PaymentNumber(String),
    PaymentAuthAdjustmentNumber(String),
    RefundNumber(String),
}

/// What only a reader of the record is told.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct More {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) payment_gateway_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment_authorization_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) balance: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total_payment_capture_amount: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total_auth_reversal_amount: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) available_to_capture_amount: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) impact_amount: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total_refund_amount: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) available_to_refund_amount: Option<Amount>,
    /// Only where a bank has taken something back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) charged_back_amount: Option<Amount>,
    /// It was approved, and did not stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failed_after_success: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comments: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_context: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mac_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phone: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GatewayResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gateway_authorization_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gateway_avs_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gateway_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gateway_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gateway_reference_details: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gateway_reference_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gateway_result_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gateway_result_code_description: Option<String>,
    /// A token of ours, never the gateway's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gateway_token_encrypted: Option<String>,
    pub(super) salesforce_result_code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment_method_details: Option<MethodDetails>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GatewayLog {
    pub(super) created_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gateway_result_code: Option<String>,
    pub(super) id: String,
    pub(super) interaction_status: &'static str,
    #[serde(flatten)]
    pub(super) more: Option<LogMore>,
}

/// What only a reader of the history is told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogMore {
    pub(super) interaction_type: &'static str,
    pub(super) is_notification: &'static str,
    pub(super) source: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentGroup {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) currency_iso_code: Option<&'static str>,
    pub(super) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source_object_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentMethod {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment_method_details: Option<MethodDetails>,
}

#[expect(clippy::enum_variant_names, reason = "these are the wire's names")]
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum MethodDetails {
    #[serde(rename_all = "camelCase")]
    CardPaymentMethod {
        #[serde(skip_serializing_if = "Option::is_none")]
        card_bin: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        card_category: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        card_last_four: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        card_type: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        display_card_number: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        expiry_month: Option<u8>,
        #[serde(skip_serializing_if = "Option::is_none")]
        expiry_year: Option<u16>,
    },
    #[serde(rename_all = "camelCase")]
    BankPaymentMethod {
        #[serde(skip_serializing_if = "Option::is_none")]
        account_holder_type: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        account_type: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        bank_code: Option<String>,
        bank_type: &'static str,
        last4: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        mandate: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        standard_entry_class_code: Option<&'static str>,
    },
    #[serde(rename_all = "camelCase")]
    AlternativePaymentMethod {
        #[serde(skip_serializing_if = "Option::is_none")]
        account_id: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        email: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorMember {
    pub(super) error_code: &'static str,
    pub(super) message: String,
}

/// What is to come of an operation that nobody knows the outcome of. Not in the wire format, which has no
/// word for it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PendingMember {
    pub(super) message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_check_date: Option<String>,
}

/// What the payer must do before there is a verdict. Not in the wire format of the functions here.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NextAction {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) url: String,
    pub(super) expires_date: String,
}

impl NextAction {
    pub(super) fn of(action: &PayerAction) -> Self {
        Self { kind: "Redirect", url: action.url.clone(), expires_date: action.expires_at.to_string() }
    }
}

/// What a gateway told after the verdict.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SequelEntry {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) gateway_reference_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gateway_result_code: Option<String>,
    pub(super) created_date: String,
}

/// One operation in the history of a record.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) amount: Amount,
    pub(super) status: &'static str,
    pub(super) salesforce_result_code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gateway_reference_number: Option<String>,
    pub(super) idempotency_key: String,
    pub(super) request_date: String,
    pub(super) payment_gateway_logs: Vec<GatewayLog>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) contradictions: Vec<GatewayLog>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) sequels: Vec<SequelEntry>,
}
