//! The Lambda function `scheduler-tick`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve_scheduler_tick()
}
