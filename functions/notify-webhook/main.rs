//! The Lambda function `notify-webhook`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve_with_events(&kessai_functions::notify_webhook::FUNCTION)
}
