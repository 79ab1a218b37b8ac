//! KOMOJU: cards, convenience stores, bank transfers and wallets of Japan and its neighbours.
//!
//! A payment is one resource: what opens it makes it (`POST /payments`), and what follows acts on it by its id. Only a
//! refund has an id of its own. So a sale, a hold, its capture and its reversal all bear the payment's id, and a refund
//! goes to the payment whichever of them it gives back.
//!
//! | operation | request |
//! |---|---|
//! | authorize, sale | `POST /payments` with `capture` false, true |
//! | post-authorize | `GET /payments/{reference}`: a payment that a hosted page has made |
//! | capture | `POST /payments/{id}/capture` with `amount`, once |
//! | reverse | `POST /payments/{id}/cancel`, the whole |
//! | refund | `POST /payments/{id}/refund`, or `/refund_request` where money goes back by bank |
//! | tokenize | `POST /customers` |
//! | look-up | `GET /payments/{id}` |
//!
//! `authorized` is two things: of a card, that its amount is held; of what is paid at a store or a bank, that KOMOJU waits
//! for the payer, who has until `payment_deadline`. The second is no hold: it cannot be captured, and is sold alone.
//!
//! What callers say in `additionalData`:
//!
//! | member | for | what it is |
//! |---|---|---|
//! | `paymentMethodType` | sale by an alternative method | KOMOJU's type, such as `konbini`; without it the token is sent |
//! | `store` | `konbini` | the chain, such as `lawson` |
//! | `givenName`, `familyName`, `givenNameKana`, `familyNameKana` | `bank_transfer`, `pay_easy` | who pays |
//! | `returnUrl` | authorize, sale | where the payer comes back to |
//! | `schemeReference` | a card that the merchant charges | the first payment's, by the card scheme |
//! | `reference` | post-authorize | the payment's id |
//! | `customerName`, `bankName`, `branchNumber`, `accountType`, `accountNumber` | refund by bank | whose account it is |
//! | `bankCode`, `branchName`, `includePaymentMethodFee` | refund by bank | more of it, once a request takes more than five pairs |
//!
//! Our reference stands in `external_order_num` and `metadata.reference` of a payment, in `description` of a refund, in
//! `metadata.reference` of a customer. Captures and reversals have no place for one: nothing is told of them by name.
//!
//! Sources: KOMOJU's documentation (doc.komoju.com), its libraries for Node and Ruby, its plug-ins for WooCommerce and for
//! Salesforce Commerce Cloud, ActiveMerchant. Where they are silent, the place that decides says so.

mod admits;
mod answer;
mod methods;
mod notice;
mod payment;
mod send;
mod tokens;

use std::time::Duration;

use super::credential::tells_no_mode;
use super::{Adapter, Check, Exchange, Member, TokenExchange};
use crate::payment::Reach;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// KOMOJU documents that a key is valid for 24 hours at most, and no least time: that it may forget one sooner is not
/// excluded, and then a repeated request would be a second one. What follow-up and callers repeat is mostly repeated within
/// minutes, so this counts on two hours, of which the last is not used.
const KEY_WINDOW: Duration = Duration::from_secs(2 * 60 * 60);

pub const KOMOJU: Adapter = Adapter {
    name: "komoju",
    credential: CREDENTIAL,
    admits: admits::admits,
    send: Exchange { encode: send::encode, decode: answer::decode },
    // Payments can be listed by our reference too, but nobody says how soon one is listed.
    look_up: Some((Reach::Named, Exchange { encode: send::encode_look_up, decode: answer::decode_look_up })),
    timeout_reversal: None,
    tokenize: Some(TokenExchange {
        admits: tokens::admits,
        prepare: None,
        encode: tokens::encode,
        decode: tokens::decode,
    }),
    notice: Some(notice::CODEC),
    judge: answer::judge,
    key_window: Some(KEY_WINDOW),
    // "Captures a payment", whole or in part, and then it is captured: there is no status between.
    multi_capture: false,
    // A refund by bank is made by hand, within two working days.
    verdict_within: DAY,
    rate: |_| None,
    check: Some(Check { encode: methods::encode, decode: methods::decode }),
};

const SECRET_KEY: &str = "secretKey";
const API_VERSION: &str = "apiVersion";

const CREDENTIAL: &[Member] = &[
    Member {
        name: SECRET_KEY,
        is_required: true,
        fits: |text| {
            !text.is_empty()
                && !text.starts_with("pk_")
                && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':')
        },
        form: "the secret key of the account, such as sk_…",
        is_secret: true,
        mode: tells_no_mode,
    },
    Member {
        name: API_VERSION,
        is_required: false,
        fits: is_date,
        form: "a version of the API: YYYY-MM-DD",
        is_secret: false,
        mode: tells_no_mode,
    },
];

fn is_date(text: &str) -> bool {
    let fits = |(place, byte): (usize, u8)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(fits)
}

#[cfg(test)]
mod tests;
