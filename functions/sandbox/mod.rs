//! The sandbox gateway: a payment gateway for development and tests that really listens, really
//! hangs up, and really remembers.
//!
//! A merchant's software has to get right what happens when an answer does not come. The sandbox
//! makes that happen on demand: magic cards and amounts, scripted faults, and a ledger that shows
//! which money moved, so that anybody can see whether the asker was right. It **checks no balances
//! on purpose**. What it is asked is what happens: a second capture, a refund of more than was
//! paid, a capture of a declined authorization are all carried out and stand in the ledger.
//!
//! # Four gateways
//! One server plays four gateways, one for each way to find out what became of a lost request.
//!
//! | class | `Idempotency-Key` | can be asked by reference | reverses by reference |
//! |---|---|---|---|
//! | `keyed` | honoured for 24 h | yes | no |
//! | `look-up` | ignored | yes | no |
//! | `timeout-reversal` | ignored | no | yes |
//! | `none` | ignored | no | no |
//!
//! A key that comes again is answered as the first time and moves no money; while the first request
//! runs it is 409 `in_progress`, with other parameters or another path 422 `key_reused`. A request
//! that was not carried out leaves nothing under its key. Where keys are ignored, a second delivery
//! moves the money a second time.
//!
//! # Routes
//! | route | body or query |
//! |---|---|
//! | `POST /{class}/authorizations` | `reference, amount, currency`, one of `card`, `method`; `methodType`?, `merchantInitiated`? |
//! | `POST /{class}/authorizations/{id}/captures` | `reference, amount, currency`, `final`? |
//! | `POST /{class}/authorizations/{id}/reversals` | `reference, amount, currency` |
//! | `POST /{class}/sales` | as an authorization |
//! | `POST /{class}/payments/{id}/refunds` | `reference, amount, currency`, `reason`? |
//! | `POST /{class}/client-authorizations` | `amount, currency, card`: plays the buyer's browser |
//! | `POST /{class}/post-authorizations` | `reference, authorization, amount, currency` |
//! | `POST /{class}/tokens` | `reference` and one of `card`, `bankAccount`; `savedByMerchant`? |
//! | `GET /{class}/operations?reference=R` | every recorded operation of that reference |
//! | `POST /timeout-reversal/timeout-reversals` | `reference`: voids all that bears it |
//! | `GET`, `POST /{class}/challenges/{id}` | the payer's page; `result=approve` or `result=decline`, or that in JSON |
//! | `GET /notices?class=C` | what is or will be told unasked, and whether it was taken |
//! | `POST /notices/resend` | tells everything of the last three days again |
//! | `GET /ledger?reference=R` | all effects in order, or those of one reference |
//! | `GET`, `POST`, `DELETE /faults` | `{"next":[{"fault","class"?,"kind"?,"delayMs"?,"times"?}]}` |
//! | `GET /` | this, in short |
//!
//! Amounts are integers of minor units; `card` is `{"number","expiryMonth","expiryYear","cvc"?,
//! "holder"?}` and `bankAccount` `{"number","bankCode"?,"type"?,"holder"?}`, its number 4 to 34 of
//! `A-Z0-9`. `methodType` is a text of at most 60 characters; it and `"merchantInitiated":true` stand
//! in the ledger's line. An operation answers 200 with `{"id","reference","status","code","message",
//! "date"}` and, where it authorizes and is approved, `"authorizationCode"`; `status` is `approved`,
//! `accepted`, `declined` or `action_required`, and then `"action":{"url","expires"}` says where the
//! payer decides and until when. The payer decides once; where nobody did in time, it is declined (78).
//! What was approved and did not stand has `"failed":true` in a look-up and in the ledger, and
//! `"chargedBack"` is what a payer has back of it, for as long as it is so.
//!
//! A tokenization is an operation like the others, with keys and faults and look-ups, but it moves no
//! money and never stands in the ledger. Where it is approved its answer has `"token"`, and
//! `"savedByMerchant":true` where that was said. The token is a `method` in its own class from then
//! on, unless a timeout reversal undoes it.
//!
//! A post-authorization is approved when a browser obtained that authorization with that amount and
//! currency, and bears its id. After a timeout reversal everything that still comes under its
//! reference is declined (12). Errors are `{"code","message"}`.
//!
//! # Notices
//! Of every operation that bears a reference the gateway tells unasked what it has become: where it
//! was decided at once, right after its answer ([`NOTICE_MS`]), and else both that it is open and how
//! it ended; then whatever comes after. What a timeout reversal has ended is told of no more. A class
//! that was given a URL and a secret (`--notify`, `--notify-secret`) posts them as `{"sent","notices":
//! [item, …]}` under `x-sandbox-signature: t=<unix seconds>,v1=<HMAC-SHA-256 of "<t>.<body>" in
//! hexadecimal digits>`, with a `v1` for each secret. Any 2xx takes a notice; until then it is sent
//! again after 1, 2, 5, 15 and 60 s and every 60 s, for three days.
//!
//! | `event` | members |
//! |---|---|
//! | `operation` | those of the operation's answer as it is then |
//! | `failed` | `reference`, `id`, `notice` (names this fact), `code`, `message` |
//! | `dispute` | `reference`, `id`, `dispute` (names it), `stage`, `amount`, `code` |
//! | `ping` | none; asks only whether somebody listens |
//!
//! A dispute is `opened`, then `charged_back`, and then perhaps `reversed`.
//!
//! # Magic
//! A code means the same everywhere: as the last four digits of an amount in minor units (90.13
//! dollars, 9,013 yen), in a card ([`card_number`]), in a stored method ([`method_id`]: `03O` and
//! the code in twelve digits; three more characters may follow), in a token. The card or method is
//! asked first, then the amount. The method of code 0 and every other valid card approve; a number
//! that no card can have and an unknown method are declined (14). Expiry dates are not checked.
//!
//! A token is `tok_`, the code of its card and 32 hexadecimal digits; the code of a bank account is
//! the last four digits of its number, where they are one. Tokenizing declines at once what is wrong
//! with the data (9004, 9007), and accepts with the two codes that are about tokens alone (9026, 9027).
//! Every other code is approved and **strikes when the token is used**: the card of 9013 tokenizes
//! well, and its sale loses the answer.
//!
//! | code | name of the fault | what happens |
//! |---|---|---|
//! | 0 | `approve` | approves |
//! | 9001 | `decline` | declines; a later try may work (05) |
//! | 9002 | `permanent-decline` | declines for good (43) |
//! | 9003 | `insufficient-funds` | declines (51) |
//! | 9004 | `expired-card` | declines (54) |
//! | 9005 | `cvc-mismatch` | declines (82) |
//! | 9006 | `suspected-fraud` | declines (59) |
//! | 9007 | `invalid-card-data` | declines (14) |
//! | 9011 | `slow` | acts, answers after 3 s |
//! | 9012 | `lost-request` | does not act, closes the connection |
//! | 9013 | `lost-answer` | acts, closes the connection |
//! | 9014 | `error-before` | does not act, answers HTTP 500 |
//! | 9015 | `error-after` | acts, answers HTTP 500 |
//! | 9016 | `too-many-requests` | does not act, answers HTTP 429 |
//! | 9017 | `malformed-body` | acts, answers HTTP 200 with half a body |
//! | 9018 | `accepted-then-approved` | accepts, approves after 5 s |
//! | 9019 | `accepted-then-declined` | accepts, declines after 5 s (05) |
//! | 9020 | `silence` | acts, never answers |
//! | 9021 | `accepted-then-failed` | accepts, approves after 5 s, fails 5 s after that |
//! | 9022 | `action-required` | needs the payer, for 15 min |
//! | 9023 | `charged-back` | approves, dispute opened after 5 s, charged back after 10 s |
//! | 9024 | `dispute-won` | as 9023, reversed after 15 s |
//! | 9025 | `notice-first` | approves, and the notice is sent 1 s before the answer |
//! | 9026 | `token-accepted` | tokenizing accepts, approves after 5 s; all else approves |
//! | 9027 | `token-refused` | tokenizing accepts, declines after 5 s (05); all else approves |
//!
//! Only captures and sales are disputed, for they alone have taken money, and a token has no sequel.
//! Faults of the world (9011 to 9017, 9020 and 9025) strike by magic only the first delivery of an
//! operation (the same class and reference, or the same key), so that a second try gets through;
//! what a browser asks they do not strike, nor does a script. Declines and asynchronous acceptance
//! hold always. A **scripted** fault strikes the next delivery that it fits, first or not, replayed
//! or not. If it is a fault of the world, the card and the amount still decide the outcome; if it is
//! `approve`, a decline or an acceptance, it decides in their place. `delayMs` makes any of them
//! answer, or hang up, that much later, and its key is in progress until then; silence alone keeps no
//! key in progress. Requests that are refused as wrong use up no fault.
//! A fault of the kind `notice` strikes the next body that is sent unasked, and nothing else: `slow`,
//! `lost-request`, `lost-answer` (so that it comes twice) or `malformed-body`.
//!
//! # What is kept
//! With a data directory every record is written before its answer leaves, and a sandbox that starts
//! again goes on where it was, ids and known tokens included; scripts are forgotten. **No number of a
//! card or bank account, no CVC and no token is ever kept**: the number ends where the request is read,
//! and a token is made again from its record.
//!
//! # Rooms
//! `behaviour` is the table, `magic` finds its codes in amounts, cards and methods, and `token` makes
//! tokens of them; `route`, `order` and `fingerprint` read requests; `books` remembers what `record`
//! describes; `script` holds the faults to come, `aim` what they are meant for, and `treatment` what they do; `answer` and
//! `description` write bodies, `challenge` the payer's page, and `notice` what is told unasked. `model` puts them together into a [`Gateway`] that is a plain value
//! without clock, network or chance, so that a simulation can run the same one. `ledger` keeps records
//! in a file, `server` speaks HTTP, and `postman` sends the notices that are due in `outbox`.

