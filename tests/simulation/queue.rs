//! What SQS does with messages about payments, and Lambda with calls for which nobody waits: at least once, not in order,
//! and after some failures no more. And the tick, which sends them for what is due later than they can be held back.

use kessai_functions::deliver_event::{self, Means};
use kessai_functions::follow_up::look;
use kessai_shared::reminder::{Delayed, Due, Errand, Reminder, TICK};
use kessai_shared::shell::Look;
use kessai_shared::time::Timestamp;

use crate::chance::Fault;
use crate::platform::{Done, Purpose, Work, millis};
use crate::story::Lane;
use crate::table::{image_of, version_of};
use crate::world::{Happening, START_MS, World};

/// After a failed receive a message is seen again; after so many it is a dead letter.
const VISIBLE_AGAIN_MS: i64 = 30_000;
const RECEIVES: u32 = 4;

/// When somebody sends dead letters back.
const REDRIVE_MS: i64 = 3_600_000;

/// What the queues hold: which payment to look at, and which version of it said so. What a newer version
/// says has its own message.
#[derive(Clone, Copy)]
pub struct Message {
    payment: usize,
    errand: Errand,
    reminder: Reminder,
    receives: u32,
}

impl World {
    /// A message about a payment, held back for a while.
    pub(crate) fn remind(&mut self, payment: usize, delayed: Delayed) {
        let message = Message { payment, errand: delayed.errand, reminder: delayed.reminder, receives: 0 };
        let late = self.chance.strikes(Fault::MessageLate);
        let more = if late { self.chance.millis(2_000..900_000) } else { self.chance.millis(50..1_000) };
        let at = self.now_ms + millis(delayed.delay) + more;
        self.foresee(at, Happening::Woken(message));
        if self.chance.strikes(Fault::MessageDoubled) {
            let again = self.chance.millis(0..30_000);
            self.foresee(at + again, Happening::Woken(message));
        }
    }

    /// Somebody looked; if nothing came of it and nothing else reminds, the same message goes out again.
    pub(crate) fn look_again(&mut self, message: Message, look: Option<Look>, now: Timestamp) {
        let Message { payment, errand, reminder, .. } = message;
        if let Some(due) = look.and_then(|Look { payment, .. }| reminder.again(payment.version, payment.due_at())) {
            self.remind(payment, Delayed { reminder, errand, delay: errand.delay(due, now), trace: None });
        }
    }

    /// What is due later than a reminder can be held back is found by the tick at one of its turns; the next of them.
    pub(crate) fn await_tick(&mut self, payment: usize, errand: Errand) {
        let image = image_of(&self.table.rows[payment].item);
        let Some(Due { at: due, .. }) = image.due(errand).filter(|due| due.is_late) else { return };
        let minute = millis(TICK);
        let ahead = millis(errand.horizon(self.time()).since(self.time()));
        let first = (START_MS + self.now_ms).max(due.as_millis() - ahead).div_euclid(minute) + 1;
        // A tick that will never come reminds of nothing, and then the auditor says so.
        let ticks = (first..first + 60 * 24 * 365).map(|tick| moment(tick * minute));
        if let Some(tick) = { ticks }.find(|tick| errand.is_turn(due, *tick)) {
            let version = image.reminder.version;
            self.foresee(tick.as_millis() - START_MS, Happening::Ticked { payment, errand, version });
        }
    }

    /// The tick reads the index.
    pub(crate) fn tick(&mut self, payment: usize, errand: Errand, version: u64) {
        let image = image_of(&self.table.rows[payment].item);
        if image.reminder.version != version {
            return;
        }
        if !self.chance.strikes(Fault::TickMissed) {
            self.tell(Lane::Queue, Lane::Queue, || format!("the tick finds payment {payment}, version {version}"));
            if let Some(delayed) = image.delayed(errand, self.time()) {
                self.remind(payment, delayed);
            }
        }
        self.await_tick(payment, errand);
    }

    /// Somebody looks at a payment.
    pub(crate) fn wake(&mut self, message: Message) {
        let Message { payment, .. } = message;
        if self.chance.strikes(Fault::MessageDead) {
            self.tell(Lane::Queue, Lane::Queue, || "whoever gets the message fails every time".to_owned());
            return self.give_back(Message { receives: RECEIVES, ..message });
        }
        let row = &self.table.rows[payment];
        let key = row.key;
        let version = version_of(&row.item);
        let task = self.tasks.len();
        match message.errand {
            Errand::FollowUp => {
                self.tell(Lane::Queue, Lane::Worker(task), || format!("look at payment {payment}, version {version}"));
                self.start(Purpose::FollowUp(message), move |Work { app, .. }, deadline| {
                    Box::pin(async move { Done::FollowedUp(look(&app, key, deadline).await) })
                });
            }
            Errand::Deliver => {
                self.tell(Lane::Queue, Lane::Worker(task), || format!("tell of payment {payment}, version {version}"));
                self.start(Purpose::Deliver(message), move |work, deadline| {
                    let Work { app, deliveries, .. } = work;
                    Box::pin(async move {
                        let means = Means { deliveries: &*deliveries, bus: None };
                        Done::Delivered(deliver_event::tell(&app, means, key, deadline).await)
                    })
                });
            }
        }
    }

    /// The message was not handled.
    pub(crate) fn give_back(&mut self, message: Message) {
        let receives = message.receives + 1;
        if receives < RECEIVES {
            self.foresee_in(VISIBLE_AGAIN_MS, Happening::Woken(Message { receives, ..message }));
        } else if self.is_calm {
            self.foresee_in(REDRIVE_MS, Happening::Woken(Message { receives: 0, ..message }));
        } else {
            self.platform.dead_letters.push(message);
        }
    }

    /// Dead letters are sent back.
    pub(crate) fn redrive(&mut self) {
        for message in std::mem::take(&mut self.platform.dead_letters) {
            self.foresee_in(1_000, Happening::Woken(Message { receives: 0, ..message }));
        }
    }
}

fn moment(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}
