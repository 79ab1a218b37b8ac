//! What bodies say of cards, bank accounts and stored methods.

use kessai_shared::bank::{AccountNumber, AccountType, BankAccount, BankType, EntryClass, HolderType};
use kessai_shared::card::{Card, CardType, Cvv, Expiry, Pan, Secret};
use kessai_shared::ids::{MethodId, MethodKind};
use kessai_shared::method::{self, CardCategory};
use kessai_shared::payment::Instrument;
use kessai_shared::payment::asked::{Address, OnFile};

use super::body::{COMMENTS, EMAIL, ID, NAME, account};
use super::members::Members;
use crate::problem::Problem;

// Sizes, in characters, of the fields that hold what is given.
const STREET: usize = 255;
const CITY: usize = 40;
const STATE: usize = 80;
const COUNTRY: usize = 80;
const POSTAL_CODE: usize = 20;
pub const GATEWAY_TOKEN: usize = 255;
pub const GATEWAY_TOKEN_DETAILS: usize = 1000;
pub const YEARS: std::ops::RangeInclusive<u16> = 2000..=2099;
/// The field is `InputCardNumber`: 19 digits and room for separators.
const CARD_NUMBER: usize = 32;

/// Which ways to pay an operation takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ways {
    Authorization,
    /// A stored method stands alone.
    Sale,
}

/// What is paid with, and what is to be kept of it.
pub struct Paying {
    pub instrument: Instrument,
    /// It is to be stored for later payments.
    pub saving: Option<Saving>,
}

/// A payment method to be stored beside a payment.
pub struct Saving {
    pub kind: MethodKind,
    pub facts: method::Facts,
    pub details: method::Details,
}

/// What is paid with: exactly one way.
pub fn paying(body: &mut Members<'_>, ways: Ways) -> Result<Paying, Problem> {
    let mut method = body.object("paymentMethod")?.ok_or_else(|| Problem::missing("paymentMethod"))?;
    let id = method.parsed("id", ID, "an id of 15 or 18 characters", MethodId::parse)?;
    let card = method.object("cardPaymentMethod")?;
    let alternative = method.object("alternativePaymentMethod")?;
    let address = method.object("address")?.map(address_of).transpose()?;
    let save = method.flag("saveForFuture")?;
    method.finish()?;
    let is_saved = save == Some(true);
    match (id, card, alternative) {
        (Some(id), None, None) => {
            let beside = [
                ("paymentMethod.address", address.is_some()),
                ("paymentMethod.saveForFuture", is_saved || (save.is_some() && ways == Ways::Sale)),
            ];
            match beside.into_iter().find(|(_, given)| *given) {
                Some((name, _)) => Err(Problem::invalid(name, "must not be given together with paymentMethod.id")),
                None => Ok(Paying { instrument: Instrument::Stored(OnFile::unopened(id)), saving: None }),
            }
        }
        (None, Some(body), None) => {
            let CardGiven { card, category, details } = card_of(body, Needs::Number)?;
            let facts = card.on_file(category);
            let saving =
                is_saved.then_some(Saving { kind: MethodKind::Card, facts: method::Facts::Card(facts), details });
            Ok(Paying {
                instrument: Instrument::Card { card: Box::new(card), address: address.unwrap_or_default() },
                saving,
            })
        }
        (None, None, Some(body)) => {
            let (instrument, details) = alternative_of(body, address.unwrap_or_default())?;
            let saving =
                is_saved.then_some(Saving { kind: MethodKind::Alternative, facts: method::Facts::Other, details });
            Ok(Paying { instrument, saving })
        }
        (None, None, None) => Err(Problem::missing("paymentMethod.id or paymentMethod.cardPaymentMethod")),
        (_, _, _) => {
            Err(Problem::invalid("paymentMethod", "must hold one of id, cardPaymentMethod and its alternatives"))
        }
    }
}

/// The schemes, by the wire's literals.
fn card_types() -> Vec<(&'static str, CardType)> {
    CardType::ALL.into_iter().map(|card_type| (card_type.literal(), card_type)).collect()
}

/// As the wire and its printed samples have it.
const CARD_CATEGORIES: [(&str, CardCategory); 4] = [
    ("CreditCard", CardCategory::Credit),
    ("DebitCard", CardCategory::Debit),
    ("Credit", CardCategory::Credit),
    ("Debit", CardCategory::Debit),
];

/// How much of a card must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// What a gateway needs to charge it.
    Number,
    /// All that a stored card is described by.
    Everything,
}

/// A card with what is said beside it.
pub struct CardGiven {
    pub card: Card,
    pub category: Option<CardCategory>,
    pub details: method::Details,
}

