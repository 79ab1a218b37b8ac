//! Whose memory and whose time it is: that of the world, which grows with what is stored there, or that of those who work.
//!
//! The allocator counts what is allocated. Whatever changes what rests (a write, a charge at the gateway, a message) says
//! by how much, because nothing else happens meanwhile on the only thread. All the rest is of those who work: futures,
//! what they have read and not let go of, requests and answers. It is looked at whenever one of them asks for something.
//!
//! The time of the world is what its stores and its gateway take to do what they are asked.

use std::cell::Cell;
use std::time::{Duration, Instant};

use cap::Cap;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: Cap<MiMalloc> = Cap::new(MiMalloc, usize::MAX);

thread_local! {
    static BOOKS: Cell<Books> = const { Cell::new(Books { resting: 0, most_working: 0, world_ns: 0 }) };
}

#[derive(Clone, Copy)]
struct Books {
    /// In bytes.
    resting: usize,
    most_working: usize,
    world_ns: u64,
}

/// Nothing that the world is asked takes longer by itself; what did had to wait for a processor.
const LONGEST: Duration = Duration::from_micros(50);

/// Everything that is there now rests: from here on it is counted.
pub fn begin() {
    BOOKS.set(Books { resting: ALLOCATOR.allocated(), most_working: 0, world_ns: 0 });
}

/// The world does this.
pub fn of_the_world<T>(work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    let took = u64::try_from(begun.elapsed().min(LONGEST).as_nanos()).unwrap_or_default();
    let books = BOOKS.get();
    BOOKS.set(Books { world_ns: books.world_ns + took, ..books });
    done
}

/// What rests is changed by this.
pub fn resting<T>(change: impl FnOnce() -> T) -> T {
    let before = ALLOCATOR.allocated();
    let changed = change();
    let grown = ALLOCATOR.allocated().wrapping_sub(before);
    let books = BOOKS.get();
    BOOKS.set(Books { resting: books.resting.wrapping_add(grown), ..books });
    changed
}

/// So many bytes of what rested are somebody's now who works.
pub fn handed_out(bytes: usize) {
    let books = BOOKS.get();
    BOOKS.set(Books { resting: books.resting.wrapping_sub(bytes), ..books });
}

/// Looks at what those hold who work.
pub fn look() {
    let books = BOOKS.get();
    let working = ALLOCATOR.allocated().saturating_sub(books.resting);
    BOOKS.set(Books { most_working: books.most_working.max(working), ..books });
}

/// The most that was held since the beginning by those who work.
pub fn most_working() -> usize {
    BOOKS.get().most_working
}

/// All that is allocated now.
pub fn allocated() -> usize {
    ALLOCATOR.allocated()
}

/// How long the world has worked since the beginning, in nanoseconds.
pub fn world_ns() -> u64 {
    BOOKS.get().world_ns
}
