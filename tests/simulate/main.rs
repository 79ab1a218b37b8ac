//! Runs histories of the simulated world, many at once or one at leisure.
//!
//! [`arguments`] is what it can be told. [`many`] looks at a range of seeds: [`hunt`] lets them happen on all
//! cores, [`tally`] counts what they reached, [`progress`] says how far it is, and [`sometimes`] lays the
//! counts out. Whatever can happen has to happen sometimes, and [`reached`] says what did not. [`one`] tells a
//! single history, shortens it or draws it, and [`telling`] says in sentences what its merchants want. [`runs`]
//! looks at the world of payment runs.
//! `docs/simulation.md` is the introduction.

mod arguments;
mod figures;
mod hunt;
mod many;
mod one;
mod progress;
mod reached;
mod runs;
mod sometimes;
mod tally;
mod telling;

use std::error::Error;
use std::io::{ErrorKind, Write, stdout};
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, World};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is said, and whether all is well.
type Said = Result<(String, bool), Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let said = match (arguments.world, arguments.seed) {
        (None, Some(seed)) => one::look_at(seed, &arguments),
        (None, None) => many::look_at(&arguments),
        (Some(World::Runs), Some(seed)) => runs::look_at_one(seed),
        (Some(World::Runs), None) => runs::look_at_many(&arguments),
    };
    match said.and_then(|(text, is_well)| print(&text).map(|()| is_well)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) -> Result<(), Box<dyn Error>> {
    match stdout().write_all(text.as_bytes()) {
        // Whoever listened has heard enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
