//! Whose memory it is: that of the world, which grows with what is stored there, or that of those who work.
//!
//! The allocator counts what is allocated. What the world's thread allocates rests, all else is of those who work:
//! futures, what they have read and not let go of, requests and answers. It is looked at whenever one of them asks for
//! something. The books are exact although two threads allocate, because they never do so at the same time.
//!
//! It is the system's allocator, which the functions have too. It gives each thread an arena, and what a thread is done
//! with goes back to its own; others hand pages from one thread to the next.

use std::alloc::System;
use std::sync::atomic::{AtomicUsize, Ordering};

use cap::Cap;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// In bytes. What one thread writes the other reads behind the channel between them, which puts it in order.
static RESTING: AtomicUsize = AtomicUsize::new(0);
static MOST_WORKING: AtomicUsize = AtomicUsize::new(0);

/// Everything that is there now rests: from here on it is counted.
pub fn begin() {
    RESTING.store(ALLOCATOR.allocated(), Ordering::Relaxed);
    MOST_WORKING.store(0, Ordering::Relaxed);
}

/// What rests is changed by this.
pub fn resting(change: impl FnOnce()) {
    let before = ALLOCATOR.allocated();
    change();
    RESTING.fetch_add(ALLOCATOR.allocated().wrapping_sub(before), Ordering::Relaxed);
}

/// Looks at what those hold who work.
pub fn look() {
    let working = ALLOCATOR.allocated().saturating_sub(RESTING.load(Ordering::Relaxed));
    MOST_WORKING.fetch_max(working, Ordering::Relaxed);
}

/// The most that was held since the beginning by those who work.
pub fn most_working() -> usize {
    MOST_WORKING.load(Ordering::Relaxed)
}

/// All that is allocated now.
pub fn allocated() -> usize {
    ALLOCATOR.allocated()
}
