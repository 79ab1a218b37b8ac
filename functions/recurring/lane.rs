//! A lane charges the schedules on its list, page by page, as long as there is time, and asks what became of those whose
//! gateway has left that open: as soon as it is time to, so that what comes of them counts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kessai_shared::ids::{GatewayId, ItemKey};
use kessai_shared::merchant::Merchant;
use kessai_shared::ports::{Listed, Note, Pending};
use kessai_shared::recurring::ids::{RecurringKey, RunId, ScheduleId};
use kessai_shared::recurring::run::{Counts, Lane, PAGE, Page, Run, lanes};
use kessai_shared::recurring::schedule::agenda::through_time;
use kessai_shared::rejection::{Fault, Refusal};
use kessai_shared::stored::recurring::lane::StoredLane;
use kessai_shared::stored::recurring::lists::{List, moment};
use kessai_shared::stored::recurring::run::StoredRun;
use kessai_shared::time::Timestamp;
use kessai_shared::together::together;

use super::charge::{CHARGE, Charging, Looked, charge};
use super::retries::RetryRuns;
use super::{Looking, run};
use crate::door::owner;
use crate::problem::chain;

/// Schedules that one lane charges side by side, where their gateways set no limit.
const SIDE_BY_SIDE: usize = 5;

/// When to look again where nothing can be done for what is open.
const LOOK_AGAIN: Duration = Duration::from_secs(15 * 60);

pub(super) async fn look(looking: &Looking<'_>, run: RunId, lane: u8) -> Result<(), Refusal> {
    let stored = looking.read(RecurringKey::Lane(run, lane), StoredLane::from_item).await?;
    let run = looking.read(RecurringKey::Run(run), StoredRun::from_item).await?;
    let (Some(stored), Some(StoredRun { run, .. })) = (stored, run) else { return Ok(()) };
    // While it is held it is not due.
    if stored.lane.due.is_none_or(|due| due > looking.now()) {
        return Ok(());
    }
    let merchant = owner(looking.app, looking.merchant, looking.deadline).await?;
    let nonce = looking.app.shell.claim(looking.deadline).nonce;
    let held = StoredLane::following(Some(&stored), stored.lane.held(nonce, looking.deadline, looking.now()));
    if !looking.write(held.to_item()).await? {
        return Ok(());
    }
    let (pace, retries) = (Pace::of(&run, &stored.lane), RetryRuns::default());
    let passed_over = BTreeSet::new();
    Working { looking, merchant: &merchant, run, stored: held, pace, retries, passed_over }.work().await
}

/// Whoever holds a lane.
struct Working<'a> {
    looking: &'a Looking<'a>,
    merchant: &'a Merchant,
    run: Run,
    stored: StoredLane,
    pace: Pace,
    retries: RetryRuns,
    /// Schedules for which nothing can be done: they must not hold up the others.
    passed_over: BTreeSet<ScheduleId>,
}

