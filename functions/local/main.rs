//! The local server's binary; see `kessai_functions::local`.

use clap::Parser;
use kessai_functions::lambda::StartError;
use kessai_functions::local::arguments::Arguments;
use kessai_functions::local::start::start;

fn main() -> Result<(), StartError> {
    start(Arguments::parse())
}
