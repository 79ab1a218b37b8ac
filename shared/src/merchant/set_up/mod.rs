//! How a merchant changes: one pure function for each kind of change, and what the audit trail says of it.
//!
//! [`Merchant::after`] makes the next version of a merchant or says why not. A change that changes nothing makes no
//! version: what is asked twice is done once.

mod accounts;
mod endpoints;
mod keys;
mod notices;
mod retry_rules;

use std::fmt;
use std::time::Duration;

pub use self::accounts::{GatewayEdit, MerchantEdit, ProviderEdit};
pub use self::endpoints::EndpointEdit;
pub use self::keys::RollKey;
pub use self::retry_rules::{RuleEdit, RuleSetEdit, TimingEdit};
use super::{Endpoint, Gateway, ListedKey, ListedRule, ListedRuleSet, Merchant, MethodType, Provider, SealedSecret};
use crate::ids::{ApiKeyId, EndpointId, GatewayId, Id, MerchantId, MethodTypeId, ProviderId, hash};
use crate::payment::IdempotencyKey;
use crate::recurring::ids::{RuleId, RuleSetId};
use crate::seal::Sealed;
use crate::time::Timestamp;

/// There are fewer adapters than this; a provider is one, perhaps by two names.
pub const MOST_PROVIDERS: usize = 20;

/// An account for each brand and currency. More are more merchants.
pub const MOST_GATEWAYS: usize = 50;

/// Some ways to pay for each provider.
pub const MOST_METHOD_TYPES: usize = 50;

/// One for each program that calls, and those that replace others. Those that work no more make room.
pub const MOST_API_KEYS: usize = 50;

/// Each event goes to each of them.
pub const MOST_ENDPOINTS: usize = 16;

/// One that is in use, drafts of others, and those that were in use before.
pub const MOST_RULE_SETS: usize = 20;

/// Of all sets together: some for each category, at some gateways.
pub const MOST_RULES: usize = crate::recurring::retry::MOST_RULES;

/// Filters of one endpoint: as many as there are kinds of event, and room.
pub const MOST_FILTERS: usize = 32;

/// Secrets of one endpoint or provider at once: the one, and the one that it replaces.
pub const MOST_SECRETS: usize = 2;

/// The longest time in which the old and the new of something work side by side: a month to replace it everywhere.
pub const LONGEST_OVERLAP: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Characters of what the trail says of a change: all its members' names fit.
const DESCRIPTION: usize = 255;

/// Something to be done to a merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    EditMerchant(MerchantEdit),
    /// It makes another merchant.
    MakeMerchant {
        id: MerchantId,
        name: String,
    },
    AddProvider(ProviderId, Provider),
    EditProvider(ProviderId, ProviderEdit),
    SetNoticeSecret {
        provider: ProviderId,
        secret: SealedSecret,
        overlap: Duration,
    },
    RemoveNoticeSecrets(ProviderId),
    AddGateway(GatewayId, Gateway),
    EditGateway(GatewayId, GatewayEdit),
    /// What we are known by there; none where that is nothing. The former counts no more.
    SetCredential {
        gateway: GatewayId,
        sealed: Option<Sealed>,
        /// What is known to be of the same account, if it is this that is replaced.
        same_account_as: Option<Sealed>,
    },
    AddMethodType(MethodTypeId, MethodType),
    AddKey(ApiKeyId, ListedKey),
    RollKey(RollKey),
    RevokeKey(ApiKeyId),
    AddEndpoint(EndpointId, Endpoint),
    EditEndpoint(EndpointId, EndpointEdit),
    RollSecret {
        endpoint: EndpointId,
        secret: SealedSecret,
        overlap: Duration,
    },
    DeleteEndpoint(EndpointId),
    AddRuleSet(RuleSetId, ListedRuleSet),
    EditRuleSet(RuleSetId, RuleSetEdit),
    DeleteRuleSet(RuleSetId),
    AddRule(RuleId, ListedRule),
    EditRule(RuleId, RuleEdit),
    DeleteRule(RuleId),
}

/// Who changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Whoever has this key.
    Key(ApiKeyId),
    /// Whoever may write the table.
    CommandLine,
}

