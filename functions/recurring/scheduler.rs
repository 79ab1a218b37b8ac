//! A scheduler whose time has come starts a run.

use kessai_shared::recurring::ids::{RecurringKey, SchedulerId};
use kessai_shared::rejection::Refusal;
use kessai_shared::stored::recurring::run::StoredRun;
use kessai_shared::stored::recurring::scheduler::StoredScheduler;

use super::Looking;

/// Times that one look catches up with; the rest is due again at once.
const AT_ONCE: usize = 16;

/// Starts a run for each of its times that has come, the earliest first: the run is there before the scheduler goes on,
/// and has the same name whoever starts it, however often.
pub(super) async fn look(looking: &Looking<'_>, id: SchedulerId) -> Result<(), Refusal> {
    let stored = looking.read(RecurringKey::Scheduler(id), StoredScheduler::from_item);
    let Some(mut stored) = stored.await? else { return Ok(()) };
    for _ in 0..AT_ONCE {
        let Some((run, moved)) = stored.scheduler.started(looking.now()) else { break };
        looking.write(StoredRun::following(None, run).to_item()).await?;
        let moved = StoredScheduler::following(Some(&stored), moved);
        if !looking.write(moved.to_item()).await? {
            // Somebody else has moved it on, or changed it.
            break;
        }
        stored = moved;
    }
    Ok(())
}
