//! The Lambda function `notify-webhook`.

fn main() -> Result<(), kessai_functions::lambda::StartError> {
    kessai_functions::lambda::serve(&kessai_functions::notify_webhook::FUNCTION)
}
