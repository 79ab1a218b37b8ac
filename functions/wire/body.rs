//! The parts of request bodies that several operations share.

use kessai_shared::ids::GatewayId;
use kessai_shared::merchant::Merchant;
use kessai_shared::method;
use kessai_shared::money::Currency;
use kessai_shared::payment::asked::{AccountId, Amount, Details, Group, Membership};

use super::members::Members;
use crate::problem::Problem;

// Sizes, in characters, of the fields that hold what is given.
pub const COMMENTS: usize = 1000;
const CLIENT_CONTEXT: usize = 2000;
pub const EMAIL: usize = 80;
const IP_ADDRESS: usize = 39;
const MAC_ADDRESS: usize = 32;
const PHONE: usize = 40;
pub const NAME: usize = 255;
pub const ID: usize = 255;
/// `additionalData`: this many pairs of texts of this size.
const ADDITIONAL_PAIRS: usize = 5;
const ADDITIONAL_TEXT: usize = 255;

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

/// What a request may say about who sent it.
pub fn sender(body: &mut Members<'_>) -> Result<method::Sender, Problem> {
    Ok(method::Sender {
        email: body.text("email", EMAIL)?,
        ip_address: body.text("ipAddress", IP_ADDRESS)?,
        mac_address: body.text("macAddress", MAC_ADDRESS)?,
        phone: body.text("phone", PHONE)?,
        additional_data: body.texts("additionalData", ADDITIONAL_PAIRS, ADDITIONAL_TEXT)?,
    })
}

pub fn account(body: &mut Members<'_>) -> Result<Option<AccountId>, Problem> {
    account_named(body, "accountId")
}

pub fn account_named(body: &mut Members<'_>, name: &str) -> Result<Option<AccountId>, Problem> {
    body.parsed(name, AccountId::MAX, "1 to 64 of A-Z a-z 0-9 . _ -", AccountId::parse)
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
    own_gateway(body, "paymentGatewayId", merchant)?.ok_or_else(|| Problem::missing("paymentGatewayId"))
}

/// One of the merchant's gateways, where one is named.
pub fn own_gateway(body: &mut Members<'_>, name: &str, merchant: &Merchant) -> Result<Option<GatewayId>, Problem> {
    let id = body.parsed(name, ID, "an id of 15 or 18 characters", GatewayId::parse)?;
    match id {
        Some(id) if !merchant.gateways.contains_key(&id) => {
            Err(Problem::invalid(name, "is no payment gateway of this merchant"))
        }
        id => Ok(id),
    }
}

pub fn nick_name(body: &mut Members<'_>) -> Result<Option<String>, Problem> {
    body.text("nickName", NAME)
}
