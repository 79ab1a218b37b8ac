//! A run begins the lanes that have anything to do, sums them up while they work, and ends with the last of them.

use kessai_shared::ids::MerchantId;
use kessai_shared::ports::Pending;
use kessai_shared::recurring::ids::{LANES, RecurringKey, RunId};
use kessai_shared::recurring::run::{Lane, Run, Takes, lanes};
use kessai_shared::recurring::schedule::agenda::{through_date, through_time};
use kessai_shared::rejection::{Fault, Refusal};
use kessai_shared::stored::recurring::lane::StoredLane;
use kessai_shared::stored::recurring::lists::List;
use kessai_shared::stored::recurring::run::StoredRun;
use kessai_shared::together::together;

use super::Looking;

/// As many as one page of a list is asked for at most to learn how long it is.
const COUNTED_AT_ONCE: u16 = 1000;

/// Lanes whose lists are counted side by side: of a million schedules, those of eight lanes are read well within the time
/// of one look, with a fraction of a processor.
const BEGUN_AT_ONCE: usize = 8;

pub(super) async fn look(looking: &Looking<'_>, id: RunId) -> Result<(), Refusal> {
    let decode = StoredRun::from_item;
    let Some(mut stored) = looking.read(RecurringKey::Run(id), decode).await? else { return Ok(()) };
    if stored.run.started_at.is_none() && stored.run.goes_on() {
        // Which lanes there are is written before any of them is: what they work off is not on their lists any more.
        let lanes = find_lanes(looking, &stored.run).await?;
        let started = StoredRun::following(Some(&stored), stored.run.started(lanes, looking.now()));
        if !looking.write(started.to_item()).await? {
            return Ok(());
        }
        stored = started;
    }
    if stored.run.due.is_some() {
        let summed = stored.run.summed(&all_lanes(looking, &stored.run).await?, looking.now());
        // Where somebody else has written, what is stored says when to look.
        looking.write(StoredRun::following(Some(&stored), summed).to_item()).await?;
    }
    Ok(())
}

/// The bits of the lanes that have anything to do.
async fn find_lanes(looking: &Looking<'_>, run: &Run) -> Result<u64, Refusal> {
    let asking = (0..LANES).map(|lane| -> Pending<'_, Result<u64, Fault>> {
        Box::pin(async move {
            let (list, until) = list(&run.merchant, run.takes, lane);
            let ask = || looking.agenda.listed(&list, Some(&until), None, 1);
            let (first, _) = looking.app.shell.patiently(looking.deadline, ask).await?;
            Ok(if first.is_empty() { 0 } else { 1 << lane })
        })
    });
    let found: Result<Vec<_>, _> = together(asking).await.into_iter().collect();
    Ok(found?.into_iter().fold(0, |bits, bit| bits | bit))
}

/// Its lanes as they stand. Those that are not there yet begin, a few at a time: where lists are so long that there is no
/// time to count all of them, what has begun stays, and the next look goes on with the rest.
async fn all_lanes(looking: &Looking<'_>, run: &Run) -> Result<Vec<Lane>, Refusal> {
    let reading = lanes(run.lanes).map(|lane| -> Pending<'_, Result<(u8, Option<StoredLane>), Fault>> {
        let reading = looking.read(RecurringKey::Lane(run.id, lane), StoredLane::from_item);
        Box::pin(async move { Ok((lane, reading.await?)) })
    });
    let read: Result<Vec<_>, _> = together(reading).await.into_iter().collect();
    let (mut all, mut missing) = (Vec::new(), Vec::new());
    for (lane, known) in read? {
        match known {
            Some(stored) => all.push(stored.lane),
            None => missing.push(lane),
        }
    }
    for few in missing.chunks(BEGUN_AT_ONCE) {
        let beginning =
            few.iter().map(|lane| -> Pending<'_, Result<Lane, Fault>> { Box::pin(begin(looking, run, *lane)) });
        for begun in together(beginning).await {
            all.push(begun?);
        }
    }
    Ok(all)
}

async fn begin(looking: &Looking<'_>, run: &Run, lane: u8) -> Result<Lane, Fault> {
    let listed = length(looking, run, lane).await?;
    let new = Lane::new(run.merchant, run.id, lane, listed, looking.now());
    looking.write(StoredLane::following(None, new.clone()).to_item()).await?;
    Ok(new)
}

/// How long the list of a lane is.
async fn length(looking: &Looking<'_>, run: &Run, lane: u8) -> Result<u64, Fault> {
    let (list, until) = list(&run.merchant, run.takes, lane);
    let (mut length, mut after) = (0_u64, None);
    loop {
        let ask = || looking.agenda.listed(&list, Some(&until), after.as_deref(), COUNTED_AT_ONCE);
        let (page, more) = looking.app.shell.patiently(looking.deadline, ask).await?;
        length = length.saturating_add(page.len() as u64);
        match page.into_iter().next_back() {
            Some(last) if more => after = Some(last.place),
            Some(_) | None => return Ok(length),
        }
    }
}

/// What a lane of a run works off, and the end of it.
pub(super) fn list(merchant: &MerchantId, takes: Takes, lane: u8) -> (List, String) {
    match takes {
        Takes::ReadyOn(day) => (List::ready(merchant, lane), through_date(day)),
        Takes::RetriesBy(at) => (List::retries(merchant, lane), through_time(at)),
    }
}
