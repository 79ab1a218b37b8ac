//! What a history of payment runs is like.

#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub seed: u64,
    /// One call in so many fails, one worker in so many is killed at each of its calls.
    pub fails_one_in: Option<u32>,
    pub killed_one_in: Option<u32>,
    /// Every message comes so often, at the same moment.
    pub copies: u32,
    pub schedules: u32,
    /// Two schedulers share the items by what they match; else one takes all.
    pub shares: bool,
    /// Their runs begin at the same moment.
    pub at_once: bool,
    /// The last retry is made with another method of the payer.
    pub other_method: bool,
}

impl Plan {
    /// The history of a seed.
    pub fn of(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed ^ 0x005c_4ed0);
        let fails_one_in = [None, Some(150), Some(40)][random.usize(0..3)];
        let killed_one_in = [None, Some(300), Some(60)][random.usize(0..3)];
        let (copies, schedules) = (random.u32(1..3), random.u32(1..7));
        let (shares, other_method, at_once) = (random.bool(), random.bool(), random.bool());
        Self { seed, fails_one_in, killed_one_in, copies, schedules, shares, at_once, other_method }
    }
}
