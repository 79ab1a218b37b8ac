//! The Lambda function `follow-up`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve_follow_up()
}
