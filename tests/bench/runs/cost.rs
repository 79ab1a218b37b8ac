//! What the processor does: for those who work, and for the world.

use crate::memory;
use crate::world::World;

/// Time on a processor, in nanoseconds.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Of those who work: that is Kessai, and what has it wait.
    pub working_ns: u64,
    /// Of what they ask, which is the stores in memory and the gateway's model.
    pub world_ns: u64,
}

/// Measures it from here on.
pub struct Watch(Cost);

impl Watch {
    pub fn start(world: &World) -> Self {
        let cost = so_far(world);
        memory::begin();
        Self(cost)
    }

    pub fn stop(self, world: &World) -> Cost {
        let now = so_far(world);
        Cost { working_ns: now.working_ns - self.0.working_ns, world_ns: now.world_ns - self.0.world_ns }
    }
}

fn so_far(world: &World) -> Cost {
    let world_ns = world.rests.at_once(|_| on_processor_ns());
    Cost { working_ns: on_processor_ns(), world_ns }
}

/// How long this thread has been on a processor.
fn on_processor_ns() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells of each thread");
    told.split(' ').next().and_then(|spent| spent.parse().ok()).expect("nanoseconds")
}
