//! `intake`: messages that Lambda receives from SQS, and deletes but for those named in the
//! answer.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};

use crate::{
    config::Config,
    engine::Engine,
    intake::{self, Batch, Message, Rules, Verdict},
};

/// What SQS gives to a function.
#[derive(Debug, Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    message_group_id: Option<String>,
    approximate_receive_count: Option<String>,
}

/// Which messages shall come again.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

/// Takes in messages.
pub(super) async fn serve(engine: Arc<Engine>, config: &Config) -> Result<(), Error> {
    let rules = Rules { roesc: config.roesc.clone(), invalid: config.intake.invalid };
    let (engine, rules) = (&engine, &rules);
    let take_in = async |event: LambdaEvent<Event>| {
        let messages = event.payload.records.into_iter().map(Message::from).collect();
        Ok::<Answer, Error>(answer(engine, rules, messages).await)
    };
    lambda_runtime::run(service_fn(take_in)).await
}

async fn answer(engine: &Engine, rules: &Rules, messages: Vec<Message>) -> Answer {
    let Batch { verdicts, trouble, .. } = intake::take_in(engine, rules, &messages).await;
    if let Some(error) = trouble {
        tracing::error!(%error, "the database is in trouble; messages come again");
    }
    let failed = messages.into_iter().zip(verdicts);
    let failed = failed.filter(|(_, verdict)| *verdict != Verdict::Done);
    let failed = failed.map(|(message, _)| Failure { item_identifier: message.id });
    Answer { batch_item_failures: failed.collect() }
}

impl From<Record> for Message {
    fn from(record: Record) -> Self {
        let Attributes { message_group_id, approximate_receive_count } = record.attributes;
        let receives = approximate_receive_count.and_then(|count| count.parse().ok());
        Self {
            id: record.message_id,
            group: message_group_id,
            body: record.body,
            receives: receives.unwrap_or(1),
        }
    }
}
