//! The parts of request bodies that several operations share.

use kessai_shared::card::{Card, CardType, Cvv, Expiry, Pan, Secret};
use kessai_shared::ids::{GatewayId, MethodId};
use kessai_shared::merchant::Merchant;
use kessai_shared::money::Currency;
use kessai_shared::payment::Instrument;
use kessai_shared::payment::asked::{AccountId, Address, Amount, Details, Group, Membership};

use super::members::Members;
use crate::problem::Problem;

// Sizes, in characters, of the fields that hold what is given.
const COMMENTS: usize = 1000;
const CLIENT_CONTEXT: usize = 2000;
const EMAIL: usize = 80;
const IP_ADDRESS: usize = 39;
const MAC_ADDRESS: usize = 32;
const PHONE: usize = 40;
const NAME: usize = 255;
const STREET: usize = 255;
const CITY: usize = 40;
const STATE: usize = 80;
const COUNTRY: usize = 80;
const POSTAL_CODE: usize = 20;
const GATEWAY_TOKEN: usize = 255;
const GATEWAY_TOKEN_DETAILS: usize = 1000;
const ID: usize = 255;
/// `additionalData`: this many pairs of texts of this size.
const ADDITIONAL_PAIRS: usize = 5;
const ADDITIONAL_TEXT: usize = 255;
/// The field is `InputCardNumber`: 19 digits and room for separators.
const CARD_NUMBER: usize = 32;
const YEARS: std::ops::RangeInclusive<u16> = 2000..=2099;

/// What may stand beside what an operation does.
pub fn details(body: &mut Members<'_>) -> Result<Details, Problem> {
    Ok(Details {
        account: account(body)?,
        effective_at: body.moment("effectiveDate")?,
        comments: body.text("comments", COMMENTS)?,
        client_context: None,
        email: body.text("email", EMAIL)?,
        ip_address: body.text("ipAddress", IP_ADDRESS)?,
        mac_address: body.text("macAddress", MAC_ADDRESS)?,
        phone: body.text("phone", PHONE)?,
        additional_data: body.texts("additionalData", ADDITIONAL_PAIRS, ADDITIONAL_TEXT)?,
        group: None,
        submitted_by_merchant: false,
    })
}

fn account(body: &mut Members<'_>) -> Result<Option<AccountId>, Problem> {
    body.parsed("accountId", AccountId::MAX, "1 to 64 of A-Z a-z 0-9 . _ -", AccountId::parse)
}

pub fn client_context(body: &mut Members<'_>) -> Result<Option<String>, Problem> {
    body.text("clientContext", CLIENT_CONTEXT)
}

/// The group that the record joins: a new one or an existing one, not both.
pub fn group(body: &mut Members<'_>) -> Result<Option<Group>, Problem> {
    let Some(mut group) = body.object("paymentGroup")? else { return Ok(None) };
    let create = group.flag("createPaymentGroup")?.unwrap_or(false);
    let source = group.text("sourceObjectId", ID)?;
    let existing = group.text("id", ID)?;
    let currency = group.currency("currencyIsoCode")?;
    let name = group.name("id");
    group.finish()?;
    if source.is_some() && !create {
        let name = "paymentGroup.sourceObjectId";
        return Err(Problem::invalid(name, "must be given together with createPaymentGroup only"));
    }
    let member = match (create, existing) {
        (true, Some(_)) => return Err(Problem::invalid(&name, "must not be given together with createPaymentGroup")),
        (true, None) => Membership::New { source },
        (false, Some(id)) => Membership::Existing { id },
        (false, None) => return Err(Problem::missing(&name)),
    };
    Ok(Some(Group { member, currency }))
}

pub fn exact_amount(body: &mut Members<'_>) -> Result<Amount, Problem> {
    body.decimal("amount")?.map(Amount::Exactly).ok_or_else(|| Problem::missing("amount"))
}

/// The currency of a request that opens a payment.
pub fn currency(body: &mut Members<'_>, merchant: &Merchant) -> Result<Currency, Problem> {
    let given = body.currency("currencyIsoCode")?;
    given.or(merchant.default_currency).ok_or_else(|| Problem::missing("currencyIsoCode"))
}

/// The gateway of a request that opens a payment: one of the merchant's.
pub fn gateway(body: &mut Members<'_>, merchant: &Merchant) -> Result<GatewayId, Problem> {
    let id = body.parsed("paymentGatewayId", ID, "an id of 15 or 18 characters", GatewayId::parse)?;
    let id = id.ok_or_else(|| Problem::missing("paymentGatewayId"))?;
    match merchant.gateways.contains_key(&id) {
        true => Ok(id),
        false => Err(Problem::invalid("paymentGatewayId", "is no payment gateway of this merchant")),
    }
}

