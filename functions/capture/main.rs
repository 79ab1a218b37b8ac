//! The Lambda function `capture`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve(&kessai_functions::capture::FUNCTION)
}
