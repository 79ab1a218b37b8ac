//! `kessai schedules item`: one charge of a schedule.

use clap::{Args, Subcommand};
use kessai_shared::ids::MethodId;
use kessai_shared::recurring::calendar::Date;
use kessai_shared::recurring::ids::ScheduleId;
use serde_json::{Map, Value};

use super::{ITEMS, PATH, date, schedule};
use crate::command::text::{at, facts};
use crate::command::{Asking, Body, Change, id};

const ITEM: &str = "/commerce/payments/payment-schedule-items";

#[derive(Debug, Subcommand)]
pub enum Items {
    /// Show an item
    Show(Show),
    /// Add an item: it is charged by the first run of its day or a later one
    Add(Box<Add>),
    /// Have a draft of an item charged
    Ready(Named),
    /// Charge it no more: it is canceled for good
    Cancel(Named),
}

#[derive(Debug, Args)]
pub struct Add {
    /// The schedule that it is added to
    #[arg(value_parser = schedule)]
    schedule: String,
    /// What is charged
    #[arg(long)]
    amount: String,
    /// The first day on which it may be charged
    #[arg(long, value_name = "DATE", value_parser = date)]
    date: Date,
    /// The stored payment method [default: that of the schedule]
    #[arg(long, value_name = "ID", value_parser = id(MethodId::parse))]
    method: Option<MethodId>,
    /// What schedulers choose by, at most 40 characters
    #[arg(long, value_name = "VALUE")]
    matching_value: Option<String>,
    /// At most 1000 characters
    #[arg(long)]
    comments: Option<String>,
    /// Make it without having it charged yet
    #[arg(long)]
    draft: bool,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
pub struct Show {
    /// Which item
    #[arg(value_parser = item)]
    id: String,
    #[command(flatten)]
    to: super::To,
}

#[derive(Debug, Args)]
pub struct Named {
    /// Which item
    #[arg(value_parser = item)]
    id: String,
    #[command(flatten)]
    change: Change,
}

fn item(text: &str) -> Result<String, String> {
    let read = ScheduleId::locate_item(text).ok_or_else(|| "must be the id of an item of a schedule: 5SI…".to_owned());
    read.map(|(schedule, number)| schedule.item_id(number).to_string())
}

impl Items {
    pub(super) fn asking(self) -> Asking {
        match self {
            Self::Show(Show { id, to }) => Asking::get(to, format!("{ITEM}/{id}"), shown),
            Self::Add(add) => add.asking(),
            Self::Ready(named) => named.turned("Ready for Processing"),
            Self::Cancel(named) => named.turned("Canceled"),
        }
    }
}

impl Named {
    fn turned(self, status: &str) -> Asking {
        let body = Body::default().with("status", status);
        Asking { reads: Box::new(shown), ..Asking::patch(self.change, format!("{ITEM}/{}", self.id), body) }
    }
}

impl Add {
    fn asking(self) -> Asking {
        let body = Body::default()
            .with("requestedAmount", self.amount)
            .with("targetPaymentProcessingDate", self.date.to_string())
            .with("status", if self.draft { "Draft" } else { "Ready for Processing" })
            .maybe("paymentMethodId", self.method.map(|method| method.to_string()))
            .maybe("paymentRunMatchingValue", self.matching_value)
            .maybe("comments", self.comments);
        let path = format!("{PATH}/{}/payment-schedule-items", self.schedule);
        Asking::post(self.change, path, body, |made| {
            format!("Added the item {}.\n\n{}", at(made, "/paymentScheduleItem/id"), shown(made))
        })
    }
}

fn shown(answer: &Value) -> String {
    let nothing = Value::Object(Map::new());
    facts(answer.get("paymentScheduleItem").unwrap_or(&nothing), ITEMS)
}
