//! The Lambda function `events`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve(&kessai_functions::events::FUNCTION)
}
