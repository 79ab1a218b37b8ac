//! The Lambda function `schedules`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve_with_schedules(&kessai_functions::schedules::FUNCTION)
}
