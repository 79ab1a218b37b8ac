//! The Lambda function `retry-rules`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve(&kessai_functions::retry_rules::FUNCTION)
}
