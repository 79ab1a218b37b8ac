//! What SQS does with messages about payments: at least once, not in order, and after some failures no more.

use kessai_functions::follow_up::follow_up;

use crate::chance::Fault;
use crate::platform::{Done, Purpose};
use crate::story::Lane;
use crate::table::version_of;
use crate::world::{Happening, World};

/// After a failed receive a message is seen again; after so many it is a dead letter.
const VISIBLE_AGAIN_MS: i64 = 30_000;
const RECEIVES: u32 = 4;

/// When somebody sends dead letters back.
const REDRIVE_MS: i64 = 3_600_000;

/// What the queue holds: which payment to look at, and which version of it said so. What a newer version
/// says has its own message.
#[derive(Clone, Copy)]
pub struct Message {
    payment: usize,
    version: u64,
    receives: u32,
}

impl World {
    /// A message about a payment, not before it is due.
    pub(crate) fn remind(&mut self, payment: usize, version: u64, due_ms: i64) {
        let message = Message { payment, version, receives: 0 };
        let late = self.chance.strikes(Fault::MessageLate);
        // Delays are whole seconds.
        let delay = if late { self.chance.millis(2_000..900_000) } else { self.chance.millis(500..1_500) };
        let at = due_ms.max(self.now_ms) + delay;
        self.foresee(at, Happening::Woken(message));
        if self.chance.strikes(Fault::MessageDoubled) {
            let again = self.chance.millis(0..30_000);
            self.foresee(at + again, Happening::Woken(message));
        }
    }

    /// Somebody looked, and nothing newer has its own message.
    pub(crate) fn look_again(&mut self, message: Message, due_ms: Option<i64>) {
        let is_newest = version_of(&self.table.rows[message.payment].item) == message.version;
        if let Some(due_ms) = due_ms.filter(|_| is_newest) {
            self.remind(message.payment, message.version, due_ms);
        }
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
        self.tell(Lane::Queue, Lane::Worker(task), || format!("look at payment {payment}, version {version}"));
        self.start(Purpose::FollowUp(message), move |app, deadline| {
            Box::pin(async move { Done::FollowedUp(follow_up(&app, key, deadline).await) })
        });
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
