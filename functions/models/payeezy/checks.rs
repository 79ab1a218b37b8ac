//! What Payeezy refuses for its form, before it looks into its books.

use kessai_shared::card::Pan;
use kessai_shared::money::Currency;
use kessai_shared::time::Timestamp;
use serde_json::Value;

/// Why something is not processed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub code: String,
    pub description: String,
}

impl Refused {
    pub fn missing(member: &str) -> Self {
        Self { code: format!("missing_{member}"), description: format!("The {} is not provided", spoken(member)) }
    }

    pub fn invalid(member: &str) -> Self {
        Self { code: format!("invalid_{member}"), description: format!("The {} provided is invalid", spoken(member)) }
    }

    /// By the books, with Payeezy's number for it.
    pub fn by_books(number: &str, meaning: &str) -> Self {
        let description = format!("ProcessedBad Request ({number}) - {meaning}");
        Self { code: "server_error".to_owned(), description }
    }

    fn card_number() -> Self {
        let description = "The credit card number check failed".to_owned();
        Self { code: "invalid_card_number".to_owned(), description }
    }

    fn expired() -> Self {
        Self { code: "card_expired".to_owned(), description: "The card has expired".to_owned() }
    }
}

fn spoken(member: &str) -> String {
    member.replace('_', " ")
}

/// A member that is a text, and not an empty one.
pub fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn object<'a>(body: &'a Value, name: &str) -> Result<&'a Value, Refused> {
    body.get(name).filter(|member| member.is_object()).ok_or(Refused::missing(name))
}

fn required<'a>(body: &'a Value, name: &str) -> Result<&'a str, Refused> {
    match body.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(Value::String(_) | Value::Null) | None => Err(Refused::missing(name)),
        Some(_) => Err(Refused::invalid(name)),
    }
}

/// What every transaction says.
pub struct Asked<'a> {
    pub transaction_type: &'a str,
    pub method: &'a str,
    pub minor: i64,
    pub currency: &'a str,
    pub merchant_ref: &'a str,
    pub reversal_id: Option<&'a str>,
}

impl<'a> Asked<'a> {
    pub fn of(body: &'a Value) -> Result<Self, Refused> {
        let transaction_type = required(body, "transaction_type")?;
        let method = required(body, "method")?;
        let amount = required(body, "amount")?;
        let digits = amount.bytes().all(|byte| byte.is_ascii_digit()).then(|| amount.parse().ok()).flatten();
        let minor = digits.filter(|minor| *minor > 0).ok_or(Refused::invalid("amount"))?;
        let currency = required(body, "currency_code")?;
        if Currency::parse(currency).is_none() {
            return Err(Refused::invalid("currency_code"));
        }
        Ok(Self {
            transaction_type,
            method,
            minor,
            currency,
            merchant_ref: text(body, "merchant_ref").unwrap_or_default(),
            reversal_id: text(body, "reversal_id"),
        })
    }
}

/// A card, or what a token stands for.
#[derive(Clone, Debug)]
pub struct PaidWith {
    pub card_type: String,
    pub holder: String,
    pub last_four: String,
    pub exp_date: String,
    pub has_cvv: bool,
}

/// What a payment is made with, where that can be.
pub fn paid_with(body: &Value, now_ms: i64, is_token: impl Fn(&str) -> bool) -> Result<PaidWith, Refused> {
    stored_credentials(body)?;
    match text(body, "method") {
        Some("credit_card") => card(object(body, "credit_card")?, now_ms),
        Some("token") => {
            let token = object(body, "token")?;
            if required(token, "token_type")? != "FDToken" {
                return Err(Refused::invalid("token_type"));
            }
            let data = object(token, "token_data")?;
            let value = required(data, "value")?;
            let paid = described(data, value, now_ms)?;
            required(data, "cardholder_name")?;
            if is_token(value) { Ok(paid) } else { Err(Refused::invalid("token")) }
        }
        _ => Err(Refused::invalid("method")),
    }
}

/// What is to be kept, where that can be.
pub fn kept(body: &Value, now_ms: i64) -> Result<PaidWith, Refused> {
    if required(body, "type")? != "FDToken" {
        return Err(Refused::invalid("type"));
    }
    if !["true", "false"].contains(&required(body, "auth")?) {
        return Err(Refused::invalid("auth"));
    }
    let credit_card = object(body, "credit_card")?;
    required(credit_card, "cardholder_name")?;
    required(credit_card, "cvv")?;
    card(credit_card, now_ms)
}

fn card(card: &Value, now_ms: i64) -> Result<PaidWith, Refused> {
    let number = required(card, "card_number")?;
    if Pan::parse(number).is_none() {
        return Err(Refused::card_number());
    }
    if text(card, "cvv").is_some_and(|cvv| !(3..=4).contains(&cvv.len()) || !is_digits(cvv)) {
        return Err(Refused::invalid("cvv"));
    }
    described(card, number, now_ms)
}

fn described(card: &Value, number: &str, now_ms: i64) -> Result<PaidWith, Refused> {
    const TYPES: [&str; 6] = ["visa", "mastercard", "american express", "discover", "jcb", "diners club"];
    let card_type = required(card, "type")?;
    if !TYPES.contains(&card_type.to_lowercase().as_str()) {
        return Err(Refused::invalid("card_type"));
    }
    let exp_date = required(card, "exp_date")?;
    let expiry = month_of(exp_date).ok_or(Refused::invalid("exp_date"))?;
    // The first moment of the month, and of this one, as texts of one form.
    if expiry < Timestamp::from_millis(now_ms).to_string().chars().take(expiry.len()).collect::<String>() {
        return Err(Refused::expired());
    }
    Ok(PaidWith {
        card_type: card_type.to_owned(),
        holder: text(card, "cardholder_name").unwrap_or_default().to_owned(),
        last_four: number.chars().skip(number.chars().count().saturating_sub(4)).collect(),
        exp_date: exp_date.to_owned(),
        has_cvv: text(card, "cvv").is_some(),
    })
}

/// `1230` as `2030-12`.
fn month_of(exp_date: &str) -> Option<String> {
    let (month, year) = exp_date.split_at_checked(2).filter(|(_, year)| year.len() == 2 && is_digits(exp_date))?;
    ("01"..="12").contains(&month).then(|| format!("20{year}-{month}"))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn stored_credentials(body: &Value) -> Result<(), Refused> {
    let Some(stored) = body.get("stored_credentials") else { return Ok(()) };
    let rows: [(&str, &[&str]); 3] = [
        ("sequence", &["FIRST", "SUBSEQUENT"]),
        ("initiator", &["MERCHANT", "CARD_HOLDER"]),
        ("is_scheduled", &["true", "false"]),
    ];
    match rows.into_iter().find(|(name, known)| text(stored, name).is_none_or(|said| !known.contains(&said))) {
        Some((name, _)) => Err(Refused::invalid(name)),
        None => Ok(()),
    }
}
