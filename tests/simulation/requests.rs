//! The requests that callers make: to the door as HTTP and JSON, or behind it as the door translates them.

use std::borrow::Cow;

use kessai_functions::door::Function;
use kessai_functions::event::HttpEvent;
use kessai_functions::sandbox::{Kind, card_number, method_id};
use kessai_functions::{authorize, capture, post_auth, refund, reverse, sale};
use kessai_shared::card::{Card, Cvv, Expiry, Pan};
use kessai_shared::ids::{MethodId, Ordinal, PaymentId, PaymentKey, Record};
use kessai_shared::money::{Currency, Money};
use kessai_shared::payment::asked::{AccountId, Address, Amount, Details, OnFile, Opening};
use kessai_shared::payment::{self, Action, IdempotencyKey, Instrument, Request};

use crate::cast::cast;
use crate::models::Played;
use crate::plan::{Errand, Pays};
use crate::table::version_of;
use crate::world::World;

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

/// A request on its way.
pub struct Asking {
    pub errand: usize,
    pub how: How,
    pub function: &'static Function,
    /// The operation that it is about: where it is, or will be.
    pub place: Place,
    pub started_ms: i64,
    /// The version of the payment that rested then.
    pub version: Option<u64>,
}

/// How a request is put.
pub enum Letter {
    /// To the door.
    Http(Box<HttpEvent>),
    /// Behind it, as the door translates it.
    Translated(usize, Box<Ask>),
}

/// What the door makes of a letter.
pub enum Ask {
    Open(Request),
    Act(PaymentId, Request),
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
    /// None while the record that it acts on is not known.
    pub(crate) fn asking(&self, errand: usize, how: How) -> Option<Asking> {
        let wanted = &self.plan.errands[errand];
        let key = format!("key-{}", wanted.key);
        let amount = match (how, wanted.amount) {
            (How::Otherwise, amount) => otherwise(amount),
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
        let version = self.table.find(place.payment).map(|row| version_of(&row.item));
        Some(Asking { errand, how, function: function_of(wanted.kind), place, started_ms: self.now_ms, version })
    }

    pub(crate) fn letter(&self, asking: &Asking) -> Letter {
        let merchant = self.plan.errands[asking.errand].merchant;
        if !self.plan.by_door {
            return Letter::Translated(merchant, Box::new(self.translated(asking)));
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
        Letter::Http(Box::new(HttpEvent {
            headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            path_parameters: record.into_iter().map(|record| (parameter.to_owned(), record)).collect(),
            body: Some(body.into()),
            ..HttpEvent::default()
        }))
    }

    /// What the door would make of the letter.
    fn translated(&self, asking: &Asking) -> Ask {
        let Place { payment, key, on, amount, pays, is_final, .. } = &asking.place;
        let kind = self.plan.errands[asking.errand].kind;
        let amount = amount.and_then(|minor| Money::new(minor, self.currency()).to_decimal());
        let mut request = Request {
            action: Action::Act(kind_of(kind, on.unwrap_or(Ordinal::FIRST), *is_final)),
            key: IdempotencyKey::parse(key).expect("a key"),
            amount: amount.map_or(Amount::Rest, Amount::Exactly),
            details: Details::default(),
        };
        let Some(pays) = pays else { return Ask::Act(payment.payment, request) };
        request.details.account = AccountId::parse(ACCOUNT);
        for (name, text) in self.additional_data(asking.errand) {
            request.details.additional_data.insert(name.to_owned(), text.to_owned());
        }
        let kind = kind_of(kind, Ordinal::FIRST, false);
        let instrument = instrument_of(*pays);
        request.action = Action::Open(Opening { kind, gateway: cast().gateway, currency: self.currency(), instrument });
        Ask::Open(request)
    }

    fn body(&self, asking: &Asking) -> String {
        let Asking { errand, how, place: Place { amount, pays, is_final, .. }, .. } = asking;
        let amount = match (*how, *amount) {
            (How::Mistyped, _) => r#""amount":"12,50""#.to_owned(),
            // The same amount is not always the same text.
            (_, Some(minor)) if self.currency().exponent() == 0 => format!(r#""amount":{minor}"#),
            (_, Some(minor)) if self.callers[*errand].asks.is_multiple_of(2) => format!(r#""amount": "{minor}e-2""#),
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
        let more: Vec<String> =
            self.additional_data(*errand).map(|(name, text)| format!(r#""{name}":"{text}""#)).collect();
        let more = match more.as_slice() {
            [] => String::new(),
            more => format!(r#","additionalData":{{{}}}"#, more.join(",")),
        };
        let currency = self.currency().code();
        format!(
            r#"{{"accountId":"{ACCOUNT}",{amount},"currencyIsoCode":"{currency}","paymentGatewayId":"{gateway}","paymentMethod":{{{method}}}{more}}}"#
        )
    }
}

impl World {
    fn currency(&self) -> Currency {
        self.plan.model.map_or_else(dollars, Played::currency)
    }

    /// What its caller adds to what opens a payment.
    fn additional_data(&self, errand: usize) -> impl Iterator<Item = (&str, &str)> {
        let browser = self.callers[errand].browser.as_deref().map(|id| ("reference", id));
        let wanted = self.plan.model.map_or(&[][..], |played| played.facts().details);
        browser.into_iter().chain(wanted.iter().copied())
    }
}

/// The amount that is asked for by mistake, under the same key: no magic, whatever was meant.
pub fn otherwise(amount: Option<i64>) -> Option<i64> {
    Some(amount.unwrap_or(1_000) - 70)
}

fn function_of(kind: Kind) -> &'static Function {
    match kind {
        Kind::Authorize => &authorize::FUNCTION,
        Kind::PostAuthorize => &post_auth::FUNCTION,
        Kind::Sale => &sale::FUNCTION,
        Kind::Capture => &capture::FUNCTION,
        Kind::Reverse => &reverse::FUNCTION,
        Kind::Refund => &refund::FUNCTION,
        Kind::Tokenize => unreachable!("no errand tokenizes"),
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
        Kind::Tokenize => unreachable!("no errand tokenizes"),
    }
}

fn dollars() -> Currency {
    Currency::parse("USD").expect("a currency")
}

fn instrument_of(pays: Pays) -> Instrument {
    match pays {
        Pays::Method(code) => Instrument::Stored(OnFile::unopened(MethodId::parse(&method_id(code)).expect("an id"))),
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
