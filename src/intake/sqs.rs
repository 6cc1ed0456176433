//! A queue at SQS.
//!
//! Promises: credentials, region and endpoint come from AWS's own variables and files
//! (`AWS_ACCESS_KEY_ID`, `AWS_PROFILE`, `AWS_ENDPOINT_URL_SQS`, a role), and are read again
//! after trouble, so that new credentials need no restart. The region is the queue's, if its
//! address names one.
//! Called by: the follower of a queue.

use std::{error::Error, time::Duration};

use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_sqs::{
    Client,
    config::{SharedHttpClient, StalledStreamProtectionConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
        MessageSystemAttributeName,
    },
};
use aws_smithy_http_client::{Builder, tls};
use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::sync::Mutex;
use url::Url;

use super::{
    follow::{Queue, QueueTrouble, Received},
    queue::Message,
};

/// The most messages that SQS hands out or takes back at once.
const MOST: i32 = 10;
/// How long an answer may take: longer than the longest wait for messages.
const PATIENCE: Duration = Duration::from_secs(40);

/// What to do about credentials that are refused.
const RENEW: &str = "renew AWS's credentials; they are read again before the next try";

/// A queue at SQS.
#[derive(Debug)]
pub struct Sqs {
    url: String,
    region: Option<Region>,
    /// None after trouble: the next use reads everything again.
    client: Mutex<Option<Client>>,
}

impl Sqs {
    /// The queue with this address. It is not asked for anything yet.
    pub fn new(url: &Url) -> Self {
        Self { url: url.to_string(), region: region(url), client: Mutex::default() }
    }

    async fn client(&self) -> Client {
        let mut client = self.client.lock().await;
        if let Some(client) = &*client {
            return client.clone();
        }
        let http = http();
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(PATIENCE).build();
        let loader = aws_config::defaults(BehaviorVersion::latest());
        let loader = match &self.region {
            Some(region) => loader.region(region.clone()),
            None => loader,
        };
        let config = loader
            .http_client(http)
            .timeout_config(timeouts)
            // Who waits for messages gets nothing for a while: that is no stalled stream.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .load()
            .await;
        client.insert(Client::new(&config)).clone()
    }

    /// What an error means, for the operator.
    async fn trouble<E>(&self, error: SdkError<E>) -> QueueTrouble
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        *self.client.lock().await = None;
        let status = error.raw_response().map(|answer| answer.status().as_u16());
        QueueTrouble { what: what(&error), advice: advice(error.code(), status) }
    }
}

#[async_trait]
impl Queue for Sqs {
    async fn receive(&self, wait: Duration) -> Result<Vec<Received>, QueueTrouble> {
        let client = self.client().await;
        let answer = client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(MOST)
            .wait_time_seconds(i32::try_from(wait.as_secs()).unwrap_or(0))
            .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                Ok(answer.messages.unwrap_or_default().into_iter().filter_map(read).collect())
            }
            Err(error) => Err(self.trouble(error).await),
        }
    }

    async fn delete(&self, receipts: Vec<String>) -> Result<(), QueueTrouble> {
        let entries = numbered(receipts).filter_map(|(id, receipt)| {
            DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(receipt).build().ok()
        });
        let request = self.client().await.delete_message_batch().queue_url(&self.url);
        match request.set_entries(Some(entries.collect())).send().await {
            Ok(answer) => {
                for failed in answer.failed() {
                    // It took too long: the message comes again, and is known then.
                    tracing::info!(code = failed.code(), "a message that is done was not deleted");
                }
                Ok(())
            }
            Err(error) => Err(self.trouble(error).await),
        }
    }

    async fn release(&self, receipts: Vec<String>) -> Result<(), QueueTrouble> {
        let entries = numbered(receipts).filter_map(|(id, receipt)| {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder();
            entry.id(id).receipt_handle(receipt).visibility_timeout(0).build().ok()
        });
        let request = self.client().await.change_message_visibility_batch().queue_url(&self.url);
        match request.set_entries(Some(entries.collect())).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.trouble(error).await),
        }
    }
}

/// TLS with ring, and Mozilla's roots beside the machine's own, as in every other channel.
fn http() -> SharedHttpClient {
    let crypto = tls::rustls_provider::CryptoMode::Ring;
    let pem = |der: &[u8]| {
        let text = BASE64_STANDARD.encode(der);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    };
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .fold(tls::TrustStore::default(), |roots, root| roots.with_pem_certificate(pem(root)));
    let builder = Builder::new().tls_provider(tls::Provider::Rustls(crypto));
    match tls::TlsContext::builder().with_trust_store(roots).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        Err(_) => builder.build_https(),
    }
}

fn read(message: aws_sdk_sqs::types::Message) -> Option<Received> {
    let mut attributes = message.attributes.unwrap_or_default();
    let receives = attributes
        .get(&MessageSystemAttributeName::ApproximateReceiveCount)
        .and_then(|count| count.parse().ok())
        .unwrap_or(1);
    let group = attributes.remove(&MessageSystemAttributeName::MessageGroupId);
    let receipt = message.receipt_handle?;
    let (id, body) = (message.message_id?, message.body.unwrap_or_default());
    Some(Received { message: Message { id, group, body, receives }, receipt })
}

fn numbered(receipts: Vec<String>) -> impl Iterator<Item = (String, String)> {
    receipts.into_iter().enumerate().map(|(number, receipt)| (number.to_string(), receipt))
}

/// `https://sqs.eu-central-1.amazonaws.com/123456789012/orders.fifo` is in `eu-central-1`.
fn region(url: &Url) -> Option<Region> {
    let host = url.host_str()?;
    let mut labels = host.split('.').skip_while(|label| *label != "sqs").skip(1);
    let region = labels.next()?;
    labels.any(|label| label == "amazonaws").then(|| Region::new(region.to_owned()))
}

/// What AWS said, or what kept it from saying something.
fn what<E>(error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(code) = error.code() {
        return match error.message() {
            Some(message) => format!("{code}: {message}"),
            None => code.to_owned(),
        };
    }
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words = format!("{words}: {error}");
        source = error.source();
    }
    words
}

fn advice(code: Option<&str>, status: Option<u16>) -> &'static str {
    match code {
        Some("QueueDoesNotExist" | "AWS.SimpleQueueService.NonExistentQueue") => {
            "create it, or let RUNGS_SQS_QUEUE_URL name another"
        }
        Some(
            "ExpiredToken"
            | "ExpiredTokenException"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "InvalidSecurity"
            | "RequestExpired",
        ) => RENEW,
        Some("AccessDenied" | "AccessDeniedException") => {
            "allow sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility on it"
        }
        None if matches!(status, Some(401 | 403)) => RENEW,
        _ => "is it reachable, and are there AWS's credentials and a region?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_the_queues() {
        for (url, expected) in [
            (
                "https://sqs.eu-central-1.amazonaws.com/123456789012/orders.fifo",
                Some("eu-central-1"),
            ),
            ("https://sqs.cn-north-1.amazonaws.com.cn/1/q", Some("cn-north-1")),
            ("https://vpce-1a2b.sqs.us-east-1.vpce.amazonaws.com/1/q", Some("us-east-1")),
            ("http://127.0.0.1:5000/123456789012/orders.fifo", None),
            ("https://sqs.example.com/q", None),
        ] {
            let region = region(&url.parse().unwrap());
            assert_eq!(region.as_ref().map(AsRef::as_ref), expected, "{url}");
        }
    }
}
