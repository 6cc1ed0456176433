//! A real implementation of SQS and IAM for tests: moto. It is spoken to as AWS documents it,
//! in JSON and forms.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use super::python::python;

/// The version that the tests were written against.
const MOTO: &str = "moto[server]==5.2.5";
const REGION: &str = "eu-central-1";
/// The most messages that are sent or received at once.
const MOST: usize = 10;

/// SQS. It ends when this is dropped.
pub struct Sqs {
    process: Child,
    pub endpoint: String,
    http: reqwest::Client,
}

/// A queue of it.
pub struct Queue<'a> {
    sqs: &'a Sqs,
    pub url: String,
}

impl Sqs {
    pub fn start() -> Self {
        // Nothing here is encrypted, but a client wants to be able to.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut process = Command::new(python(MOTO))
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fakes/sqs_server.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("moto starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("its stdout");
        BufReader::new(stdout).read_line(&mut line).expect("its stdout is open");
        let first: Value = serde_json::from_str(&line).expect("a line of JSON");
        let endpoint = format!("http://127.0.0.1:{}", first["port"]);
        Self { process, endpoint, http: reqwest::Client::new() }
    }

    /// A FIFO queue whose messages come again after so many seconds.
    pub async fn queue(&self, name: &str, visibility: u32, more: Value) -> Queue<'_> {
        let mut attributes = json!({
            "FifoQueue": "true",
            "VisibilityTimeout": visibility.to_string(),
        });
        attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let asked = json!({ "QueueName": name, "Attributes": attributes });
        let made = self.call("CreateQueue", &asked).await;
        Queue { sqs: self, url: made["QueueUrl"].as_str().unwrap().to_owned() }
    }

    /// A queue and the one to which messages go that were received `most` times.
    pub async fn queue_with_dead_letters(
        &self,
        visibility: u32,
        most: u32,
    ) -> (Queue<'_>, Queue<'_>) {
        let dead = self.queue("dead.fifo", 30, json!({})).await;
        let policy = json!({ "deadLetterTargetArn": dead.arn().await, "maxReceiveCount": most });
        let policy = json!({ "RedrivePolicy": policy.to_string() });
        (self.queue("orders.fifo", visibility, policy).await, dead)
    }

    async fn call(&self, action: &str, body: &Value) -> Value {
        let request = self
            .http
            .post(&self.endpoint)
            .header("x-amz-target", format!("AmazonSQS.{action}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("authorization", signed_for("sqs"));
        let answer = request.body(body.to_string()).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{action}: {status}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Keys of a new user who may use SQS; from then on everybody else is refused.
    pub async fn lock(&self) -> (String, String) {
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": "sqs:*", "Resource": "*" }],
        });
        self.iam(&[("Action", "CreateUser"), ("UserName", "rungs")]).await;
        let policy = policy.to_string();
        let put = [
            ("Action", "PutUserPolicy"),
            ("UserName", "rungs"),
            ("PolicyName", "sqs"),
            ("PolicyDocument", &policy),
        ];
        self.iam(&put).await;
        let key = self.iam(&[("Action", "CreateAccessKey"), ("UserName", "rungs")]).await;
        let reset = self.http.post(format!("{}/moto-api/reset-auth", self.endpoint)).body("0");
        assert!(reset.send().await.unwrap().status().is_success());
        (within(&key, "AccessKeyId"), within(&key, "SecretAccessKey"))
    }

    async fn iam(&self, form: &[(&str, &str)]) -> String {
        let form = [form, &[("Version", "2010-05-08")]].concat();
        let request = self.http.post(&self.endpoint).header("authorization", signed_for("iam"));
        let answer = request.form(&form).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{status}: {text}");
        text
    }
}

impl Queue<'_> {
    /// The settings with which a program reads it.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        [
            ("RUNGS_SQS_QUEUE_URL", self.url.as_str()),
            ("AWS_ENDPOINT_URL_SQS", &self.sqs.endpoint),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into()
    }

    /// Sends messages: group, deduplication id, body.
    pub async fn send(&self, messages: &[(String, String, String)]) {
        for some in messages.chunks(MOST) {
            let entries: Vec<Value> = (0..)
                .zip(some)
                .map(|(number, (group, id, body))| {
                    json!({
                        "Id": format!("e{number}"), "MessageBody": body,
                        "MessageGroupId": group, "MessageDeduplicationId": id,
                    })
                })
                .collect();
            let asked = json!({ "QueueUrl": self.url, "Entries": entries });
            let answer = self.sqs.call("SendMessageBatch", &asked).await;
            assert!(answer.get("Failed").is_none_or(|failed| failed == &json!([])), "{answer:#}");
        }
    }

    /// Receives what may be received, as another consumer would.
    pub async fn receive(&self) -> Vec<String> {
        let asked = json!({ "QueueUrl": self.url, "MaxNumberOfMessages": MOST });
        let answer = self.sqs.call("ReceiveMessage", &asked).await;
        let none = vec![];
        let messages = answer["Messages"].as_array().unwrap_or(&none);
        messages.iter().map(|one| one["Body"].as_str().unwrap().to_owned()).collect()
    }

    /// Messages in it, those that somebody is at work on included.
    pub async fn length(&self) -> usize {
        let kinds = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let mut length = 0;
        for kind in kinds {
            length += self.attribute(kind).await.parse::<usize>().unwrap();
        }
        length
    }

    /// Takes the queue away.
    pub async fn delete(&self) {
        self.sqs.call("DeleteQueue", &json!({ "QueueUrl": self.url })).await;
    }

    async fn arn(&self) -> String {
        self.attribute("QueueArn").await
    }

    async fn attribute(&self, name: &str) -> String {
        let asked = json!({ "QueueUrl": self.url, "AttributeNames": [name] });
        let answer = self.sqs.call("GetQueueAttributes", &asked).await;
        answer["Attributes"][name].as_str().unwrap().to_owned()
    }
}

impl Drop for Sqs {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where moto looks for the service and the region. It does not look at the rest until it is
/// locked.
fn signed_for(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=test/20261123/{REGION}/{service}/aws4_request, \
         SignedHeaders=host, Signature=0"
    )
}

fn within(xml: &str, element: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{element}>")).unwrap();
    rest.split_once('<').unwrap().0.to_owned()
}
