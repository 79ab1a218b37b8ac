//! The Lambda function `post-auth`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve(&kessai_functions::post_auth::FUNCTION)
}
