//! The Lambda function `authorize`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve(&kessai_functions::authorize::FUNCTION)
}
