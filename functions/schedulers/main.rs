//! The Lambda function `schedulers`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve_with_schedules(&kessai_functions::schedulers::FUNCTION)
}
