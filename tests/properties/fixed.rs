//! The same inputs in every run: for proptest a seed, for bolero an engine of our own, because its own
//! starts each run at another random place.

use bolero::bolero_engine::{driver, panic};
use bolero::{Engine, Test};
use proptest::test_runner::{Config, RngSeed};

/// Any number will do, as long as it stays.
const SEED: u64 = 0x6b65_7373_6169;

/// So many cases, always the same; `PROPTEST_CASES` and `PROPTEST_RNG_SEED` are not asked.
pub fn cases(cases: u32) -> Config {
    Config { cases, rng_seed: RngSeed::Fixed(SEED), failure_persistence: None, ..Config::default() }
}

/// A fuzz target that is a test as well. What a fuzzer once found and left in the target's folder is
/// tried first, then the fixed inputs; under `cargo bolero` the first line does not return.
macro_rules! fuzz {
    ($iterations:expr, $generator:expr, $property:expr) => {
        bolero::check!().with_iterations(0).with_generator($generator).for_each($property);
        let engine = crate::fixed::Fixed { iterations: $iterations };
        bolero::TestTarget::new(engine).with_generator($generator).for_each($property);
    };
}

/// Runs a target over so many inputs made from [`SEED`], and shrinks the first that fails.
pub struct Fixed {
    pub iterations: u64,
}

/// Longest input, in bytes: enough for every generator here to choose freely.
const INPUT: u64 = 2048;

impl<T: Test<Value: std::fmt::Debug>> Engine<T> for Fixed {
    type Output = ();

    fn run(self, mut test: T, options: driver::Options) {
        panic::set_hook();
        panic::forward_panic(false);
        for iteration in 0..self.iterations {
            let input = input(SEED.wrapping_add(iteration));
            if let Err(error) = test.test(&mut input.as_slice()) {
                let shrunken = test.shrink(input, None, &options);
                panic::forward_panic(true);
                let value = shrunken.map_or_else(|| "it does not shrink".to_owned(), |failure| failure.to_string());
                panic!("input {iteration} fails: {error}\n{value}");
            }
        }
        panic::forward_panic(true);
    }
}

/// Bytes that follow from the seed alone (SplitMix64): long ones and short ones.
fn input(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    };
    let words = next() % (INPUT / 8) + 1;
    (0..words).flat_map(|_| next().to_le_bytes()).collect()
}
