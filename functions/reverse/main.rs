//! The Lambda function `reverse`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve(&kessai_functions::reverse::FUNCTION)
}
