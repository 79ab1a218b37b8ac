//! The runs that try again what failed. Whoever writes a schedule of which something is to be tried again sees to it first
//! that the run is there that does.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kessai_shared::ids::MerchantId;
use kessai_shared::recurring::ids::{Cause, RecurringKey, RunId};
use kessai_shared::recurring::run::{Run, Takes};
use kessai_shared::recurring::scheduler::Criteria;
use kessai_shared::rejection::{Fault, Refusal};
use kessai_shared::stored::recurring::run::StoredRun;
use kessai_shared::time::Timestamp;

use super::Looking;

/// What fails together is tried again together: as many retries as fall into so long a time have one run. A retry that
/// comes soon is not held up for long.
const SOON: Duration = Duration::from_secs(60 * 60);
const BUCKET: Duration = Duration::from_secs(15 * 60);
const SOON_BUCKET: Duration = Duration::from_secs(60);

/// The runs that try again which are known to be there.
#[derive(Default)]
pub(super) struct RetryRuns(Mutex<BTreeSet<RunId>>);

impl RetryRuns {
    /// Sees to it that there is a run that tries again what is to be tried again at that time.
    pub(super) async fn ensure(&self, looking: &Looking<'_>, at: Timestamp, now: Timestamp) -> Result<(), Fault> {
        let run = retry_run(looking.merchant, at, now);
        let is_known = self.known().contains(&run.id);
        if !is_known {
            // Known once it is there, and no sooner: others side by side go on to write what needs it.
            looking.write(StoredRun::following(None, run.clone()).to_item()).await?;
            self.known().insert(run.id);
        }
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, BTreeSet<RunId>> {
        // Nothing panics while it holds the lock, so what it guards is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The run that tries again what is to be tried again at that time.
pub fn retry_run(merchant: MerchantId, at: Timestamp, now: Timestamp) -> Run {
    let at = bucket(at, now);
    Run::new(merchant, Cause::Retries(at), Takes::RetriesBy(at), Criteria::default(), now)
}

/// The time of the run that tries again at `at`: not so soon that it could be over before what it is for is written.
fn bucket(at: Timestamp, now: Timestamp) -> Timestamp {
    let at = at.max(now.plus(SOON_BUCKET));
    at.rounded_up(if at.since(now) < SOON { SOON_BUCKET } else { BUCKET })
}

/// What should have been tried again at that time was not: sees to it that there is a run that does, unless one still
/// goes on.
pub(super) async fn try_again_now(looking: &Looking<'_>, at: Timestamp) -> Result<(), Refusal> {
    for bucket in [at.rounded_up(SOON_BUCKET), at.rounded_up(BUCKET)] {
        let run = RunId::of(&looking.merchant, Cause::Retries(bucket));
        let run = looking.read(RecurringKey::Run(run), StoredRun::from_item).await?;
        if run.is_some_and(|stored| stored.run.goes_on()) {
            return Ok(());
        }
    }
    let now = looking.now();
    Ok(RetryRuns::default().ensure(looking, now.plus(SOON_BUCKET).rounded_up(BUCKET), now).await?)
}
