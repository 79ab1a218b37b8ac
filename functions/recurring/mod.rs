//! What recurs, carried out: whoever is reminded of a scheduler, a run or a lane looks at it here.

use kessai_shared::ids::{ItemKey, MerchantId};
use kessai_shared::ports::Agenda;
use kessai_shared::recurring::ids::RecurringKey;
use kessai_shared::rejection::{Fault, Refusal};
use kessai_shared::reminder::{Errand, Image};
use kessai_shared::time::Timestamp;

use crate::door::App;
use crate::follow_up::Left;

/// Where what recurs is kept.
pub fn schedules(app: &App) -> Result<&dyn Agenda, Fault> {
    app.schedules.as_deref().ok_or_else(|| Fault::SetUp("this function has no schedules".to_owned()))
}

/// Looks at what recurs; how that left it. None where there is nothing of that name.
pub async fn look(
    app: &App,
    merchant: MerchantId,
    key: RecurringKey,
    deadline: Timestamp,
) -> Result<Option<Left>, Refusal> {
    let (schedules, key) = (schedules(app)?, ItemKey::Recurring(merchant, key).to_string());
    let Some(item) = app.shell.patiently(deadline, || schedules.read(&key)).await? else { return Ok(None) };
    let image = Image::of(&item).map_err(Fault::from)?;
    let due = image.due(Errand::FollowUp).map(|due| due.at);
    Ok(Some(Left { version: image.reminder.version, due, late: None, settled: Vec::new() }))
}
