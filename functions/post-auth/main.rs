//! The Lambda function `post-auth`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve_with_events(&kessai_functions::post_auth::FUNCTION)
}
