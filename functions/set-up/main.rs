//! The Lambda function `set-up`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve(&kessai_functions::set_up::FUNCTION)
}
