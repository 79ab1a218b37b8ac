//! What every function costs that does nothing: the runtime, and an answer.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

fn main() -> Result<(), Error> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        lambda_runtime::run(service_fn(|_: LambdaEvent<Value>| async {
            Ok::<_, Error>(json!({ "statusCode": 200, "body": "hello" }))
        }))
        .await
    })
}
