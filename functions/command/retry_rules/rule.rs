//! `kessai retry-rules rule`.

use clap::{Args, Subcommand};
use kessai_shared::ports::Method;
use kessai_shared::recurring::ids::{RuleId, RuleSetId};
use kessai_shared::recurring::retry::{Category, OF_RULE};

use super::super::api::To;
use super::super::text::{Section, at};
use super::super::{Asking, Body, Change, any_of, id};
use super::{Timing, literals};

const PATH: &str = "/sobjects/PaymentRetryRule";

pub const SECTION: Section = Section {
    title: "Retry rules",
    member: "paymentRetryRules",
    columns: &[
        ("ID", &["/id"]),
        ("SET", &["/paymentRetryRuleSetId"]),
        ("CATEGORY", &["/paymentGatewayErrorCategory"]),
        ("GATEWAY", &["/paymentGatewayId"]),
        ("CODE", &["/paymentGatewayErrorCode"]),
        ("TYPE", &["/retryIntervalType"]),
        ("INTERVAL", &["/intervalValue"]),
        ("UNIT", &["/intervalUnit"]),
        ("RETRIES", &["/maximumRetryCount"]),
        ("DESCRIPTION", &["/description"]),
    ],
};

#[derive(Debug, Subcommand)]
pub enum Rule {
    /// List the merchant's rules
    List(To),
    /// Add a rule to a set; a merchant has at most 100
    Add(Add),
    /// Change a rule
    Edit(Edit),
    /// Remove a rule
    Remove(Remove),
}

/// What a rule says beside the kind of failure. What it does not say it inherits from its set.
#[derive(Debug, Args)]
struct Terms {
    /// Only of payments through this gateway; '' for any
    #[arg(long, value_name = "ID")]
    gateway: Option<String>,
    /// Only where the gateway's own code is this one, to the letter, at most 255 characters; '' for any
    #[arg(long)]
    code: Option<String>,
    #[command(flatten)]
    timing: Timing,
    /// At most 255 characters; '' for none
    #[arg(long)]
    description: Option<String>,
}

#[derive(Debug, Args)]
pub struct Add {
    /// The set that it is of
    #[arg(long, value_name = "ID", value_parser = id(RuleSetId::parse))]
    set: RuleSetId,
    /// What kind of failure it is for
    #[arg(long, value_parser = literals(Category::ALL, Category::literal), ignore_case = true)]
    category: String,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
#[command(group = any_of(["category", "gateway", "code", "interval_type", "interval", "unit", "retries", "description"]))]
pub struct Edit {
    /// Which rule
    #[arg(value_parser = id(RuleId::parse))]
    id: RuleId,
    /// What kind of failure it is for
    #[arg(long, value_parser = literals(Category::ALL, Category::literal), ignore_case = true)]
    category: Option<String>,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
pub struct Remove {
    /// Which rule
    #[arg(value_parser = id(RuleId::parse))]
    id: RuleId,
    #[command(flatten)]
    change: Change,
}

impl Terms {
    fn said(self, body: Body) -> Body {
        let body = body
            .maybe("PaymentGatewayId", self.gateway)
            .maybe("PaymentGatewayErrorCode", self.code)
            .maybe("Description", self.description);
        self.timing.said(body, &OF_RULE)
    }
}

impl Rule {
    pub(super) fn asking(self) -> Asking {
        match self {
            Self::List(to) => Asking::list(to, &SECTION),
            Self::Add(Add { set, category, terms, change }) => {
                let body = Body::default()
                    .with("PaymentRetryRuleSetId", set.to_string())
                    .with("PaymentGatewayErrorCategory", category);
                let made = |made: &_| format!("Made the retry rule {}.", at(made, "/id"));
                Asking::post(change, PATH, terms.said(body), made)
            }
            Self::Edit(Edit { id, category, terms, change }) => {
                let body = Body::default().maybe("PaymentGatewayErrorCategory", category);
                Asking::patch(change, format!("{PATH}/{id}"), terms.said(body))
            }
            Self::Remove(Remove { id, change }) => {
                Asking::change(change, Method::Delete, format!("{PATH}/{id}"), None, |_| "Removed.".to_owned())
            }
        }
    }
}
