//! Waiting for several things at once, where nothing but waiting is to be done: no runtime is needed for that.

use std::future::poll_fn;
use std::task::Poll;

use crate::ports::Pending;

/// What becomes of each, in their order. All of them get on side by side, on whatever waits for this.
pub async fn together<T>(waiting: impl IntoIterator<Item = Pending<'_, T>>) -> Vec<T> {
    let mut waiting: Vec<_> = waiting.into_iter().map(|future| (future, None)).collect();
    poll_fn(|context| {
        let mut is_over = true;
        for (future, done) in &mut waiting {
            if done.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *done = Some(value),
                    Poll::Pending => is_over = false,
                }
            }
        }
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, done)| done).collect()
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn all_get_on_side_by_side_and_come_in_their_order() {
        // Each ends only once all have begun.
        let begun = AtomicUsize::new(0);
        let begun = &begun;
        let wait = |number: usize| -> Pending<'_, usize> {
            begun.store(0, Ordering::Relaxed);
            let mut has_begun = false;
            Box::pin(poll_fn(move |_| {
                begun.fetch_add(usize::from(!has_begun), Ordering::Relaxed);
                has_begun = true;
                if begun.load(Ordering::Relaxed) == 3 { Poll::Ready(number) } else { Poll::Pending }
            }))
        };
        let mut all = pin!(together((0..3).map(wait)));
        let mut poll = || all.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(poll(), Poll::Pending, "the first two wait for the third");
        assert_eq!(poll(), Poll::Ready(vec![0, 1, 2]));
        let mut none = pin!(together(std::iter::empty::<Pending<'_, ()>>()));
        assert_eq!(none.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(vec![]));
    }
}