/// A card. The names that some callers send apart are checked and go no further.
pub fn card_of(mut body: Members<'_>, needs: Needs) -> Result<CardGiven, Problem> {
    let missing = |body: &Members<'_>, member| Problem::missing(&body.name(member));
    if needs == Needs::Everything {
        let names = ["cardCategory", "cardHolderFirstName", "cardHolderLastName", "cardHolderName", "cardType"];
        if let Some(member) = names.into_iter().find(|name| !body.holds(name)) {
            return Err(missing(&body, member));
        }
    }
    let number = body.parsed("cardNumber", CARD_NUMBER, "a card number with a right check digit", Pan::parse)?;
    let number = number.ok_or_else(|| missing(&body, "cardNumber"))?;
    let month = body.integer("expiryMonth", 1..=12)?.ok_or_else(|| missing(&body, "expiryMonth"))?;
    let year = body.integer("expiryYear", YEARS)?.ok_or_else(|| missing(&body, "expiryYear"))?;
    let holder = body.text("cardHolderName", NAME)?;
    let cvv = body.parsed("cvv", CARD_NUMBER, "3 or 4 digits", Cvv::parse)?;
    let card_type = body.literal("cardType", &card_types())?;
    let category = body.literal("cardCategory", &CARD_CATEGORIES)?;
    body.integer("startMonth", 1..=12)?;
    body.integer("startYear", YEARS)?;
    for name in ["cardHolderFirstName", "cardHolderLastName"] {
        body.text(name, NAME)?;
    }
    let details = method_details(&mut body)?;
    if let (Needs::Everything, Some(given), Some(scheme)) = (needs, card_type, number.scheme())
        && given != scheme
    {
        let name = body.name("cardType");
        return Err(Problem::invalid(&name, format!("must be {}, as the number has it", scheme.literal())));
    }
    body.finish()?;
    let expiry = Expiry { month: u8::try_from(month).unwrap_or(u8::MAX), year };
    let card_type = card_type.or_else(|| number.scheme());
    Ok(CardGiven { card: Card { number, expiry, cvv, holder, card_type }, category, details })
}

/// What is said of a stored method by the members of its own object.
fn method_details(body: &mut Members<'_>) -> Result<method::Details, Problem> {
    Ok(method::Details {
        account: account(body)?,
        nick_name: body.text("nickName", NAME)?,
        email: body.text("email", EMAIL)?,
        comments: body.text("comments", COMMENTS)?,
        auto_pay: body.flag("autoPay")?.unwrap_or(false),
        ..method::Details::default()
    })
}

/// The names of some literals.
fn literals<T: Copy>(all: &[T], literal: fn(T) -> &'static str) -> Vec<(&'static str, T)> {
    all.iter().map(|choice| (literal(*choice), *choice)).collect()
}

/// A bank account, as its scheme wants it.
pub fn bank_of(mut body: Members<'_>) -> Result<(BankAccount, method::Details), Problem> {
    let missing = |body: &Members<'_>, member| Problem::missing(&body.name(member));
    let number =
        body.parsed("accountNumber", AccountNumber::MAX, "4 to 34 letters and digits", AccountNumber::parse)?;
    let number = number.ok_or_else(|| missing(&body, "accountNumber"))?;
    let bank_type = body.literal("bankType", &literals(BankType::ALL, BankType::literal))?;
    let bank_type = bank_type.ok_or_else(|| missing(&body, "bankType"))?;
    let [first, last, whole] =
        ["accountHolderFirstName", "accountHolderLastName", "accountHolderName"].map(|name| body.text(name, NAME));
    let holder = match (first?, last?, whole?) {
        (_, _, Some(whole)) => Some(whole),
        (Some(first), Some(last), None) => Some(format!("{first} {last}")),
        (first, last, None) => first.or(last),
    };
    let account = BankAccount {
        number,
        bank_type,
        bank_code: body.text("bankCode", NAME)?,
        account_type: body.literal("accountType", &literals(AccountType::ALL, AccountType::literal))?,
        holder,
        holder_type: body.literal("accountHolderType", &literals(HolderType::ALL, HolderType::literal))?,
        entry_class: body.literal("standardEntryClassCode", &literals(EntryClass::ALL, EntryClass::literal))?,
        mandate: body.text("mandate", NAME)?,
    };
    let details = method_details(&mut body)?;
    if let Some((member, form)) = account.misfit() {
        return Err(Problem::invalid(&body.name(member), format!("must be {form} for {}", bank_type.literal())));
    }
    body.finish()?;
    Ok((account, details))
}

pub fn address_of(mut body: Members<'_>) -> Result<Address, Problem> {
    let address = Address {
        street: body.text("street", STREET)?,
        city: body.text("city", CITY)?,
        state: body.text("state", STATE)?,
        country: body.text("country", COUNTRY)?,
        postal_code: body.text("postalCode", POSTAL_CODE)?,
        company_name: body.text("companyName", NAME)?,
    };
    body.finish()?;
    Ok(address)
}

fn alternative_of(mut body: Members<'_>, address: Address) -> Result<(Instrument, method::Details), Problem> {
    let secret = |text: &str| Some(Secret::new(text.to_owned()));
    let token = body.parsed("gatewayToken", GATEWAY_TOKEN, "a token", secret)?;
    let instrument = Instrument::Alternative {
        token: token.ok_or_else(|| Problem::missing(&body.name("gatewayToken")))?,
        token_details: body.parsed("gatewayTokenDetails", GATEWAY_TOKEN_DETAILS, "a text", secret)?,
        name: body.text("name", NAME)?,
        email: body.text("email", EMAIL)?,
        address,
    };
    let account = account(&mut body)?;
    let comments = body.text("comments", COMMENTS)?;
    let (nick_name, email) = match &instrument {
        Instrument::Alternative { name, email, .. } => (name.clone(), email.clone()),
        Instrument::Stored(_) | Instrument::Card { .. } | Instrument::Bank { .. } => (None, None),
    };
    body.finish()?;
    Ok((instrument, method::Details { account, nick_name, email, comments, ..method::Details::default() }))
}
