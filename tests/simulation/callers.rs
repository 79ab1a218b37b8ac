//! Merchants: they ask, hear nothing, ask again under the same key, race each other, mistype, use a key
//! twice, give up and come back days later. They know only what an answer told them.

use std::borrow::Cow;

use kessai_functions::door::{Ask, Function};
use kessai_functions::event::{HttpAnswer, HttpEvent};
use kessai_functions::problem::Problem;
use kessai_functions::sandbox::{self, Kind, card_number, method_id};
use kessai_functions::{authorize, capture, post_auth, refund, reverse, sale};
use kessai_functions::wire::view::View;
use kessai_shared::card::{Card, Cvv, Expiry, Pan};
use kessai_shared::ids::{MethodId, Ordinal, PaymentId, PaymentKey, Record};
use kessai_shared::money::{Currency, Money};
use kessai_shared::payment::asked::{AccountId, Address, Amount, Details, Opening};
use kessai_shared::payment::{self, Action, IdempotencyKey, Instrument, Operation, Request};
use kessai_shared::shell::Reply;
use serde_json::Value;

use crate::chance::Fault;
use crate::plan::{Errand, Pays};
use crate::platform::cast;
use crate::story::Lane;
use crate::world::{Happening, START_MS, World};

/// How often a caller asks before it gives up for now.
const ASKS: u32 = 4;

/// The card of the sandbox that is no magic.
pub const CARD: &str = "4242424242424242";
/// Of another account, with the same first six and last four digits.
pub const OTHER_CARD: &str = "4242426000074242";
pub const CVV: &str = "7391";
const ACCOUNT: &str = "001000000000001";

/// How a request goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    AsMeant,
    /// With a slip that no server can take.
    Mistyped,
    /// Under the same key, but for another amount.
    Otherwise,
    /// Under the same key, but with a card that differs only in what is not stored of it.
    OtherCard,
}

/// How an errand goes, from its caller's side.
#[derive(Default)]
pub struct Caller {
    asks: u32,
    /// Requests of which nothing is known yet.
    running: u32,
    /// The id of the record, once an answer told it.
    record: Option<String>,
    is_final: bool,
    has_returned: bool,
    /// The status of each answer that it heard.
    pub heard: Vec<u16>,
    /// Of an authorization that a browser made: its id at the gateway.
    browser: Option<String>,
}

/// A request on its way.
pub struct Asking {
    pub errand: usize,
    pub how: How,
    pub function: &'static Function,
    /// The operation that it is about: where it is, or will be.
    pub place: Place,
}

/// How a request is put.
pub enum Letter {
    /// To the door.
    Http(HttpEvent),
    /// Behind it, as the door translates it.
    Translated(usize, Ask),
}

/// What a caller hears.
pub struct Heard {
    pub status: u16,
    /// It says what became of the operation, for good.
    pub is_final: bool,
    /// The record that it shows.
    pub record: Option<String>,
    pub said: Said,
}

/// The answer itself. Asked again, it must be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Text(String),
    Operation(Box<Operation>),
    Problem(Problem),
}

impl Heard {
    pub fn text(kind: &str, answer: HttpAnswer) -> Self {
        let is_pending = answer.body.contains(r#""status":"Pending""#);
        let shows = matches!(answer.status_code, 201 | 202);
        Self {
            status: answer.status_code,
            is_final: answer.status_code == 402 || answer.status_code == 201 && !is_pending,
            record: if shows { record_of(kind, &answer.body) } else { None },
            said: Said::Text(answer.body),
        }
    }

    pub fn reply(reply: Result<Reply, Problem>) -> Self {
        let reply = match reply {
            Ok(reply) => reply,
            Err(problem) => return Self::problem(problem),
        };
        let Some(view) = View::of(&reply.payment, reply.operation) else { return Self::problem(Problem::not_found()) };
        let Some(status) = view.http_status() else { return Self::problem(Problem::not_sent()) };
        let record = view.operation.record().id(reply.payment.id, reply.operation).to_string();
        let mut operation = view.operation.clone();
        // Contradictions are no part of an answer.
        operation.contradictions.clear();
        Self {
            status,
            is_final: operation.is_settled(),
            record: Some(record),
            said: Said::Operation(Box::new(operation)),
        }
    }

    fn problem(problem: Problem) -> Self {
        Self { status: problem.status, is_final: false, record: None, said: Said::Problem(problem) }
    }

    /// In a few words.
    pub fn gist(&self) -> String {
        let words = match &self.said {
            Said::Text(text) => {
                let names = [r#""errorCode":""#, r#""message":""#, r#""salesforceResultCode":""#, r#""status":""#];
                let word = |name: &str| Some(text.split_once(name)?.1.split('"').next()?.to_owned());
                names.into_iter().filter_map(word).collect::<Vec<_>>().join(", ")
            }
            Said::Operation(operation) => operation.state.status().to_owned(),
            Said::Problem(problem) => format!("{} {}", problem.code, problem.message),
        };
        format!("{} {words}", self.status)
    }
}

/// Where an operation is: in a payment, of a kind, under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub payment: PaymentKey,
    pub kind: &'static str,
    pub key: String,
    /// The operation that it acts on.
    pub on: Option<Ordinal>,
    pub amount: Option<i64>,
    pub pays: Option<Pays>,
    pub is_final: bool,
}

impl World {
    pub(crate) fn set_callers_going(&mut self) {
        for errand in 0..self.plan.errands.len() {
            if self.plan.errands[errand].kind == Kind::PostAuthorize {
                self.callers[errand].browser = Some(self.authorize_by_browser(errand));
            }
            if self.plan.errands[errand].on.is_none() {
                self.set_going(errand);
            }
        }
    }

