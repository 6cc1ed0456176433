//! A runner as a Lambda function, by its ARN: invoked with what is posted elsewhere, and what it
//! returns is the answer.
//!
//! Credentials come from wherever AWS's own programs take them: the environment, a profile, the
//! role of a machine or container. Who may invoke the function is decided there, so nothing is
//! signed with a secret of its own.
//! Source: the API's "Invoke" (`docs.aws.amazon.com/lambda/latest/api/API_Invoke.html`).

use std::time::Duration;

use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_lambda::{
    Client,
    error::{DisplayErrorContext, SdkError},
    operation::invoke::{InvokeError, InvokeOutput},
    primitives::Blob,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{MOST_ANSWERED, Transport};
use crate::channels::SendError;

/// The longest complaint of a function that is told, in characters.
const LONGEST: usize = 200;

/// A function.
pub(super) struct Function {
    arn: String,
    region: String,
    timeout: Duration,
    client: OnceCell<Client>,
}

/// Opens it. Credentials are looked for when it is invoked first.
///
/// # Errors
/// What is wrong with the ARN.
pub(super) fn open(arn: &str, timeout: Duration) -> Result<Function, String> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "lambda", region, _, "function", name, ..]
            if !region.is_empty() && !name.is_empty() =>
        {
            let (arn, region) = (arn.to_owned(), (*region).to_owned());
            Ok(Function { arn, region, timeout, client: OnceCell::new() })
        }
        _ => {
            Err("expected an ARN such as arn:aws:lambda:eu-west-1:123456789012:function:credit"
                .into())
        }
    }
}

#[async_trait]
impl Transport for Function {
    fn name(&self) -> &'static str {
        "lambda"
    }

    async fn ask(&self, body: Vec<u8>, _: &str) -> Result<Vec<u8>, SendError> {
        let client = self.client.get_or_init(|| self.connect()).await;
        let invoked = client.invoke().function_name(&self.arn).payload(Blob::new(body)).send();
        match invoked.await {
            Ok(output) => returned(output).map_err(SendError::temporary),
            Err(error) => Err(SendError::temporary(self.refused(&error))),
        }
    }
}

impl Function {
    async fn connect(&self) -> Client {
        let tls = Provider::Rustls(CryptoMode::Ring);
        let http = aws_smithy_http_client::Builder::new().tls_provider(tls).build_https();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .region(Region::new(self.region.clone()))
            // A visit is asked again by whoever knows when.
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(self.timeout).build())
            .load()
            .await;
        Client::new(&config)
    }

    fn refused(&self, error: &SdkError<InvokeError>) -> String {
        match error {
            SdkError::TimeoutError(_) => {
                format!("no answer within {} s", self.timeout.as_secs_f64())
            }
            SdkError::ServiceError(refused) => refused.err().to_string(),
            other => DisplayErrorContext(other).to_string(),
        }
    }
}

/// What the function returned, or why it is no answer.
fn returned(output: InvokeOutput) -> Result<Vec<u8>, String> {
    let payload = output.payload.map(Blob::into_inner).unwrap_or_default();
    if let Some(how) = output.function_error {
        let said: Value = serde_json::from_slice(&payload).unwrap_or_default();
        let said = said.get("errorMessage").and_then(Value::as_str).unwrap_or("without a reason");
        let said: String = said.chars().take(LONGEST).collect();
        return Err(format!("the function failed ({how}): {said}"));
    }
    if payload.len() > MOST_ANSWERED {
        return Err(format!("the answer is longer than {MOST_ANSWERED} bytes"));
    }
    Ok(payload)
}
