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

use crate::cost::{Cost, Watch};
use crate::time::Tasks;
use crate::world::World;
use crate::{audit, fill};

/// As many as a lane charges at once.
const SIDE_BY_SIDE: usize = 5;

const TIME: Duration = Duration::from_secs(25);

pub struct Measured {
    pub cost: Cost,
    pub payments: Meter,
}

pub fn measure(items: u64) -> Measured {
    let world = World::new(fill::occasion().at);
    let watch = Watch::start(&world);
    until_all_are_sold(&world, items);
    let cost = watch.stop(&world);
    audit::ledger(&world, items);
    Measured { cost, payments: world.rests.at_once(|resting| resting.payments.memory.meter()) }
}

fn until_all_are_sold(world: &Arc<World>, items: u64) {
    let app = Arc::new(world.app());
    let mut callers = Tasks::default();
    for caller in 0..u64::from(LANES) {
        callers.begin(Box::pin(call(Arc::clone(world), Arc::clone(&app), caller, items)));
    }
    loop {
        // Nobody needs to be reminded of what is settled.
        world.relay();
        callers.go_on();
        if world.rests.hand_over() {
            continue;
        }
        match [world.time.next(), world.rests.next().batch].into_iter().flatten().min() {
            Some(next) => world.time.move_to(next),
            None => return,
        }
    }
}

/// What one caller of so many asks for.
async fn call(world: Arc<World>, app: Arc<App>, caller: u64, items: u64) {
    let mut numbers = (caller..items).step_by(usize::from(LANES));
    loop {
        let few: Vec<u64> = numbers.by_ref().take(SIDE_BY_SIDE).collect();
        if few.is_empty() {
            return;
        }
        together(few.into_iter().map(|number| -> Pending<'_, ()> { Box::pin(sell(&world, &app, number)) })).await;
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
