//! What is refused at once, in Adyen's codes.
//!
//! Sources: the examples of Adyen's OpenAPI documents, and "Error codes and messages" of its documentation.

use std::borrow::Cow;

use serde_json::json;

use super::super::Answer;

/// Status, code, message and type of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    message: Cow<'static, str>,
    error_type: &'static str,
}

const fn invalid(code: &'static str, message: &'static str) -> Refusal {
    Refusal { status: 422, code, message: Cow::Borrowed(message), error_type: "validation" }
}

impl Refusal {
    pub const UNAUTHORISED: Self = Self {
        status: 401,
        code: "000",
        message: Cow::Borrowed("HTTP Status Response - Unauthorized"),
        error_type: "security",
    };
    pub const NO_MERCHANT: Self =
        Self { status: 403, code: "901", message: Cow::Borrowed("Invalid Merchant Account"), error_type: "security" };
    pub const NOT_THERE: Self = Self {
        status: 404,
        code: "000",
        message: Cow::Borrowed("HTTP Status Response - Not Found"),
        error_type: "validation",
    };
    pub const NO_AMOUNT: Self = invalid("100", "No amount specified");
    pub const NO_CARD_NUMBER: Self = invalid("101", "Invalid card number");
    pub const NO_CVC: Self = invalid("103", "CVC is not the right length");
    pub const NO_EXPIRY: Self = invalid("129", "Expiry Date Invalid");
    pub const NO_REFERENCE: Self = invalid("130", "Reference Missing");
    pub const WRONG_AMOUNT: Self = invalid("137", "Invalid amount specified");
    pub const NO_CURRENCY: Self = invalid("138", "Unsupported currency specified");
    pub const NO_PAYMENT: Self = invalid("167", "Original pspReference required for this operation");
    pub const IN_PROGRESS: Self = invalid("704", "request already processed or in progress");
    pub const NO_METHOD: Self = invalid("803", "PaymentDetail not found");
    pub const NO_RETURN_URL: Self = invalid("14_030", "Return URL is missing.");

    /// A member that should not be there, or not like this.
    pub fn unexpected(what: &str) -> Self {
        let message = Cow::Owned(format!("Unexpected input: {what}"));
        Self { status: 400, code: "702", message, error_type: "validation" }
    }

    pub fn answer(self) -> Answer {
        let Self { status, code, message, error_type } = self;
        let body = json!({"status": status, "errorCode": code, "message": message, "errorType": error_type});
        Answer::json(status, &body)
    }
}
