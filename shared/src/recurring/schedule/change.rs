//! What the owner of a schedule changes. The same change again changes nothing.
//!
//! While a schedule is on hold, nothing of it is charged. What waited from before that is charged when it goes on; but
//! an occurrence is left out for good whose day was not before the hold and is before the day on which it goes on: who
//! pauses does not expect to pay for the pause. Items that do not recur are owed whenever it goes on.
//!
//! What is being charged cannot be changed: it is carried to its end, even where its schedule is canceled.

use super::making::AskedItem;
use super::refused::Refused;
use super::{MAX_ITEMS, MAX_WAITING, Schedule, State, Status};
use crate::ids::MethodId;
use crate::recurring::calendar::Date;
use crate::recurring::ids::ItemNumber;
use crate::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A draft is to be charged from now on.
    Open,
    /// On this day, where the merchant is.
    Hold { on: Date },
    /// It goes on, on this day.
    Resume { on: Date },
    /// Nothing of it is charged any more. What failed for good stays so.
    Cancel,
    /// The occurrence of that day is left out.
    Skip(Date),
    /// Of each occurrence that was never tried, in minor units.
    Amount(i64),
    /// What attempts to come are made with, of items that name no method of their own.
    Method(MethodId),
    /// One more item. A schedule that was completed is open again: so what failed is canceled, and asked for anew.
    AddItem(AskedItem),
    /// What recurs goes on with its next occurrence.
    CancelItem(ItemNumber),
    /// A draft of an item is to be charged.
    ReadyItem(ItemNumber),
}

impl Schedule {
    pub(super) fn change(&mut self, change: Change, now: Timestamp) -> Result<(), Refused> {
        match change {
            Change::Open => self.open(),
            Change::Hold { on } => self.hold(on),
            Change::Resume { on } => self.resume(on, now),
            Change::Cancel => self.cancel(now),
            Change::Skip(date) => self.skip(date, now),
            Change::Amount(amount) => self.change_amount(amount),
            Change::Method(method) => {
                self.expect_live()?;
                self.method = method;
                Ok(())
            }
            Change::AddItem(item) => self.add_item(item, now),
            Change::CancelItem(number) => self.cancel_item(number, now),
            Change::ReadyItem(number) => self.ready_item(number),
        }
    }

    fn open(&mut self) -> Result<(), Refused> {
        match self.status {
            Status::Open => Ok(()),
            Status::Draft if self.has_ended() => Err(Refused::NoItems),
            Status::Draft => {
                self.status = Status::Open;
                Ok(())
            }
            status @ (Status::OnHold { .. } | Status::Completed | Status::Canceled) => Err(Refused::Status(status)),
        }
    }

    fn hold(&mut self, on: Date) -> Result<(), Refused> {
        match self.status {
            Status::OnHold { .. } => Ok(()),
            Status::Open => {
                self.status = Status::OnHold { since: on };
                Ok(())
            }
            status @ (Status::Draft | Status::Completed | Status::Canceled) => Err(Refused::Status(status)),
        }
    }

    fn resume(&mut self, on: Date, now: Timestamp) -> Result<(), Refused> {
        let since = match self.status {
            Status::Open => return Ok(()),
            Status::OnHold { since } => since,
            status @ (Status::Draft | Status::Completed | Status::Canceled) => return Err(Refused::Status(status)),
        };
        self.status = Status::Open;
        for item in &mut self.items {
            if item.occurrence.is_some() && item.is_untried() && (since..on).contains(&item.target) {
                item.state = State::Canceled { at: now };
            }
        }
        if let Some(recurrence) = &mut self.recurrence {
            let to_come = recurrence.dates.on_or_after(on).map(|(number, _)| number);
            recurrence.next = recurrence.next.zip(to_come).map(|(next, to_come)| next.max(to_come));
        }
        Ok(())
    }

