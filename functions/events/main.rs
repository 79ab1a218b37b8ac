//! The Lambda function `events`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve_with_events_and_schedules(&kessai_functions::events::FUNCTION)
}
