//! What the tick knows of DynamoDB, played by the tables that rest here.
//!
//! The tick knows its tables by their type, and that of `kessai-infra` speaks to AWS. This crate goes by the name of that
//! one, so that the tick, which is the function's own source, finds these.

use std::sync::Arc;

use kessai_shared::ports::StoreFault;
use kessai_shared::reminder::Errand;
use kessai_shared::time::Timestamp;

use self::due::{Page, Place};
use crate::resting::Of;
use crate::world::{Table, World};

pub mod due {
    use kessai_shared::reminder::Image;
    use kessai_shared::stored::Unreadable;

    use crate::resting;

    pub struct Page {
        pub images: Vec<Image>,
        pub unreadable: Vec<Unreadable>,
        pub next: Option<Place>,
    }

    pub struct Place(pub(super) resting::Place);

    impl Place {
        pub fn after(_: &str) -> Self {
            unreachable!("only a sweep begins somewhere")
        }

        pub fn key(&self) -> Option<&str> {
            None
        }
    }
}

/// A query answers with a megabyte at most; what an index holds of an item has 200 bytes at most.
const PAGE: usize = 5_000;

pub struct DynamoDb(Table);

impl DynamoDb {
    pub fn new(world: &Arc<World>, of: Of) -> Self {
        Self(Table { world: Arc::clone(world), of })
    }

    pub async fn late(&self, errand: Errand, horizon: Timestamp, place: Option<Place>) -> Result<Page, StoreFault> {
        let (of, after) = (self.0.of, place.map(|place| place.0));
        let images = self.0.ask(move |resting| of(resting).late(errand).until(horizon, after, PAGE)).await;
        let last = images.get(PAGE - 1).and_then(|image| Some((image.due(errand)?.at, image.reminder.item)));
        Ok(Page { images, unreadable: Vec::new(), next: last.map(Place) })
    }

    #[expect(clippy::unused_async, reason = "as the real one is asked")]
    pub async fn due(&self, _: Timestamp, _: Option<Place>) -> Result<Page, StoreFault> {
        unreachable!("nobody sweeps")
    }
}