impl Working<'_> {
    async fn work(mut self) -> Result<(), Refusal> {
        loop {
            if !self.run.goes_on() {
                // What other runs hold up is left for another.
                self.stored.lane.back = None;
            }
            let Some(came) = self.charge_page().await? else {
                // No time for all of it: the next one goes on with the same page.
                return self.put(self.stored.lane.released(self.pace.goes_on(self.looking.now()))).await;
            };
            // The page is done with even if there is no time for another.
            let page = match self.has_time() {
                true => self.next_page().await?,
                false => Page::Later(self.pace.goes_on(self.looking.now())),
            };
            self.put(self.stored.lane.turned(came, page, self.looking.now())).await?;
            if self.stored.lane.holder.is_none() {
                return Ok(());
            }
            if self.run.goes_on()
                && let Some(stored) = self.looking.read(RecurringKey::Run(self.run.id), StoredRun::from_item).await?
            {
                self.run = stored.run;
            }
        }
    }

    fn has_time(&self) -> bool {
        self.looking.deadline.since(self.looking.now()) >= CHARGE
    }

    /// Charges the schedules of the page; what came of all of them. None where there was no time for some.
    async fn charge_page(&mut self) -> Result<Option<Counts>, Refusal> {
        let lane = &self.stored.lane;
        let charging = Charging {
            looking: self.looking,
            merchant: self.merchant,
            takes: self.run.takes,
            criteria: &self.run.criteria,
            tried: lane.tried(),
            is_open: lane.is_open,
            begins: self.run.goes_on(),
            pace: Some(&self.pace),
            retries: &self.retries,
        };
        let (mut sum, mut is_held_up) = (Counts::default(), false);
        let mut passed_over = Vec::new();
        for few in lane.schedules.chunks(SIDE_BY_SIDE) {
            let charges = few
                .iter()
                .map(|id| -> Pending<'_, Result<Option<Looked>, Refusal>> { Box::pin(charge(charging, *id)) });
            for (id, came) in few.iter().zip(together(charges).await) {
                match came {
                    Ok(Some(came)) => {
                        sum = sum.plus(came.counts);
                        is_held_up |= came.is_held_up;
                    }
                    Ok(None) => return Ok(None),
                    Err(refusal) if is_its_own(&refusal) => {
                        let cause = format!("{}: {}", id.id(), chain(&refusal));
                        self.looking.app.shell.journal.note(&Note::Failed { cause: &cause });
                        passed_over.push(*id);
                    }
                    Err(refusal) => return Err(refusal),
                }
            }
        }
        self.passed_over.extend(passed_over);
        if is_held_up {
            let until = self.run.comes_back(self.looking.now());
            self.stored.lane.back.get_or_insert(until);
        }
        Ok(Some(sum))
    }

    async fn next_page(&self) -> Result<Page, Refusal> {
        let (lane, run, now) = (&self.stored.lane, &self.run, self.looking.now());
        let open = List::open(run.id, lane.lane);
        let (mut after, mut is_any_hopeless) = (None, false);
        loop {
            let page = self.listed(&open, Some(&through_time(now)), after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.place.clone());
            let (hopeless, due): (Vec<_>, Vec<_>) =
                schedules(page).into_iter().partition(|id| self.passed_over.contains(id));
            if !due.is_empty() {
                return Ok(Page::Open(due));
            }
            is_any_hopeless |= !hopeless.is_empty();
        }
        if !lane.is_read && run.goes_on() {
            let (list, until) = run::list(&run.merchant, run.takes, lane.lane);
            let page = self.listed(&list, Some(&until), lane.cursor.as_deref(), PAGE).await?;
            if let Some(last) = page.last() {
                let cursor = last.place.clone();
                return Ok(Page::Listed { schedules: schedules(page), cursor });
            }
        }
        if is_any_hopeless {
            return Ok(Page::End(Some(now.plus(LOOK_AGAIN))));
        }
        let first = self.listed(&open, None, None, 1).await?;
        let first = first.first().and_then(|listed| moment(&listed.place));
        Ok(Page::End(first.map(|at| at.max(now))))
    }

    async fn listed(
        &self,
        list: &List,
        until: Option<&str>,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Vec<Listed>, Fault> {
        let Looking { app, agenda, deadline, .. } = self.looking;
        let ask = || agenda.listed(list, until, after, limit);
        app.shell.patiently(*deadline, ask).await.map(|(page, _)| page)
    }

    /// Writes how the lane stands. Should somebody else have written, they hold it now.
    async fn put(&mut self, lane: Lane) -> Result<(), Refusal> {
        let next = StoredLane::following(Some(&self.stored), lane);
        if !self.looking.write(next.to_item()).await? {
            return Err(Fault::Busy.into());
        }
        self.stored = next;
        Ok(())
    }
}

/// Whether what hinders us is a matter of one schedule, of its payment or of its method.
fn is_its_own(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::Rejection(_) | Refusal::Fault(Fault::Stored(_) | Fault::Sealed(_) | Fault::SetUp(_)) => true,
        Refusal::Fault(Fault::Store(_) | Fault::Busy | Fault::NoTime | Fault::NoAnswer) => false,
    }
}

fn schedules(page: Vec<Listed>) -> Vec<ScheduleId> {
    let id = |listed: &Listed| match ItemKey::parse(&listed.key)? {
        ItemKey::Recurring(_, RecurringKey::Schedule(id)) => Some(id),
        ItemKey::Recurring(..) | ItemKey::Payment(_) | ItemKey::Method(..) => None,
    };
    page.iter().filter_map(id).collect()
}

/// Spreads requests over the time in which each gateway takes so many: this lane's part of them. The turns of lanes that
/// begin at once lie one behind the other, and a lane keeps its place from one look to the next: it is due again when its
/// next turn is.
pub(super) struct Pace {
    lanes: u32,
    /// How many of them have the turn before this one does; none once it has had its first.
    before: u32,
    next: Mutex<BTreeMap<GatewayId, Timestamp>>,
}

impl Pace {
    fn of(run: &Run, lane: &Lane) -> Self {
        let before = lanes(run.lanes).take_while(|other| *other < lane.lane).count();
        // Whoever begins with its first page has its first turn yet to come.
        let before = if lane.page == 0 { u32::try_from(before).unwrap_or_default() } else { 0 };
        Self { lanes: run.lanes.count_ones(), before, next: Mutex::default() }
    }

    /// The turn of this lane to ask a gateway that takes so many requests a second, from now on; none where that is later
    /// than `latest`: then nobody has had it.
    pub(super) fn take(
        &self,
        gateway: GatewayId,
        per_second: u16,
        now: Timestamp,
        latest: Timestamp,
    ) -> Option<Timestamp> {
        let take = |lanes: u32| Duration::from_millis((u64::from(lanes) * 1000).div_ceil(u64::from(per_second.max(1))));
        let mut next = self.next();
        let known = next.get(&gateway).copied();
        let turn = known.unwrap_or_else(|| now.plus(take(self.before))).max(now);
        let is_had = turn <= latest;
        next.insert(gateway, if is_had { turn.plus(take(self.lanes)) } else { turn });
        is_had.then_some(turn)
    }

    /// When whoever goes on with this lane may ask again, if it lets go now.
    fn goes_on(&self, now: Timestamp) -> Timestamp {
        self.next().values().copied().min().map_or(now, |next| next.max(now))
    }

    fn next(&self) -> MutexGuard<'_, BTreeMap<GatewayId, Timestamp>> {
        // Nothing panics while it holds the lock, so what it guards is whole.
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
