//! As many sales without a schedule, through the same code, as many side by side.

use std::sync::Arc;
use std::time::Duration;

use kessai_functions::door::{App, owner, perform_opening};
use kessai_shared::memory::Meter;
use kessai_shared::money::Money;
use kessai_shared::payment::asked::{Amount, Details, OnFile, Opening};
use kessai_shared::payment::{Action, IdempotencyKey, Instrument, Kind, Request};
use kessai_shared::ports::Pending;
use kessai_shared::recurring::ids::LANES;
use kessai_shared::together::together;

use crate::time::Tasks;
use crate::world::World;
use crate::{audit, fill, memory};

/// As many as a lane charges at once.
const SIDE_BY_SIDE: u64 = 5;

const TIME: Duration = Duration::from_secs(25);

pub struct Measured {
    /// Time on a processor, in nanoseconds.
    pub processor_ns: u64,
    /// Of that, what the stores and the gateway took.
    pub world_ns: u64,
    pub payments: Meter,
}

pub fn measure(items: u64) -> Measured {
    let world = World::new(fill::occasion().at);
    let app = Arc::new(world.app());
    let mut callers = Tasks::default();
    memory::begin();
    let begun = audit::on_processor_ns();
    for caller in 0..u64::from(LANES) {
        callers.begin(Box::pin(call(Arc::clone(&world), Arc::clone(&app), caller, items)));
    }
    loop {
        callers.go_on();
        // Nobody needs to be reminded of what is settled.
        world.streams.relay(world.time.now());
        let [batch, _] = world.streams.next();
        match [world.time.next(), batch].into_iter().flatten().min() {
            Some(next) => world.time.move_to(next),
            None => break,
        }
    }
    let processor_ns = audit::on_processor_ns() - begun;
    let (world_ns, payments) = (memory::world_ns(), world.payments.meter());
    audit::ledger(&world, items);
    Measured { processor_ns, world_ns, payments }
}

/// What one caller of so many asks for.
async fn call(world: Arc<World>, app: Arc<App>, caller: u64, items: u64) {
    let numbers: Vec<u64> = (caller..items).step_by(usize::from(LANES)).collect();
    for few in numbers.chunks(usize::try_from(SIDE_BY_SIDE).expect("small")) {
        together(few.iter().map(|number| -> Pending<'_, ()> { Box::pin(sell(&world, &app, *number)) })).await;
    }
}

async fn sell(world: &World, app: &App, number: u64) {
    let deadline = app.shell.clock.now().plus(TIME);
    let merchant = owner(app, world.merchant.id, deadline).await.expect("a merchant");
    let amount = Money::new(fill::amount(number), fill::currency()).to_decimal().expect("an amount");
    let opening = Opening {
        kind: Kind::Sale,
        gateway: world.gateway,
        currency: fill::currency(),
        instrument: Instrument::Stored(OnFile::unopened(world.method)),
    };
    let account = Some(fill::account(number));
    let request = Request {
        action: Action::Open(opening),
        key: IdempotencyKey::parse(&format!("sale-{number}")).expect("a key"),
        amount: Amount::Exactly(amount),
        details: Details { account, submitted_by_merchant: true, ..Details::default() },
    };
    let reply = perform_opening(app, &merchant, request, deadline).await;
    assert!(reply.is_ok_and(|reply| !reply.replayed), "sale {number}");
}
