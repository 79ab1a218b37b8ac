//! Payeezy (First Data), version 1.
//!
//! | we ask | Payeezy is asked |
//! |---|---|
//! | authorize, sale | `POST transactions`: `authorize`, `purchase` |
//! | capture, reverse, refund | `POST transactions/{transaction_id}`: `capture`, `void`, `refund` |
//! | a token | `POST transactions/tokens` |
//! | that a lost opening be undone | `POST transactions`: `void` by `reversal_id` |
//!
//! The gateway's address ends in `/v1`. Every request is signed over the bytes that are sent. Payeezy knows no request
//! again: there is no idempotency header, nothing can be looked up, and it tells nothing unasked. So each opening bears
//! our name as its `reversal_id`, by which it can be undone. Nothing like it is documented for captures, voids and
//! refunds: where the answer to one of these is lost, a person has to look.
//!
//! Its name for an operation is a `transaction_tag`, and a `transaction_id` beside it: both are kept, with the `method`
//! that the operation was made by, because what acts on it must name all three.
//!
//! # Members of `additionalData`
//! `isScheduled`: `true` where the merchant charges a stored method on a schedule. `cardbrandOriginalTransactionId`: the
//! card scheme's name for the payment by which the payer agreed to that.
//!
//! Sources: Payeezy's samples and libraries (`payeezy_direct_API`), Salesforce's reference adapter for Payeezy, and what
//! `ActiveMerchant` has recorded from Payeezy's sandbox.

mod admits;
mod answer;
mod send;
mod tokens;

use std::time::Duration;

use super::credential::tells_no_mode;
use super::{Adapter, Exchange, Member, TokenExchange};
use crate::payment::Reach;

pub const ADAPTER: Adapter = Adapter {
    name: "payeezy",
    credential: CREDENTIAL,
    admits: admits::admits,
    send: Exchange { encode: send::encode, decode: answer::decode },
    look_up: None,
    // The samples name `authorize` and `purchase` as what it is for.
    timeout_reversal: Some((
        Reach::Openings,
        Exchange { encode: send::encode_reversal, decode: answer::decode_reversal },
    )),
    tokenize: Some(TokenExchange {
        admits: tokens::admits,
        prepare: None,
        encode: tokens::encode,
        decode: tokens::decode,
    }),
    notice: None,
    judge: answer::declines::judge,
    key_window: None,
    // Only as numbered split shipments, whose count has to be known with the last of them.
    multi_capture: false,
    // Its first answer is its verdict.
    verdict_within: Duration::from_secs(5),
    rate: |_| None,
    // No request is documented that changes nothing and needs an account.
    check: None,
};

const API_KEY: &str = "apiKey";
const API_SECRET: &str = "apiSecret";
const TOKEN: &str = "token";
const TA_TOKEN: &str = "taToken";

const CREDENTIAL: &[Member] = &[
    Member { name: API_KEY, ..MEMBER },
    Member { name: API_SECRET, ..MEMBER },
    Member { name: TOKEN, ..MEMBER },
    // It stands in pages that browsers see.
    Member { name: TA_TOKEN, is_required: false, is_secret: false, ..MEMBER },
];

const MEMBER: Member = Member {
    name: "",
    is_required: true,
    fits: is_plain,
    form: "1 to 128 letters, digits and signs of ASCII, without spaces",
    is_secret: true,
    mode: tells_no_mode,
};

/// They stand in headers. What else they look like is not documented.
fn is_plain(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests;
