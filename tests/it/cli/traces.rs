//! Traces, as a collector gets them.

use std::process::Command;

use super::{Desk, Said, Server};
use crate::fakes::collector::{Attributes, FakeCollector};

const DATA: &str = r#"{"phone": "+385911234567", "date": "2999-01-01"}"#;

fn traced(desk: &Desk, url: &str, args: &[&str]) -> Command {
    let mut command = desk.command(args);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", url);
    command.env("OTEL_EXPORTER_OTLP_HEADERS", "x-key=hush").env("RUNGS_LOG", "info");
    command
}

fn has(attributes: &Attributes, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(attributes.get(*name).map(String::as_str), Some(*value), "{attributes:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_told_of_each_cycle_and_attempt_with_their_ids() {
    let (desk, collector) = (Desk::new(), FakeCollector::start().await);
    desk.ask(&["apply", "call.yml"]);
    desk.ask(&["start", "call", "--id", "order-1", "--data", DATA]);
    let said = Said::of(traced(&desk, &collector.url, &["evaluate", "--drain"]).output().unwrap());
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(!said.err.contains("hush"), "{said:#?}");

    let delivery = desk.ask_json(&["show", "order-1"])["deliveries"][0]["id"].clone();
    let delivery = delivery.as_str().unwrap();
    let attempts = collector.spans("attempt");
    assert_eq!((attempts.len(), attempts[0].service.as_str()), (1, "rungs"));
    let ids = [("process", "order-1"), ("step", "ring"), ("delivery", delivery)];
    has(&attempts[0].attributes, &ids);
    has(&attempts[0].attributes, &[("channel", "phone"), ("attempt", "1"), ("outcome", "sent")]);

    let cycles = collector.spans("cycle");
    let wrote = cycles.iter().find(|cycle| cycle.attributes["deliveries"] == "1").unwrap();
    has(&wrote.attributes, &[("processes", "1")]);
    let event = wrote.events.iter().find(|event| event.contains_key("delivery")).unwrap();
    has(event, &ids);
    has(event, &[("sequence", "call"), ("channel", "phone")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_told_of_each_request_with_the_process_it_speaks_of() {
    let (desk, collector) = (Desk::new(), FakeCollector::start().await);
    let command = traced(&desk, &collector.url, &["serve", "--listen", "127.0.0.1:0"]);
    let mut server = Server::start(command);
    let line = server.wait_for("listening on ");
    let address = line.trim().rsplit(' ').next().unwrap();
    let path = "/v1/processes/order%207?token=hush";
    let answer = reqwest::get(format!("{address}{path}")).await.unwrap();
    assert_eq!(answer.status(), 400, "there is no such parameter");
    assert_eq!(server.end(), Some(0), "what waits is sent before the end");

    let requests = collector.spans("GET /v1/processes/{process_id}");
    assert_eq!(requests.len(), 1);
    has(&requests[0].attributes, &[("process", "order 7"), ("status", "400"), ("method", "GET")]);
    assert!(!format!("{requests:?}").contains("hush"), "{requests:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_gone_costs_nothing_but_its_traces() {
    let desk = Desk::new();
    desk.ask(&["apply", "call.yml"]);
    desk.ask(&["start", "call", "--data", DATA]);
    let url = { FakeCollector::start().await.url.clone() };
    let said = Said::of(traced(&desk, &url, &["evaluate", "--drain"]).output().unwrap());
    assert_eq!(said.code, Some(0), "{said:#?}");
    let said = Said::of(traced(&desk, "hush", &["evaluate"]).output().unwrap());
    said.refuses(1, &["OTEL_...: "]);
}