    fn cancel(&mut self, now: Timestamp) -> Result<(), Refused> {
        match self.status {
            Status::Canceled => return Ok(()),
            Status::Completed => return Err(Refused::Status(self.status)),
            Status::Draft | Status::Open | Status::OnHold { .. } => self.status = Status::Canceled,
        }
        for item in &mut self.items {
            if matches!(item.state, State::Draft | State::Ready) || item.retry().is_some() {
                item.state = State::Canceled { at: now };
            }
        }
        if let Some(recurrence) = &mut self.recurrence {
            recurrence.next = None;
        }
        Ok(())
    }

    fn skip(&mut self, date: Date, now: Timestamp) -> Result<(), Refused> {
        self.expect_live()?;
        let recurrence = self.recurrence.as_mut().ok_or(Refused::NotRecurring)?;
        let occurrence = recurrence.dates.on_or_after(date).filter(|(_, found)| *found == date);
        let (number, _) = occurrence.ok_or(Refused::NoOccurrence)?;
        if let Some(item) = self.items.iter_mut().find(|item| item.occurrence == Some(number)) {
            if item.is_untried() {
                item.state = State::Canceled { at: now };
            }
            return matches!(item.state, State::Canceled { .. }).then_some(()).ok_or(Refused::NoOccurrence);
        }
        if recurrence.next.is_none_or(|next| number < next) {
            return Err(Refused::NoOccurrence);
        }
        if let Err(place) = recurrence.skipped.binary_search(&number) {
            if recurrence.skipped.len() >= MAX_WAITING {
                return Err(Refused::Full);
            }
            recurrence.skipped.insert(place, number);
        }
        Ok(())
    }

    fn change_amount(&mut self, amount: i64) -> Result<(), Refused> {
        self.expect_live()?;
        let recurrence = self.recurrence.as_mut().ok_or(Refused::NotRecurring)?;
        if amount <= 0 {
            return Err(Refused::NotPositive { member: "recurrence.amount" });
        }
        recurrence.amount = amount;
        for item in self.items.iter_mut().filter(|item| item.occurrence.is_some() && item.is_untried()) {
            item.amount = amount;
        }
        Ok(())
    }

    fn add_item(&mut self, item: AskedItem, now: Timestamp) -> Result<(), Refused> {
        if let Some(known) = item.made.and_then(|made| self.made_under(made)) {
            return if known.made == item.made { Ok(()) } else { Err(Refused::Reused) };
        }
        match self.status {
            Status::Draft | Status::Open | Status::OnHold { .. } => {}
            Status::Completed => self.status = Status::Open,
            Status::Canceled => return Err(Refused::Status(self.status)),
        }
        self.fold(None, now);
        if self.items.len() >= MAX_ITEMS {
            return Err(Refused::Full);
        }
        self.add(item)
    }

    fn cancel_item(&mut self, number: ItemNumber, now: Timestamp) -> Result<(), Refused> {
        let item = self.items.iter_mut().find(|item| item.number == number).ok_or(Refused::NoItem)?;
        match item.state {
            State::Canceled { .. } => {}
            State::Draft | State::Ready | State::Failed { .. } => item.state = State::Canceled { at: now },
            State::Processing(_) | State::Processed { .. } => return Err(Refused::of_item(&item.state)),
        }
        Ok(())
    }

    fn ready_item(&mut self, number: ItemNumber) -> Result<(), Refused> {
        let item = self.items.iter_mut().find(|item| item.number == number).ok_or(Refused::NoItem)?;
        match item.state {
            State::Ready => {}
            State::Draft => item.state = State::Ready,
            State::Processing(_) | State::Processed { .. } | State::Failed { .. } | State::Canceled { .. } => {
                return Err(Refused::of_item(&item.state));
            }
        }
        Ok(())
    }

    /// It is neither completed nor canceled.
    fn expect_live(&self) -> Result<(), Refused> {
        match self.status {
            Status::Draft | Status::Open | Status::OnHold { .. } => Ok(()),
            Status::Completed | Status::Canceled => Err(Refused::Status(self.status)),
        }
    }
}