/// Which ways to pay an operation takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ways {
    Authorization,
    /// A stored method stands alone.
    Sale,
    /// Also what a browser obtained from the gateway.
    PostAuthorization,
}

/// What is paid with: exactly one way.
pub fn instrument(body: &mut Members<'_>, ways: Ways) -> Result<Instrument, Problem> {
    let mut method = body.object("paymentMethod")?.ok_or_else(|| Problem::missing("paymentMethod"))?;
    let id = method.parsed("id", ID, "an id of 15 or 18 characters", MethodId::parse)?;
    let card = method.object("cardPaymentMethod")?;
    let alternative = match ways {
        Ways::Authorization | Ways::Sale => None,
        Ways::PostAuthorization => method.object("alternativePaymentMethod")?,
    };
    let address = method.object("address")?.map(address_of).transpose()?;
    let save = method.flag("saveForFuture")?;
    method.finish()?;
    if save == Some(true) {
        return Err(Problem::invalid(
            "paymentMethod.saveForFuture",
            "must be false: nothing stores payment methods yet",
        ));
    }
    match (id, card, alternative) {
        (Some(id), None, None) => {
            let beside = [
                ("paymentMethod.address", address.is_some()),
                ("paymentMethod.saveForFuture", save.is_some() && ways == Ways::Sale),
            ];
            match beside.into_iter().find(|(_, given)| *given) {
                Some((name, _)) => Err(Problem::invalid(name, "must not be given together with paymentMethod.id")),
                None => Ok(Instrument::Stored(id)),
            }
        }
        (None, Some(body), None) => {
            Ok(Instrument::Card { card: Box::new(card_of(body)?), address: address.unwrap_or_default() })
        }
        (None, None, Some(body)) => alternative_of(body, address.unwrap_or_default()),
        (None, None, None) => Err(Problem::missing("paymentMethod.id or paymentMethod.cardPaymentMethod")),
        (_, _, _) => {
            Err(Problem::invalid("paymentMethod", "must hold one of id, cardPaymentMethod and its alternatives"))
        }
    }
}

const CARD_TYPES: [(&str, CardType); 6] = [
    ("AmericanExpress", CardType::AmericanExpress),
    ("DinersClub", CardType::DinersClub),
    ("Jcb", CardType::Jcb),
    ("Maestro", CardType::Maestro),
    ("MasterCard", CardType::MasterCard),
    ("Visa", CardType::Visa),
];

/// A card. Only what a gateway needs is required; the names and the category that some callers send are
/// checked and go no further.
fn card_of(mut body: Members<'_>) -> Result<Card, Problem> {
    let missing = |body: &Members<'_>, member| Problem::missing(&body.name(member));
    let number = body.parsed("cardNumber", CARD_NUMBER, "a card number with a right check digit", Pan::parse)?;
    let number = number.ok_or_else(|| missing(&body, "cardNumber"))?;
    let month = body.integer("expiryMonth", 1..=12)?.ok_or_else(|| missing(&body, "expiryMonth"))?;
    let year = body.integer("expiryYear", YEARS)?.ok_or_else(|| missing(&body, "expiryYear"))?;
    let holder = body.text("cardHolderName", NAME)?;
    let cvv = body.parsed("cvv", CARD_NUMBER, "3 or 4 digits", Cvv::parse)?;
    let card_type = body.literal("cardType", &CARD_TYPES)?;
    body.literal("cardCategory", &[("CreditCard", ()), ("DebitCard", ()), ("Credit", ()), ("Debit", ())])?;
    account(&mut body)?;
    body.integer("startMonth", 1..=12)?;
    body.integer("startYear", YEARS)?;
    body.flag("autoPay")?;
    body.text("comments", COMMENTS)?;
    body.text("email", EMAIL)?;
    for name in ["cardHolderFirstName", "cardHolderLastName", "nickName"] {
        body.text(name, NAME)?;
    }
    body.finish()?;
    let expiry = Expiry { month: u8::try_from(month).unwrap_or(u8::MAX), year };
    Ok(Card { number, expiry, cvv, holder, card_type })
}

fn address_of(mut body: Members<'_>) -> Result<Address, Problem> {
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

fn alternative_of(mut body: Members<'_>, address: Address) -> Result<Instrument, Problem> {
    let secret = |text: &str| Some(Secret::new(text.to_owned()));
    let token = body.parsed("gatewayToken", GATEWAY_TOKEN, "a token", secret)?;
    let instrument = Instrument::Alternative {
        token: token.ok_or_else(|| Problem::missing(&body.name("gatewayToken")))?,
        token_details: body.parsed("gatewayTokenDetails", GATEWAY_TOKEN_DETAILS, "a text", secret)?,
        name: body.text("name", NAME)?,
        email: body.text("email", EMAIL)?,
        address,
    };
    account(&mut body)?;
    body.text("comments", COMMENTS)?;
    body.finish()?;
    Ok(instrument)
}
