//! The Lambda function `retrieve`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve_with_lists(&kessai_functions::retrieve::FUNCTION)
}
