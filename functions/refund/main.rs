//! The Lambda function `refund`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve(&kessai_functions::refund::FUNCTION)
}
