//! Where a request goes: the classes of gateway, the kinds of operation, and the paths and queries
//! that name them.

use serde::{Deserialize, Serialize};

/// One gateway for each way in which a merchant can find out what became of a lost request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Honours an `Idempotency-Key` for a day; can also be asked by reference.
    Keyed,
    /// Ignores keys; can be asked by reference.
    LookUp,
    /// Ignores keys and cannot be asked; reverses by reference.
    TimeoutReversal,
    /// None of these.
    None,
}

impl Class {
    pub const ALL: [Self; 4] = [Self::Keyed, Self::LookUp, Self::TimeoutReversal, Self::None];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Keyed => "keyed",
            Self::LookUp => "look-up",
            Self::TimeoutReversal => "timeout-reversal",
            Self::None => "none",
        }
    }

    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    #[must_use]
    pub fn honours_keys(self) -> bool {
        match self {
            Self::Keyed => true,
            Self::LookUp | Self::TimeoutReversal | Self::None => false,
        }
    }

    #[must_use]
    pub fn can_be_asked(self) -> bool {
        match self {
            Self::Keyed | Self::LookUp => true,
            Self::TimeoutReversal | Self::None => false,
        }
    }

    #[must_use]
    pub fn reverses_by_reference(self) -> bool {
        match self {
            Self::TimeoutReversal => true,
            Self::Keyed | Self::LookUp | Self::None => false,
        }
    }
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Authorize,
    Capture,
    Reverse,
    Sale,
    Refund,
    PostAuthorize,
    /// Keeps a card or a bank account, and gives out a token for it.
    Tokenize,
}

impl Kind {
    pub const ALL: [Self; 7] =
        [Self::Authorize, Self::Capture, Self::Reverse, Self::Sale, Self::Refund, Self::PostAuthorize, Self::Tokenize];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Capture => "capture",
            Self::Reverse => "reverse",
            Self::Sale => "sale",
            Self::Refund => "refund",
            Self::PostAuthorize => "post-authorize",
            Self::Tokenize => "tokenize",
        }
    }

    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kinds of operation that this kind can be done to.
    #[must_use]
    pub fn acts_on(self) -> &'static [Self] {
        match self {
            Self::Authorize | Self::Sale | Self::Tokenize => &[],
            Self::Capture | Self::Reverse | Self::PostAuthorize => &[Self::Authorize],
            Self::Refund => &[Self::Sale, Self::Capture],
        }
    }

    /// Whether money is taken from the payer.
    #[must_use]
    pub fn takes_money(self) -> bool {
        match self {
            Self::Capture | Self::Sale => true,
            Self::Authorize | Self::Reverse | Self::Refund | Self::PostAuthorize | Self::Tokenize => false,
        }
    }

    /// Whether money is held, moves or is set free, so that the ledger shows it.
    #[must_use]
    pub fn moves_money(self) -> bool {
        match self {
            Self::Authorize | Self::Capture | Self::Reverse | Self::Sale | Self::Refund | Self::PostAuthorize => true,
            Self::Tokenize => false,
        }
    }
}

/// The place where an operation is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'path> {
    pub class: Class,
    pub kind: Kind,
    /// The gateway's id in the path.
    pub on: Option<&'path str>,
    /// Posted by the buyer's browser and not by the merchant.
    pub by_browser: bool,
}

impl Place<'_> {
    /// Whether a stored method or a token can pay here: a browser has cards alone.
    #[must_use]
    pub fn takes_method(self) -> bool {
        match self.kind {
            Kind::Authorize => !self.by_browser,
            Kind::Sale => true,
            Kind::Capture | Kind::Reverse | Kind::Refund | Kind::PostAuthorize | Kind::Tokenize => false,
        }
    }
}

/// A path that the server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'path> {
    Description,
    Ledger,
    Faults,
    Operations(Class),
    TimeoutReversals(Class),
    /// The page on which the payer of this operation acts.
    Challenge(Class, &'path str),
    Notices,
    Resend,
    Operate(Place<'path>),
}

impl<'path> Route<'path> {
    #[must_use]
    pub fn parse(path: &'path str) -> Option<Self> {
        match path.strip_prefix('/')? {
            "" => Some(Self::Description),
            "ledger" => Some(Self::Ledger),
            "faults" => Some(Self::Faults),
            "notices" => Some(Self::Notices),
            "notices/resend" => Some(Self::Resend),
            other => {
                let (class, rest) = other.split_once('/')?;
                Self::of_class(Class::by_name(class)?, rest)
            }
        }
    }

    fn of_class(class: Class, rest: &'path str) -> Option<Self> {
        let mut segments = rest.split('/');
        let mut next = || segments.next();
        let (kind, on, by_browser) = match [next(), next(), next(), next()] {
            [Some("operations"), None, ..] => return Some(Self::Operations(class)),
            [Some("timeout-reversals"), None, ..] => return Some(Self::TimeoutReversals(class)),
            [Some("challenges"), Some(id), None, _] => return Some(Self::Challenge(class, id)),
            [Some("authorizations"), None, ..] => (Kind::Authorize, None, false),
            [Some("client-authorizations"), None, ..] => (Kind::Authorize, None, true),
            [Some("post-authorizations"), None, ..] => (Kind::PostAuthorize, None, false),
            [Some("sales"), None, ..] => (Kind::Sale, None, false),
            [Some("tokens"), None, ..] => (Kind::Tokenize, None, false),
            [Some("authorizations"), id, Some("captures"), None] => (Kind::Capture, id, false),
            [Some("authorizations"), id, Some("reversals"), None] => (Kind::Reverse, id, false),
            [Some("payments"), id, Some("refunds"), None] => (Kind::Refund, id, false),
            _ => return None,
        };
        Some(Self::Operate(Place { class, kind, on, by_browser }))
    }

    /// The methods of this route, as the `Allow` header lists them.
    #[must_use]
    pub fn methods(self) -> &'static str {
        match self {
            Self::Description | Self::Ledger | Self::Operations(_) | Self::Notices => "GET",
            Self::Challenge(..) => "GET, POST",
            Self::Faults => "GET, POST, DELETE",
            Self::TimeoutReversals(_) | Self::Resend | Self::Operate(_) => "POST",
        }
    }
}

/// The decoded value of a query's parameter.
///
/// # Errors
/// A message that names the parameter when it is badly encoded.
pub fn parameter(query: &str, name: &str) -> Result<Option<String>, String> {
    let value = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| decoded(value));
    match value {
        None => Ok(None),
        Some(Some(text)) => Ok(Some(text)),
        Some(None) => Err(format!("{name} is not percent-encoded UTF-8")),
    }
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hexadecimal(rest.next()?)? * 16 + hexadecimal(rest.next()?)?,
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hexadecimal(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
