//! A stored method whose token the merchant has already, or that needs none, such as cash on delivery.

use std::ops::RangeInclusive;

use kessai_shared::card::{CardType, Expiry, Secret};
use kessai_shared::ids::{MethodId, MethodKind};
use kessai_shared::method::{Asked, CardCategory, CardOnFile, Details, Facts, ProcessingMode, Status};
use kessai_shared::payment::Instrument;
use kessai_shared::payment::asked::{Address, OnFile};
use kessai_shared::vault::Asking;

use super::{Call, see};
use crate::door::Subject;
use crate::event::HttpAnswer;
use crate::problem::Problem;
use crate::wire::body;
use crate::wire::instrument;
use crate::wire::members::Members;

/// Sizes of the fields that only these records have.
const RECORD_TYPE: usize = 80;
const GATEWAY_TOKEN_ENCRYPTED: usize = 1000;

/// The ways to pay that the wire names.
const METHOD_TYPES: [&str; 19] = [
    "AfterpayClearpay",
    "AmericanExpress",
    "ApplePay",
    "BanContact",
    "DinersClub",
    "Discover",
    "EPS",
    "GooglePay",
    "Jcb",
    "Klarna",
    "Maestro",
    "MasterCard",
    "Other",
    "PayPal",
    "SepaDebit",
    "UnionPay",
    "Venmo",
    "Visa",
    "iDeal",
];

pub(super) async fn serve(call: &Call<'_>, kind: MethodKind, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    let text = call.event.json_body()?;
    let mut members = Members::parse_any_case(&text)?;
    let key = call.key(&mut members)?;
    let (facts, instrument_facts) = (facts(&mut members, kind)?, token(&mut members)?);
    let status = members.literal("Status", &Status::ALL.map(|status| (status.literal(), status)))?;
    let mut details = details(&mut members)?;
    let gateway = body::own_gateway(&mut members, "PaymentGatewayId", &call.merchant)?;
    members.finish()?;
    let known = gateway.and_then(|gateway| call.merchant.gateway_type(gateway, kind, details.record_type.as_deref()));
    details.gateway_type = known.map(str::to_owned);
    let id = MethodId::made_by(kind, &call.merchant.id, &key);
    let instrument = instrument_facts.unwrap_or_else(|| Instrument::Stored(OnFile::unopened(id)));
    let asked = Asked { kind, key, gateway, facts, details };
    let asking = Asking { merchant: call.merchant.id, id, asked, instrument };
    let (status, wanted) = (status.unwrap_or(Status::Active), call.merchant.wanted());
    let kept = call.app.shell.keep(&asking, status, wanted, call.deadline).await?;
    see(subject, &kept.method, kept.replayed);
    let answer = HttpAnswer::json(201, format!(r#"{{"id":"{id}","success":true,"errors":[]}}"#));
    Ok(if kept.replayed { answer.with_header("idempotent-replayed", "true") } else { answer })
}

/// The token, under one of two names: at rest it is sealed either way.
fn token(members: &mut Members<'_>) -> Result<Option<Instrument>, Problem> {
    let secret = |text: &str| Some(Secret::new(text.to_owned()));
    let plain = members.parsed("GatewayToken", instrument::GATEWAY_TOKEN, "a token", secret)?;
    let encrypted = members.parsed("GatewayTokenEncrypted", GATEWAY_TOKEN_ENCRYPTED, "a token", secret)?;
    let token_details = members.parsed("GatewayTokenDetails", instrument::GATEWAY_TOKEN_DETAILS, "a text", secret)?;
    let token = match (plain, encrypted) {
        (Some(_), Some(_)) => {
            return Err(Problem::invalid("GatewayTokenEncrypted", "must not be given together with GatewayToken"));
        }
        (plain, encrypted) => plain.or(encrypted),
    };
    let address = Address::default();
    Ok(token.map(|token| Instrument::Alternative { token, token_details, name: None, email: None, address }))
}

fn facts(members: &mut Members<'_>, kind: MethodKind) -> Result<Facts, Problem> {
    match kind {
        MethodKind::Card => {}
        MethodKind::DigitalWallet | MethodKind::Alternative | MethodKind::Saved => return Ok(Facts::Other),
    }
    let month = members.integer("ExpiryMonth", 1..=12)?;
    let year = members.integer("ExpiryYear", instrument::YEARS)?;
    let expiry = match (month, year) {
        (Some(month), Some(year)) => Some(Expiry { month: u8::try_from(month).unwrap_or(u8::MAX), year }),
        (None, None) => None,
        (Some(_), None) => return Err(Problem::missing("ExpiryYear")),
        (None, Some(_)) => return Err(Problem::missing("ExpiryMonth")),
    };
    let types = CardType::ALL.map(|card_type| (card_type.literal(), card_type));
    let card_type = members.literal("CardType", &types)?.or(members.literal("CardTypeCategory", &types)?);
    Ok(Facts::Card(CardOnFile {
        bin: digits(members, "CardBin", 4..=6)?,
        last_four: digits(members, "CardLastFour", 4..=4)?,
        expiry,
        card_type,
        category: members.literal("CardCategory", &CardCategory::ALL.map(|known| (known.literal(), known)))?,
    }))
}

/// So many digits, as a number or as text: leading zeros count. Of a short card number fewer than six may be known.
fn digits(members: &mut Members<'_>, name: &str, count: RangeInclusive<usize>) -> Result<Option<String>, Problem> {
    let Some(digits) = members.digits(name)? else { return Ok(None) };
    if count.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Some(digits));
    }
    Err(Problem::invalid(name, format!("must be {} to {} digits", count.start(), count.end())))
}

fn details(members: &mut Members<'_>) -> Result<Details, Problem> {
    let modes = ProcessingMode::ALL.map(|mode| (mode.literal(), mode));
    let types = METHOD_TYPES.map(|name| (name, name));
    Ok(Details {
        account: body::account_named(members, "AccountId")?,
        nick_name: members.text("NickName", body::NAME)?,
        email: members.text("Email", body::EMAIL)?,
        comments: members.text("Comments", body::COMMENTS)?,
        company_name: members.text("CompanyName", body::NAME)?,
        auto_pay: members.flag("IsAutoPayEnabled")?.unwrap_or(false),
        processing_mode: members.literal("ProcessingMode", &modes)?.unwrap_or_default(),
        record_type: members.text("RecordTypeId", RECORD_TYPE)?,
        method_type: members.literal("PaymentMethodType", &types)?.map(str::to_owned),
        ..Details::default()
    })
}