mod aim;
mod answer;
mod behaviour;
mod books;
mod challenge;
mod description;
mod fingerprint;
#[cfg(feature = "local")]
mod ledger;
mod magic;
mod model;
mod notice;
mod order;
#[cfg(feature = "local")]
mod outbox;
#[cfg(feature = "local")]
mod postman;
mod record;
mod route;
mod script;
#[cfg(feature = "local")]
mod server;
mod token;
mod treatment;

#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use behaviour::{
    ACTION_MS, Behaviour, Decline, Ending, Fault, NOTICE_FIRST_MS, Row, SETTLEMENT_MS, SLOW_MS, TABLE, Verdict,
};
pub use books::KEY_WINDOW_MS;
pub use magic::{card_number, method_id, of_amount};
pub use model::{DEFAULT_URL, Delivery, Gateway, Reaction, Request, TELL_MS};
pub use notice::{Item, NOTICE_MS, Notice, SIGNATURE_HEADER, Stage, envelope, notice, notices, ping};
#[cfg(feature = "local")]
pub use postman::{Notify, Receivers};
pub use record::{Act, Decision, Effect, Operation, Outcome, Record, Resend, Reversal, Sequel, Taken, Unacted};
pub use route::{Class, Kind};
pub use script::Mishap;
#[cfg(feature = "local")]
pub use server::{Options, serve};

// What the models of gateways are served with, too.
#[cfg(feature = "local")]
pub(crate) use {
    order::object,
    outbox::Outbox,
    postman::{DELIVERIES_MAX, post},
    route::parameter,
    script::{Aim as AimOfScript, Script, can_strike_notices, choice},
    treatment::Treatment,
};
