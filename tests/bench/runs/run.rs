//! A payment run over everything, from the eve of its scheduler's time until everything is quiet.

use std::sync::Arc;
use std::time::Duration;

use kessai_functions::batch::Message;
use kessai_functions::door::App;
use kessai_functions::follow_up;
use kessai_shared::memory::Meter;
use kessai_shared::ports::Queue;
use kessai_shared::recurring::run::Run;
use kessai_shared::reminder::{Reminder, TICK};
use kessai_shared::time::Timestamp;
use serde_json::json;

use crate::cost::{Cost, Watch};
use crate::streams::Next;
use crate::tick::tick;
use crate::time::Tasks;
use crate::world::World;
use crate::{audit, fill, memory};

/// As the template says: how long follow-up has, and how many messages are in its hands at once.
const FOLLOW_UP_HAS: Duration = Duration::from_secs(25);
const AT_ONCE: usize = 10 * 10;

/// So long before its scheduler's time everything was made: longer than a queue can hold a reminder back, so that a tick
/// must find it.
const THE_EVE: Duration = Duration::from_secs(20 * 60);

/// What it took.
pub struct Measured {
    pub cost: Cost,
    /// How long it would have been, had anybody waited.
    pub lasted: Duration,
    /// What those held at most who worked, and what rests at the end; in bytes.
    pub most_working: usize,
    pub resting: usize,
    pub payments: Meter,
    pub schedules: Meter,
    pub vault: Meter,
    /// Messages of the queue.
    pub messages: u64,
}

pub fn measure(items: u64) -> Measured {
    let time_comes = fill::occasion().at;
    let eve_ms = i64::try_from(THE_EVE.as_millis()).expect("small");
    let world = World::new(Timestamp::from_millis(time_comes.as_millis() - eve_ms));
    fill::schedules(&world, items);
    let scheduler = fill::scheduler(&world);
    let watch = Watch::start(&world);
    Functions::of(&world).until_all_is_quiet(time_comes);
    let cost = watch.stop(&world);
    let (most_working, resting) = (memory::most_working(), memory::allocated());
    let (meters, messages) = world.rests.at_once(|resting| {
        let tables = [&resting.payments, &resting.schedules, &resting.vault];
        (tables.map(|table| table.memory.meter()), resting.streams.sent())
    });
    let Run { created_at, completed_at, .. } = audit::run(&world, scheduler.id, items);
    let lasted = completed_at.expect("it is completed").since(created_at);
    let [payments, schedules, vault] = meters;
    Measured { cost, lasted, most_working, resting, payments, schedules, vault, messages }
}

/// Whoever is reminded, and the tick.
struct Functions {
    world: Arc<World>,
    app: Arc<App>,
    queue: Arc<dyn Queue>,
    looks: Tasks,
    ticks: Tasks,
    next_tick: Timestamp,
}

impl Functions {
    fn of(world: &Arc<World>) -> Self {
        Self {
            world: Arc::clone(world),
            app: Arc::new(world.app()),
            queue: world.queue(),
            looks: Tasks::default(),
            ticks: Tasks::default(),
            next_tick: world.time.now(),
        }
    }

    /// Until nothing goes on any more after that time.
    fn until_all_is_quiet(mut self, time_comes: Timestamp) {
        let world = Arc::clone(&self.world);
        loop {
            self.begin();
            self.looks.go_on();
            self.ticks.go_on();
            if world.rests.hand_over() {
                continue;
            }
            let (now, Next { batch, message }) = (world.time.now(), world.rests.next());
            let message = message.filter(|_| self.looks.count() < AT_ONCE);
            let next = [world.time.next(), batch, message].into_iter().flatten().min();
            if next.is_none() && now > time_comes {
                return;
            }
            world.time.move_to(next.map_or(self.next_tick, |next| next.min(self.next_tick)).max(now));
        }
    }

    /// All that can begin now does.
    fn begin(&mut self) {
        let Self { world, app, queue, .. } = self;
        world.relay();
        for reminder in world.receive(AT_ONCE - self.looks.count()) {
            self.looks.begin(Box::pin(look(Arc::clone(app), Arc::clone(queue), reminder)));
        }
        if world.time.now() >= self.next_tick {
            self.next_tick = self.next_tick.plus(TICK);
            self.ticks.begin(Box::pin(tick(Arc::clone(world), Arc::clone(app), Arc::clone(queue))));
        }
    }
}

async fn look(app: Arc<App>, queue: Arc<dyn Queue>, reminder: Reminder) {
    let message = json!({ "messageId": "1", "body": reminder.message() });
    let message: Message = serde_json::from_value(message).expect("a message");
    let deadline = app.shell.clock.now().plus(FOLLOW_UP_HAS);
    let is_handled = follow_up::handle(&app, &queue, &message, deadline).await;
    assert!(is_handled, "{reminder:?}");
}
