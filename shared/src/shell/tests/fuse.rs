//! Calls to the world that never return, and futures that are polled once.

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

/// Runs a future as far as it comes: none where it waits for what never happens.
pub(super) fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Runs a future that has nothing to wait for.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    poll_once(future).expect("nothing waits for ever")
}

/// When a call to the world stops for ever: before it took effect or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Before,
    After,
}

/// Counts the calls to the world, and stops at the one that it was told.
#[derive(Default)]
pub(super) struct Fuse(Mutex<(usize, Option<(usize, Moment)>)>);

impl Fuse {
    pub(super) fn burn_at(&self, call: Option<(usize, Moment)>) {
        *self.0.lock().expect("a fuse") = (0, call);
    }

    pub(super) async fn around<T>(&self, call: impl Future<Output = T>) -> T {
        let burns = {
            let mut fuse = self.0.lock().expect("a fuse");
            let burns = fuse.1.filter(|(at, _)| *at == fuse.0).map(|(_, moment)| moment);
            fuse.0 += 1;
            burns
        };
        if burns == Some(Moment::Before) {
            pending::<()>().await;
        }
        let done = call.await;
        if burns == Some(Moment::After) {
            pending::<()>().await;
        }
        done
    }
}
