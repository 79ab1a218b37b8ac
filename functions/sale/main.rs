//! The Lambda function `sale`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve(&kessai_functions::sale::FUNCTION)
}