    /// The buyer's browser obtains an authorization; the same for whoever registers it under the same key.
    fn authorize_by_browser(&mut self, errand: usize) -> String {
        let Errand { merchant, key, amount, .. } = self.plan.errands[errand];
        let twin = self.plan.errands[..errand]
            .iter()
            .position(|other| other.kind == Kind::PostAuthorize && (other.merchant, other.key) == (merchant, key));
        if let Some(id) = twin.and_then(|twin| self.callers[twin].browser.clone()) {
            return id;
        }
        let amount = amount.unwrap_or_default();
        let card = format!(r#"{{"number":"{CARD}","expiryMonth":12,"expiryYear":2030}}"#);
        let request = sandbox::Request {
            method: "POST".to_owned(),
            path: format!("/{}/client-authorizations", self.plan.class.name()),
            query: String::new(),
            idempotency_key: None,
            body: format!(r#"{{"amount":{amount},"currency":"USD","card":{card}}}"#).into_bytes(),
        };
        let reaction = self.gateway.handle(&request, START_MS);
        for record in &reaction.records {
            if let sandbox::Record::Operation(operation) = record {
                self.auditor.acted(operation, &self.table, &self.gateway, START_MS);
            }
        }
        let body: Value = serde_json::from_str(&reaction.answer.body).expect("the gateway's JSON");
        body["id"].as_str().expect("an id").to_owned()
    }

    fn set_going(&mut self, errand: usize) {
        let after = self.plan.errands[errand].after_ms;
        let mut at = after;
        if self.chance.strikes(Fault::CallerMistypes) {
            self.foresee_in(at, Happening::Asks { errand, how: How::Mistyped });
            at += 1_000;
        }
        self.foresee_in(at, Happening::Asks { errand, how: How::AsMeant });
        if self.chance.strikes(Fault::CallerImpatient) {
            let again = self.chance.millis(0..2_000);
            self.foresee_in(at + again, Happening::Asks { errand, how: How::AsMeant });
        }
        if self.chance.strikes(Fault::CallerReusesKey) {
            let when = self.chance.millis(0..60_000);
            self.foresee_in(after + when, Happening::Asks { errand, how: How::Otherwise });
        }
        let has_card = self.plan.errands[errand].on.is_none() && self.plan.errands[errand].pays == Pays::Card(0);
        if has_card && self.chance.strikes(Fault::CallerTakesOtherCard) {
            let when = self.chance.millis(0..60_000);
            self.foresee_in(after + when, Happening::Asks { errand, how: How::OtherCard });
        }
    }

    /// A caller sends its request.
    pub(crate) fn ask(&mut self, errand: usize, how: How) {
        if how == How::Mistyped && !self.plan.by_door {
            return;
        }
        let Some(asking) = self.asking(errand, how) else { return };
        self.callers[errand].asks += 1;
        self.callers[errand].running += 1;
        let letter = self.letter(&asking);
        let task = self.tasks.len();
        self.tell(Lane::Caller(errand), Lane::Worker(task), || {
            let Place { amount, key, pays, on, .. } = &asking.place;
            let amount = amount.map_or("all that is left".to_owned(), |minor| format!("{minor}"));
            let pays = pays.map_or(String::new(), |pays| format!(", {pays:?}"));
            let on = on.map_or(String::new(), |on| format!(" of operation {}", on.index()));
            format!("{}{on}: {amount} under {key}{pays}", asking.function.name)
        });
        self.start_asking(Box::new(asking), letter);
    }

    /// None while the record that it acts on is not known.
    fn asking(&self, errand: usize, how: How) -> Option<Asking> {
        let wanted = &self.plan.errands[errand];
        let key = format!("key-{}", wanted.key);
        let amount = match (how, wanted.amount) {
            (How::Otherwise, amount) => Some(amount.unwrap_or(1_000) - 7),
            (How::AsMeant | How::Mistyped | How::OtherCard, amount) => amount,
        };
        let merchant = cast().merchants[wanted.merchant];
        let (payment, on) = match wanted.on {
            Some(on) => {
                let record = self.callers[on].record.as_ref()?;
                let located = Record::ALL.into_iter().find_map(|kind| kind.locate(record));
                let (payment, on) = located.expect("an id that Kessai gave");
                (payment, Some(on))
            }
            None => (PaymentId::opened_by(&merchant, &IdempotencyKey::parse(&key)?), None),
        };
        let place = Place {
            payment: PaymentKey { merchant, payment },
            kind: wanted.kind.name(),
            key,
            on,
            amount,
            pays: on.is_none().then_some(if how == How::OtherCard { Pays::OtherCard } else { wanted.pays }),
            is_final: wanted.is_final,
        };
        Some(Asking { errand, how, function: function_of(wanted.kind), place })
    }

    fn letter(&self, asking: &Asking) -> Letter {
        let merchant = self.plan.errands[asking.errand].merchant;
        if !self.plan.by_door {
            return Letter::Translated(merchant, self.translated(asking));
        }
        let headers = [
            ("authorization", format!("Bearer {}", cast().api_keys[merchant].reveal())),
            ("content-type", "application/json".to_owned()),
            ("idempotency-key", asking.place.key.clone()),
        ];
        let Errand { on, kind, .. } = self.plan.errands[asking.errand];
        let parameter = if kind == Kind::Refund { "paymentId" } else { "authorizationId" };
        let record = on.and_then(|on| self.callers[on].record.clone());
        let body = self.body(asking);
        Letter::Http(HttpEvent {
            headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            path_parameters: record.into_iter().map(|record| (parameter.to_owned(), record)).collect(),
            body: Some(body.into()),
            ..HttpEvent::default()
        })
    }

    /// What the door would make of the letter.
    fn translated(&self, asking: &Asking) -> Ask {
        let Place { payment, key, on, amount, pays, is_final, .. } = &asking.place;
        let kind = self.plan.errands[asking.errand].kind;
        let amount = amount.and_then(|minor| Money::new(minor, dollars()).to_decimal());
        let mut request = Request {
            action: Action::Act(kind_of(kind, on.unwrap_or(Ordinal::FIRST), *is_final)),
            key: IdempotencyKey::parse(key).expect("a key"),
            amount: amount.map_or(Amount::Rest, Amount::Exactly),
            details: Details::default(),
        };
        let Some(pays) = pays else { return Ask::Act(payment.payment, request) };
        request.details.account = AccountId::parse(ACCOUNT);
        if let Some(id) = &self.callers[asking.errand].browser {
            request.details.additional_data.insert("reference".to_owned(), id.clone());
        }
        let kind = kind_of(kind, Ordinal::FIRST, false);
        let instrument = instrument_of(*pays);
        request.action = Action::Open(Opening { kind, gateway: cast().gateway, currency: dollars(), instrument });
        Ask::Open(request)
    }

    fn body(&self, asking: &Asking) -> String {
        let Asking { errand, how, place: Place { amount, pays, is_final, .. }, .. } = asking;
        let amount = match (*how, *amount) {
            (How::Mistyped, _) => r#""amount":"12,50""#.to_owned(),
            // The same amount is not always the same text.
            (_, Some(minor)) if self.callers[*errand].asks % 2 == 0 => format!(r#""amount": "{minor}e-2""#),
            (_, Some(minor)) => format!(r#""amount":{}.{:02}"#, minor / 100, minor % 100),
            (_, None) => return "{}".to_owned(),
        };
        let Some(pays) = *pays else {
            let last = if *is_final { r#","isFinalCapture":true"# } else { "" };
            return format!("{{{amount}{last}}}");
        };
        let gateway = cast().gateway;
        let method = match pays {
            Pays::Method(code) => format!(r#""id":"{}""#, method_id(code)),
            Pays::Card(_) | Pays::OtherCard => {
                let number = number_of(pays);
                let expiry = r#""expiryMonth":12,"expiryYear":2030"#;
                format!(r#""cardPaymentMethod":{{"cardNumber":"{number}",{expiry},"cvv":"{CVV}"}}"#)
            }
        };
        let more = match &self.callers[*errand].browser {
            Some(id) => format!(r#","additionalData":{{"reference":"{id}"}}"#),
            None => String::new(),
        };
        format!(
            r#"{{"accountId":"{ACCOUNT}",{amount},"currencyIsoCode":"USD","paymentGatewayId":"{gateway}","paymentMethod":{{{method}}}{more}}}"#
        )
    }

    /// An answer, or none where it never came.
    pub(crate) fn hear(&mut self, asking: &Asking, heard: Option<Heard>) {
        let errand = asking.errand;
        self.callers[errand].running -= 1;
        self.callers[errand].heard.extend(heard.as_ref().map(|heard| heard.status));
        if asking.how != How::AsMeant {
            return;
        }
        let Some(heard) = heard else { return self.try_again(errand, 30_000) };
        if let (Some(record), None) = (heard.record, &self.callers[errand].record) {
            self.callers[errand].record = Some(record);
            let depends = |other: &usize| self.plan.errands[*other].on == Some(errand);
            let depending: Vec<usize> = (0..self.plan.errands.len()).filter(depends).collect();
            depending.into_iter().for_each(|other| self.set_going(other));
        }
        match heard.status {
            _ if heard.is_final => {
                self.callers[errand].is_final = true;
                if self.callers[errand].asks < ASKS && self.chance.strikes(Fault::CallerAsksAgain) {
                    let when = if self.chance.one_in(4) { 2 * 86_400_000 } else { self.chance.millis(0..600_000) };
                    self.foresee_in(when, Happening::Asks { errand, how: How::AsMeant });
                }
            }
            201 | 202 => self.try_again(errand, 120_000),
            409 | 429 | 500..=599 => self.try_again(errand, 5_000),
            _ => {}
        }
    }

    /// Patience has an end; some come back to it days later.
    fn try_again(&mut self, errand: usize, within_ms: i64) {
        let Caller { asks, running, is_final, has_returned, .. } = self.callers[errand];
        if is_final || running > 0 || self.chance.strikes(Fault::CallerGivesUp) {
            return;
        }
        if asks < ASKS {
            let when = self.chance.millis(1_000..within_ms);
            return self.foresee_in(when, Happening::Asks { errand, how: How::AsMeant });
        }
        if !has_returned && self.chance.strikes(Fault::CallerReturns) {
            self.callers[errand].has_returned = true;
            let when = self.chance.millis(3_600_000..9 * 86_400_000);
            self.foresee_in(when, Happening::Asks { errand, how: How::AsMeant });
        }
    }
}

fn function_of(kind: Kind) -> &'static Function {
    match kind {
        Kind::Authorize => &authorize::FUNCTION,
        Kind::PostAuthorize => &post_auth::FUNCTION,
        Kind::Sale => &sale::FUNCTION,
        Kind::Capture => &capture::FUNCTION,
        Kind::Reverse => &reverse::FUNCTION,
        Kind::Refund => &refund::FUNCTION,
    }
}

fn kind_of(kind: Kind, on: Ordinal, is_final: bool) -> payment::Kind {
    match kind {
        Kind::Authorize => payment::Kind::Authorize,
        Kind::PostAuthorize => payment::Kind::PostAuthorize,
        Kind::Sale => payment::Kind::Sale,
        Kind::Capture => payment::Kind::Capture { authorization: on, is_final },
        Kind::Reverse => payment::Kind::Reverse { authorization: on },
        Kind::Refund => payment::Kind::Refund { payment: on, reason: None },
    }
}

fn dollars() -> Currency {
    Currency::parse("USD").expect("a currency")
}

fn instrument_of(pays: Pays) -> Instrument {
    match pays {
        Pays::Method(code) => Instrument::Stored(MethodId::parse(&method_id(code)).expect("an id")),
        Pays::Card(_) | Pays::OtherCard => {
            let card = Card {
                number: Pan::parse(&number_of(pays)).expect("a card number"),
                expiry: Expiry { month: 12, year: 2030 },
                cvv: Cvv::parse(CVV),
                holder: None,
                card_type: None,
            };
            Instrument::Card { card: Box::new(card), address: Address::default() }
        }
    }
}

/// The card; none for a stored method.
pub fn number_of(pays: Pays) -> Cow<'static, str> {
    match pays {
        Pays::Card(0) => CARD.into(),
        Pays::Card(code) => card_number(code).into(),
        Pays::OtherCard => OTHER_CARD.into(),
        Pays::Method(_) => "".into(),
    }
}

/// The id of the record that an answer shows.
fn record_of(kind: &str, body: &str) -> Option<String> {
    let prefix = match kind {
        "authorize" | "post-authorize" => "0Xc",
        "sale" | "capture" => "0aQ",
        "reverse" => "9tv",
        _ => "0cb",
    };
    let start = body.find(&format!(r#""id":"{prefix}"#))? + r#""id":""#.len();
    body.get(start..start + 18).map(str::to_owned)
}
