//! What the outbox of a payment schedule owes.

use super::{About, Delivering};
use crate::payment::Outbox;
use crate::payment::outbox::Entry;
use crate::ports::{Agenda, Expected, Written};
use crate::recurring::schedule::Schedule;
use crate::rejection::Fault;
use crate::shell::{Pause, Shell};
use crate::stored::recurring::schedule::StoredSchedule;
use crate::time::Timestamp;

impl Shell {
    /// Tells a schedule's merchant what it is owed, as of a payment.
    pub async fn deliver_of_schedule(
        &self,
        with: &Delivering<'_>,
        agenda: &dyn Agenda,
        stored: StoredSchedule,
        deadline: Timestamp,
    ) -> Result<Schedule, Fault> {
        match self.round(with, About::Schedule(&stored.schedule), deadline).await? {
            Some(round) => {
                let now = self.clock.now();
                self.write_owed(agenda, stored, |outbox| outbox.learn(&round, now), deadline).await
            }
            None => Ok(stored.schedule),
        }
    }

    /// Sees to it that merchants are told something of a schedule once more.
    pub async fn tell_of_schedule_again(
        &self,
        agenda: &dyn Agenda,
        stored: StoredSchedule,
        entry: &Entry,
        deadline: Timestamp,
    ) -> Result<(), Fault> {
        let Entry { operation, news, at, .. } = *entry;
        self.write_owed(agenda, stored, |outbox| outbox.tell_again(operation, news, at), deadline).await.map(drop)
    }

    async fn write_owed(
        &self,
        agenda: &dyn Agenda,
        mut stored: StoredSchedule,
        change: impl Fn(&mut Outbox),
        deadline: Timestamp,
    ) -> Result<Schedule, Fault> {
        let mut pause = Pause::default();
        loop {
            let mut schedule = stored.schedule.clone();
            change(&mut schedule.outbox);
            if schedule == stored.schedule {
                return Ok(schedule);
            }
            schedule.version = schedule.version.saturating_add(1);
            let expected = Expected::Version(stored.schedule.version);
            let next = StoredSchedule::following(Some(&stored), schedule);
            match agenda.write(next.to_item(), expected).await {
                Ok(Written::Done) => return Ok(next.schedule),
                Ok(Written::Conflict(found)) => {
                    stored = found.map(StoredSchedule::from_item).transpose()?.ok_or(Fault::Busy)?;
                    if !self.pause(&mut pause, deadline).await {
                        return Err(Fault::Busy);
                    }
                }
                Err(fault) => self.pause_after(fault, &mut pause, deadline).await?,
            }
        }
    }
}
