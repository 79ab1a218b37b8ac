//! How those who work ask the world, which has a thread of its own.
//!
//! The allocator keeps a heap for each thread. So what rests, gigabytes of it, is in another heap than what those hold who
//! work, and neither finds its memory among the other's.
//!
//! What somebody asks is put down, and he waits. Once nobody can go on, all of it is handed over at once, is answered in
//! the order in which it was asked, and then everybody goes on: one thread waits while the other works, always at the
//! same places, so what happens is the same each time. What crosses is copied by whoever gets it, and each side frees
//! what it has made: the world keeps copies of what it is given, and who asked takes one of the answer.

use std::future::poll_fn;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread::{Builder, JoinHandle};

use crate::memory;
use crate::resting::Resting;
use crate::streams::Next;
use crate::time::locked;

/// To the world, and the way to it.
pub struct Across {
    /// What nobody has handed over yet.
    asked: Mutex<Batch>,
    /// What was answered: once nobody can go on, who asked knows the answers.
    known: Mutex<Batch>,
    /// When the world's streams have something next.
    next: Mutex<Next>,
    to: Option<SyncSender<Turn>>,
    from: Mutex<Receiver<Turn>>,
    thread: Option<JoinHandle<()>>,
}

/// What crosses: what is asked, what may be forgotten because its answer is known; back, it is answered and forgotten.
struct Turn {
    asked: Batch,
    known: Batch,
    next: Next,
}

type Batch = Vec<Arc<dyn Ask>>;

trait Ask: Send + Sync {
    /// Here and in the next, the world's thread works; in the last, that of who asked.
    fn answer(&self, resting: &mut Resting);
    fn forget(&self);
    fn wake(&self);
}

/// What is to be done in the world, and what came of it.
pub struct Asked<W, T> {
    work: W,
    told: Mutex<Told<T>>,
}

struct Told<T> {
    answer: Option<T>,
    waits: Option<Waker>,
}

impl<W, T> Ask for Asked<W, T>
where
    W: Fn(&mut Resting) -> T + Send + Sync,
    T: Send,
{
    fn answer(&self, resting: &mut Resting) {
        let answer = (self.work)(resting);
        locked(&self.told).answer = Some(answer);
    }

    fn forget(&self) {
        locked(&self.told).answer = None;
    }

    fn wake(&self) {
        if let Some(waits) = locked(&self.told).waits.take() {
            waits.wake();
        }
    }
}

impl<W, T: Clone> Asked<W, T> {
    /// The answer, if it is there.
    fn known(&self) -> Option<T> {
        locked(&self.told).answer.clone()
    }
}

impl Across {
    /// A world where this rests.
    pub fn to(world: impl FnOnce() -> Resting + Send + 'static) -> Self {
        let (to, asked) = sync_channel::<Turn>(1);
        let (answered, from) = sync_channel(1);
        let serve = move || {
            let mut resting = world();
            for Turn { asked, known, .. } in asked {
                memory::resting(|| {
                    known.iter().for_each(|known| known.forget());
                    asked.iter().for_each(|asked| asked.answer(&mut resting));
                });
                let next = resting.streams.next();
                if answered.send(Turn { asked, known, next }).is_err() {
                    return;
                }
            }
        };
        let thread = Builder::new().name("world".to_owned()).spawn(serve).expect("a thread");
        Self {
            asked: Mutex::default(),
            known: Mutex::default(),
            next: Mutex::default(),
            to: Some(to),
            from: Mutex::new(from),
            thread: Some(thread),
        }
    }

    /// Has something done in the world; nobody waits for it.
    pub fn put<W, T>(&self, work: W) -> Arc<Asked<W, T>>
    where
        W: Fn(&mut Resting) -> T + Send + Sync + 'static,
        T: Send + 'static,
    {
        memory::look();
        let asked = Arc::new(Asked { work, told: Mutex::new(Told { answer: None, waits: None }) });
        locked(&self.asked).push(asked.clone());
        asked
    }

    /// What comes of it, for whoever waits.
    pub async fn ask<W, T>(&self, work: W) -> T
    where
        W: Fn(&mut Resting) -> T + Send + Sync + 'static,
        T: Clone + Send + 'static,
    {
        let asked = self.put(work);
        poll_fn(|context| match asked.known() {
            Some(answer) => Poll::Ready(answer),
            None => {
                locked(&asked.told).waits = Some(context.waker().clone());
                Poll::Pending
            }
        })
        .await
    }

    /// What comes of it, now.
    pub fn at_once<W, T>(&self, work: W) -> T
    where
        W: Fn(&mut Resting) -> T + Send + Sync + 'static,
        T: Clone + Send + 'static,
    {
        let asked = self.put(work);
        // Somebody may not have gone on yet who was answered before.
        self.cross(Batch::new());
        asked.known().expect("all that is handed over is answered")
    }

    /// The world answers all that it is asked, for nobody can go on. Whether that was anything.
    pub fn hand_over(&self) -> bool {
        let is_asked = !locked(&self.asked).is_empty();
        if is_asked {
            let known = std::mem::take(&mut *locked(&self.known));
            self.cross(known);
        }
        is_asked
    }

    fn cross(&self, known: Batch) {
        let asked = std::mem::take(&mut *locked(&self.asked));
        let turn = Turn { asked, known, next: Next::default() };
        // Whatever went wrong there has been said by its panic.
        self.to.as_ref().and_then(|to| to.send(turn).ok()).expect("the world is there");
        let Turn { mut asked, next, .. } = locked(&self.from).recv().expect("the world answers");
        *locked(&self.next) = next;
        asked.iter().for_each(|asked| asked.wake());
        locked(&self.known).append(&mut asked);
    }

    /// When the world's streams have something next.
    pub fn next(&self) -> Next {
        *locked(&self.next)
    }
}

impl Drop for Across {
    /// The world is gone once this is.
    fn drop(&mut self) {
        self.to = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
