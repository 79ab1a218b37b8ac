//! The tick, as a rule calls it each minute.

use std::sync::Arc;
use std::time::Duration;

use kessai_functions::door::App;
use kessai_shared::ports::Queue;

use self::scheduler_tick::{Tick, Ticking};
use crate::dynamodb::DynamoDb;
use crate::world::World;

#[expect(dead_code, reason = "it is the function's own source, and not all of it is asked for here")]
#[path = "../../../functions/scheduler-tick/mod.rs"]
mod scheduler_tick;

/// As the template says.
const TICK_HAS: Duration = Duration::from_secs(900);

pub async fn tick(world: Arc<World>, app: Arc<App>, queue: Arc<dyn Queue>) {
    let now = world.time.now();
    let payments = DynamoDb::new(&world, |resting| &mut resting.payments);
    let vault = DynamoDb::new(&world, |resting| &mut resting.vault);
    let schedules = DynamoDb::new(&world, |resting| &mut resting.schedules);
    let ticking = Ticking {
        payments: &payments,
        vault: &vault,
        schedules: &schedules,
        queue: &*queue,
        journal: &*app.shell.journal,
        now,
        deadline: now.plus(TICK_HAS),
        clock: &*app.shell.clock,
    };
    ticking.tick(Tick::default()).await.expect("nothing fails here");
}
