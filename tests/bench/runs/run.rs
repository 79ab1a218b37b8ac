//! A payment run over everything, from its scheduler's time until everything is quiet.

use std::sync::Arc;
use std::time::Duration;

use kessai_functions::batch::Message;
use kessai_functions::door::App;
use kessai_functions::follow_up;
use kessai_shared::ids::ItemKey;
use kessai_shared::memory::{Memory, Meter};
use kessai_shared::ports::Queue;
use kessai_shared::recurring::ids::RecurringKey;
use kessai_shared::recurring::run::Run;
use kessai_shared::reminder::Reminder;
use kessai_shared::time::Timestamp;
use serde_json::json;

use crate::streams::Again;
use crate::time::Tasks;
use crate::world::World;
use crate::{audit, fill, memory};

/// As the template says: how long follow-up has, and how many messages are in its hands at once.
const FOLLOW_UP_HAS: Duration = Duration::from_secs(25);
const AT_ONCE: usize = 10 * 10;

/// So long before its scheduler's time everything was made.
const THE_EVE_MS: i64 = 60 * 60 * 1_000;

/// What it took.
pub struct Measured {
    /// Time on a processor, in nanoseconds.
    pub processor_ns: u64,
    /// Of that, what the stores and the gateway took.
    pub world_ns: u64,
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
    let world = World::new(Timestamp::from_millis(time_comes.as_millis() - THE_EVE_MS));
    fill::schedules(&world, items);
    let scheduler = fill::scheduler(&world);
    let scheduled = Reminder {
        item: ItemKey::Recurring(world.merchant.id, RecurringKey::Scheduler(scheduler.id)),
        version: scheduler.version,
    };
    world.streams.send_at(scheduled, time_comes);
    let mut follow_up = FollowUp::of(&world);
    memory::begin();
    let begun = audit::on_processor_ns();
    follow_up.until_all_is_quiet();
    let processor_ns = audit::on_processor_ns() - begun;
    let world_ns = memory::world_ns();
    let (most_working, resting) = (memory::most_working(), memory::allocated());
    let meters = [&world.payments, &world.schedules, &world.vault].map(Memory::meter);
    let Run { created_at, completed_at, .. } = audit::run(&world, &scheduler, items);
    let lasted = completed_at.expect("it is completed").since(created_at);
    let [payments, schedules, vault] = meters;
    Measured {
        processor_ns,
        world_ns,
        lasted,
        most_working,
        resting,
        payments,
        schedules,
        vault,
        messages: world.streams.sent(),
    }
}

/// Whoever is reminded.
struct FollowUp {
    world: Arc<World>,
    app: Arc<App>,
    queue: Arc<dyn Queue>,
    looks: Tasks,
}

impl FollowUp {
    fn of(world: &Arc<World>) -> Self {
        let queue = Arc::new(Again(Arc::clone(world)));
        Self { world: Arc::clone(world), app: Arc::new(world.app()), queue, looks: Tasks::default() }
    }

    fn until_all_is_quiet(&mut self) {
        loop {
            let World { time, streams, .. } = &*self.world;
            streams.relay(time.now());
            while self.looks.count() < AT_ONCE
                && let Some(reminder) = streams.receive(time.now())
            {
                self.looks.begin(Box::pin(look(Arc::clone(&self.app), Arc::clone(&self.queue), reminder)));
            }
            self.looks.go_on();
            let [batch, message] = streams.next();
            let message = message.filter(|_| self.looks.count() < AT_ONCE);
            match [time.next(), batch, message].into_iter().flatten().min() {
                Some(next) => time.move_to(next.max(time.now())),
                None => return,
            }
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