impl fmt::Display for Who {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(out, "{id}"),
            Self::CommandLine => out.write_str("command line"),
        }
    }
}

impl Who {
    pub fn parse(text: &str) -> Option<Self> {
        if text == "command line" { Some(Self::CommandLine) } else { ApiKeyId::parse(text).map(Self::Key) }
    }
}

/// What made a version of a merchant, for the trail. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastChange {
    pub at: Timestamp,
    pub by: Who,
    /// Kind and deed: `gateway.changed`.
    pub action: String,
    /// What was changed.
    pub subject: Id,
    pub description: String,
}

/// Under which key something was made, and what was asked for, as hashes. Whoever asks again is recognised by it,
/// however the thing has changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    pub under: u128,
    pub content: u128,
}

impl Made {
    pub fn of(key: &IdempotencyKey, content: &str) -> Self {
        let fold = |purpose, text: &str| hash(purpose, &[text.as_bytes()]);
        Self { under: fold("made under", key.as_str()), content: fold("made of", content) }
    }
}

/// Why a change is not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not there, or another merchant's, which is the same.
    NotFound,
    /// The key made something else before.
    Reused,
    /// The key made this before, and its secret cannot be shown again.
    ShownOnce(Id),
    /// Something else has this name.
    Taken(&'static str),
    /// A member that names something that is not there.
    Unknown(&'static str),
    Full {
        what: &'static str,
        most: usize,
    },
    /// Everything together is more than functions keep in memory.
    TooLarge {
        most: usize,
    },
    /// What is under way was begun under it.
    Bound(&'static str),
    /// Without it nobody could set up anything any more.
    LastKey,
    /// The key does not work any more.
    DeadKey,
    /// Others are part of it.
    NotEmpty {
        what: &'static str,
        of: &'static str,
    },
    /// The value of a member will not do: of what was named, or of this rule, which inherits from it.
    Misfit {
        member: &'static str,
        limit: &'static str,
        rule: Option<RuleId>,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => out.write_str("The requested resource does not exist"),
            Self::Reused => out.write_str("This idempotency key was used before with different parameters"),
            Self::ShownOnce(id) => {
                write!(
                    out,
                    "This was made before under the same idempotency key, with id {id}; its secret was shown once"
                )
            }
            Self::Taken(member) => write!(out, "{member}: is taken"),
            Self::Unknown(member) => write!(out, "{member}: names nothing that this merchant has"),
            Self::Full { what, most } => write!(out, "{what}: a merchant has at most {most}"),
            Self::TooLarge { most } => write!(out, "All that a merchant sets up must not exceed {most} bytes"),
            Self::Bound(member) => {
                write!(out, "{member}: cannot become this, because operations may be under way; add another instead")
            }
            Self::LastKey => out.write_str("apiKeyId: is the last key with the scope set-up that works"),
            Self::DeadKey => out.write_str("apiKeyId: is a key that does not work any more"),
            Self::NotEmpty { what, of } => write!(out, "{what}: cannot be deleted while it has a {of}"),
            Self::Misfit { member, limit, rule: None } => write!(out, "{member}: {limit}"),
            Self::Misfit { member, limit, rule: Some(rule) } => {
                write!(out, "{member}: {limit}, in the rule {rule}, which would inherit what does not fit")
            }
        }
    }
}

/// What is said of a change that was made; none of one that changed nothing.
type Noted = Option<Note>;

struct Note {
    action: &'static str,
    subject: Id,
    description: String,
}

fn noted(action: &'static str, subject: impl Into<Id>, description: impl Into<String>) -> Noted {
    Some(Note { action, subject: subject.into(), description: description.into() })
}

/// The names of the members that got another value.
#[derive(Default)]
struct Edited(Vec<&'static str>);

impl Edited {
    fn set<T: PartialEq + Clone>(&mut self, name: &'static str, slot: &mut T, value: &Option<T>) {
        if let Some(value) = value.as_ref().filter(|value| *value != slot) {
            slot.clone_from(value);
            self.0.push(name);
        }
    }

    fn noted(self, action: &'static str, subject: impl Into<Id>) -> Noted {
        if self.0.is_empty() { None } else { noted(action, subject, self.0.join(", ")) }
    }
}

/// Whether something that was made under a key is what is asked for again.
fn is_again(known: Option<Made>, asked: Option<Made>) -> bool {
    known.is_some() && known == asked
}

/// What the trail says of the secret that was replaced.
fn old_ends(ends: Option<Timestamp>) -> String {
    ends.map_or_else(|| "there was none before".to_owned(), |ends| format!("the old secret ends {ends}"))
}

fn room(what: &'static str, there_are: usize, most: usize) -> Result<(), Refused> {
    if there_are < most { Ok(()) } else { Err(Refused::Full { what, most }) }
}

impl Merchant {
    /// The merchant as it is after the change: the same version where that changes nothing.
    pub fn after(&self, change: &Change, now: Timestamp, by: Who) -> Result<Self, Refused> {
        let mut next = self.clone();
        let noted = match change {
            Change::EditMerchant(edit) => accounts::edit_merchant(&mut next, edit),
            Change::MakeMerchant { id, name } => noted("merchant.created", *id, format!("{name:?}")),
            Change::AddProvider(id, provider) => accounts::add_provider(&mut next, *id, provider)?,
            Change::EditProvider(id, edit) => accounts::edit_provider(&mut next, *id, edit)?,
            Change::SetNoticeSecret { provider, secret, overlap } => {
                notices::set(&mut next, *provider, secret, *overlap, now)?
            }
            Change::RemoveNoticeSecrets(id) => notices::remove(&mut next, *id)?,
            Change::AddGateway(id, gateway) => accounts::add_gateway(&mut next, *id, gateway)?,
            Change::EditGateway(id, edit) => accounts::edit_gateway(&mut next, *id, edit)?,
            Change::SetCredential { gateway, sealed, same_account_as } => {
                accounts::set_credential(&mut next, *gateway, sealed.as_ref(), same_account_as.as_ref())?
            }
            Change::AddMethodType(id, kind) => accounts::add_method_type(&mut next, *id, kind)?,
            Change::AddKey(id, key) => keys::add(&mut next, *id, key, now)?,
            Change::RollKey(roll) => keys::roll(&mut next, roll, now)?,
            Change::RevokeKey(id) => keys::revoke(&mut next, *id, now)?,
            Change::AddEndpoint(id, endpoint) => endpoints::add(&mut next, *id, endpoint)?,
            Change::EditEndpoint(id, edit) => endpoints::edit(&mut next, *id, edit, now)?,
            Change::RollSecret { endpoint, secret, overlap } => {
                endpoints::roll(&mut next, *endpoint, secret, *overlap, now)?
            }
            Change::DeleteEndpoint(id) => endpoints::delete(&mut next, *id)?,
            Change::AddRuleSet(id, set) => retry_rules::add_set(&mut next, *id, set)?,
            Change::EditRuleSet(id, edit) => retry_rules::edit_set(&mut next, *id, edit)?,
            Change::DeleteRuleSet(id) => retry_rules::delete_set(&mut next, *id)?,
            Change::AddRule(id, rule) => retry_rules::add(&mut next, *id, rule)?,
            Change::EditRule(id, edit) => retry_rules::edit(&mut next, *id, edit)?,
            Change::DeleteRule(id) => retry_rules::delete(&mut next, *id)?,
        };
        let Some(Note { action, subject, description }) = noted else { return Ok(self.clone()) };
        next.connect();
        let change =
            LastChange { at: now, by, action: action.to_owned(), subject, description: shortened(description) };
        Ok(next.signed(self.version, change))
    }

    /// The version after `version`, made by this change.
    #[must_use]
    pub fn signed(mut self, version: u64, change: LastChange) -> Self {
        self.version = version.saturating_add(1);
        self.last_change = Some(change);
        self
    }
}

fn shortened(description: String) -> String {
    if description.chars().count() > DESCRIPTION {
        description.chars().take(DESCRIPTION).collect()
    } else {
        description
    }
}

#[cfg(test)]
mod tests;
