//! A run begins the lanes that have anything to do, sums them up while they work, and ends with the last.

use kessai_shared::ids::MerchantId;
use kessai_shared::ports::Pending;
use kessai_shared::recurring::ids::{LANES, RecurringKey, RunId};
use kessai_shared::recurring::run::{Lane, Run, Takes, lanes};
use kessai_shared::rejection::{Fault, Refusal};
use kessai_shared::stored::recurring::lane::StoredLane;
use kessai_shared::stored::recurring::lists::{List, through, through_day};
use kessai_shared::stored::recurring::run::StoredRun;
use kessai_shared::together::together;

use super::Looking;

/// As many as one page of a list is asked for at most to learn how long it is.
const COUNTED_AT_ONCE: u16 = 1000;

pub(super) async fn look(looking: &Looking<'_>, id: RunId) -> Result<(), Refusal> {
    let Some(stored) = looking.read(RecurringKey::Run(id), StoredRun::from_item).await? else { return Ok(()) };
    let next = match stored.run.started_at {
        None if stored.run.goes_on() => {
            let lanes = begin(looking, &stored.run).await?;
            stored.run.started(lanes, looking.now())
        }
        None | Some(_) => stored.run.summed(&all_lanes(looking, &stored.run).await?, looking.now()),
    };
    // Where somebody else has written, what is stored says when to look.
    looking.write(StoredRun::following(Some(&stored), next).to_item()).await?;
    Ok(())
}

/// Makes every lane that has anything to do; their bits. What is there already stays as it is.
async fn begin(looking: &Looking<'_>, run: &Run) -> Result<u64, Refusal> {
    let beginning = (0..LANES).map(|lane| -> Pending<'_, Result<u64, Fault>> {
        Box::pin(async move {
            let listed = length(looking, run, lane).await?;
            if listed == 0 {
                return Ok(0);
            }
            let new = Lane::new(run.merchant, run.id, lane, listed, looking.now());
            looking.write(StoredLane::following(None, new).to_item()).await?;
            Ok(1 << lane)
        })
    });
    let begun: Result<Vec<_>, _> = together(beginning).await.into_iter().collect();
    Ok(begun?.into_iter().fold(0, |bits, bit| bits | bit))
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

async fn all_lanes(looking: &Looking<'_>, run: &Run) -> Result<Vec<Lane>, Refusal> {
    let reading = lanes(run.lanes).map(|lane| -> Pending<'_, Result<Option<StoredLane>, Fault>> {
        Box::pin(looking.read(RecurringKey::Lane(run.id, lane), StoredLane::from_item))
    });
    let read: Result<Vec<_>, _> = together(reading).await.into_iter().collect();
    Ok(read?.into_iter().flatten().map(|stored| stored.lane).collect())
}

/// What a lane of a run works off, and the end of it.
pub(super) fn list(merchant: &MerchantId, takes: Takes, lane: u8) -> (List, String) {
    match takes {
        Takes::ReadyOn(day) => (List::ready(merchant, lane), through_day(day)),
        Takes::RetriesBy(at) => (List::retries(merchant, lane), through(at)),
    }
}
