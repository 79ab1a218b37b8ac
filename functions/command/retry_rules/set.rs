//! `kessai retry-rules set`.

use clap::{Args, Subcommand};
use kessai_shared::ports::Method;
use kessai_shared::recurring::ids::RuleSetId;
use kessai_shared::recurring::retry::{OF_SET, RuleSetStatus};

use super::super::api::To;
use super::super::text::{Section, at};
use super::super::{Asking, Body, Change, any_of, id};
use super::{Timing, literals};

const PATH: &str = "/sobjects/PaymentRetryRuleSet";

pub const SECTION: Section = Section {
    title: "Retry rule sets",
    member: "paymentRetryRuleSets",
    columns: &[
        ("ID", &["/id"]),
        ("NAME", &["/name"]),
        ("STATUS", &["/status"]),
        ("DEFAULT", &["/isDefaultRuleSet"]),
        ("TYPE", &["/defaultRetryIntervalType"]),
        ("INTERVAL", &["/defaultIntervalValue"]),
        ("UNIT", &["/defaultIntervalUnit"]),
        ("RETRIES", &["/defaultMaximumRetryCount"]),
        ("OTHER METHOD", &["/canUseAltrnPaymentMethod"]),
        ("DESCRIPTION", &["/description"]),
    ],
};

#[derive(Debug, Subcommand)]
pub enum Set {
    /// List the merchant's sets
    List(To),
    /// Add a set; a merchant has at most 20
    Add(Add),
    /// Change a set
    Edit(Edit),
    /// Remove a set that has no rules
    Remove(Remove),
}

/// What a set says beside its name.
#[derive(Debug, Args)]
struct Terms {
    /// Only an active set is used
    #[arg(long, value_parser = literals(RuleSetStatus::ALL, RuleSetStatus::literal), ignore_case = true)]
    status: Option<String>,
    /// Whether it is the default: an active one takes the place of the active default that there is
    #[arg(long, value_name = "BOOL")]
    default: Option<bool>,
    /// Whether the last retry is made with another of the payer's methods
    #[arg(long, value_name = "BOOL")]
    other_method: Option<bool>,
    #[command(flatten)]
    timing: Timing,
    /// At most 255 characters; '' for none
    #[arg(long)]
    description: Option<String>,
}

#[derive(Debug, Args)]
pub struct Add {
    /// At most 255 characters
    #[arg(long)]
    name: String,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
#[command(group = any_of(["name", "status", "default", "other_method", "interval_type", "interval", "unit", "retries", "description"]))]
pub struct Edit {
    /// Which set
    #[arg(value_parser = id(RuleSetId::parse))]
    id: RuleSetId,
    /// At most 255 characters
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
pub struct Remove {
    /// Which set
    #[arg(value_parser = id(RuleSetId::parse))]
    id: RuleSetId,
    #[command(flatten)]
    change: Change,
}

impl Terms {
    fn said(self, body: Body) -> Body {
        let body = body
            .maybe("Status", self.status)
            .maybe("IsDefaultRuleSet", self.default)
            .maybe("CanUseAltrnPaymentMethod", self.other_method)
            .maybe("Description", self.description);
        self.timing.said(body, &OF_SET)
    }
}

impl Set {
    pub(super) fn asking(self) -> Asking {
        match self {
            Self::List(to) => Asking::list(to, &SECTION),
            Self::Add(Add { name, terms, change }) => {
                let body = terms.said(Body::default().with("Name", name));
                Asking::post(change, PATH, body, |made| format!("Made the retry rule set {}.", at(made, "/id")))
            }
            Self::Edit(Edit { id, name, terms, change }) => {
                let body = terms.said(Body::default().maybe("Name", name));
                Asking::patch(change, format!("{PATH}/{id}"), body)
            }
            Self::Remove(Remove { id, change }) => {
                Asking::change(change, Method::Delete, format!("{PATH}/{id}"), None, |_| "Removed.".to_owned())
            }
        }
    }
}
