//! Waiting for several things at once, where nothing but waiting is to be done: no runtime is needed for that.

use std::future::poll_fn;
use std::task::Poll;

use kessai_shared::ports::Pending;

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
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn all_get_on_side_by_side_and_come_in_their_order() {
        // Each ends only once all have begun.
        let begun = AtomicUsize::new(0);
        let begun = &begun;
        let wait = |number: usize| -> Pending<'_, usize> {
            Box::pin(async move {
                begun.fetch_add(1, Ordering::Relaxed);
                while begun.load(Ordering::Relaxed) < 3 {
                    tokio::task::yield_now().await;
                }
                number
            })
        };
        assert_eq!(together((0..3).map(wait)).await, [0, 1, 2]);
        assert_eq!(together(std::iter::empty::<Pending<'_, ()>>()).await, []);
    }
}
