//! The Lambda function `tokenize`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve(&kessai_functions::tokenize::FUNCTION)
}
