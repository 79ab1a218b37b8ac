//! The Lambda function `deliver-event`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve_deliver_event()
}
