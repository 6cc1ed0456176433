//! `start`: over HTTP, one by one from 32 clients and in batches, on a server in this
//! program; beside bare single commits of the same rows from 32 connections.

use std::sync::Arc;

use hyper::{Request, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use rungs::{
    api::{self, ApiState},
    clock::Stopwatch,
    config,
};
use rungs_core::Process;
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Size,
    databases::Kind,
    figure::{Aim, Figure},
    floor::{self, Floor},
    place::{self, Place},
    sample,
};

const CLIENTS: usize = 32;
const SINGLE: usize = 16_000;
const IN_BATCHES: usize = 100_000;

pub async fn round(size: Size) -> Vec<Figure> {
    let mut figures = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let name = place::name(kind);
        let (single, batched) = (size.of(SINGLE), size.of(IN_BATCHES));
        let floor = single as f64 / commits(kind, single).await;
        let server = Server::start(kind).await;
        let rate = single as f64 / server.singles(single).await;
        figures.push(
            Figure::new(
                format!("single starts, 32 clients, {name}"),
                "starts/s",
                rate,
                Aim::Share(0.5),
            )
            .beside(floor),
        );
        server.end().await;
        let server = Server::start(kind).await;
        let rate = batched as f64 / server.batches(batched).await;
        figures.push(
            Figure::new(
                format!("starts in batches of 1,000, {name}"),
                "starts/s",
                rate,
                Aim::AtLeast(2e4),
            )
            .beside(batched as f64 / births(kind, batched).await),
        );
        server.end().await;
    }
    figures
}

/// The API on a socket, without an evaluator.
struct Server {
    address: std::net::SocketAddr,
    shutdown: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
    _place: Place,
}

impl Server {
    async fn start(kind: Kind) -> Self {
        let place = Place::fresh(kind).await;
        let engine = place.engine().await;
        place::publish(&engine.store, "waits", sample::WAITS).await;
        place.settle().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let address = listener.local_addr().expect("an address");
        let state =
            ApiState { engine, api_keys: vec![], roesc: config::Roesc::default(), callbacks: None };
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { api::serve(listener, state, shutdown).await.expect("a server") }
        });
        Self { address, shutdown, serving, _place: place }
    }

    async fn end(self) {
        self.shutdown.cancel();
        self.serving.await.expect("an end");
    }

    /// Seconds for so many single starts, from all clients.
    async fn singles(&self, count: usize) -> f64 {
        let each = count / CLIENTS;
        let mut clients = JoinSet::new();
        let watch = Stopwatch::start();
        for client in 0..CLIENTS {
            let mut connection = connect(self.address).await;
            clients.spawn(async move {
                for number in client * each..(client + 1) * each {
                    post(&mut connection, "/v1/processes", new(number).to_string(), 201).await;
                }
            });
        }
        while let Some(client) = clients.join_next().await {
            client.expect("a client");
        }
        watch.elapsed().as_secs_f64()
    }

    /// Seconds for so many starts in batches of 1,000, from two clients.
    async fn batches(&self, count: usize) -> f64 {
        let mut bodies: [Vec<String>; 2] = [vec![], vec![]];
        for (index, numbers) in (0..count).collect::<Vec<_>>().chunks(1_000).enumerate() {
            let processes: Vec<_> = numbers.iter().map(|number| new(*number)).collect();
            bodies[index % 2].push(json!({ "processes": processes }).to_string());
        }
        let mut clients = JoinSet::new();
        let watch = Stopwatch::start();
        for bodies in bodies {
            let mut connection = connect(self.address).await;
            clients.spawn(async move {
                for body in bodies {
                    post(&mut connection, "/v1/processes/batch", body, 200).await;
                }
            });
        }
        while let Some(client) = clients.join_next().await {
            client.expect("a client");
        }
        watch.elapsed().as_secs_f64()
    }
}

fn new(number: usize) -> serde_json::Value {
    json!({ "sequence": "waits", "process_id": format!("order-{number}"), "data": sample::data() })
}

async fn connect(address: std::net::SocketAddr) -> SendRequest<String> {
    let stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let (sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a handshake");
    tokio::spawn(connection);
    sender
}

async fn post(to: &mut SendRequest<String>, path: &str, body: String, expected: u16) {
    let request = Request::post(path)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(body)
        .expect("a request");
    to.ready().await.expect("a connection");
    let response = to.send_request(request).await.expect("an answer");
    let status = response.status();
    let body = axum::body::to_bytes(axum::body::Body::new(response.into_body()), usize::MAX)
        .await
        .expect("a body");
    assert_eq!(status, expected, "{}", String::from_utf8_lossy(&body));
}

fn born(count: usize) -> Vec<Process> {
    let sequence = sample::sequence(sample::WAITS);
    (0..count).map(|number| sample::process(&sequence, number, sample::nine())).collect()
}

/// Seconds for so many single commits, each from one of 32 connections where the database
/// takes several writers, else one after the other.
async fn commits(kind: Kind, count: usize) -> f64 {
    let place = Place::fresh(kind).await;
    let connections = if kind == Kind::Postgres { CLIENTS } else { 1 };
    let mut floors = Vec::new();
    for _ in 0..connections {
        floors.push(Floor::connect(&place).await);
    }
    let born = Arc::new(born(count));
    place.settle().await;
    let mut writers = JoinSet::new();
    let watch = Stopwatch::start();
    for (index, mut floor) in floors.into_iter().enumerate() {
        let born = Arc::clone(&born);
        writers.spawn(async move {
            for process in born.iter().skip(index).step_by(connections) {
                floor.birth(process).await;
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.expect("a writer");
    }
    watch.elapsed().as_secs_f64()
}

/// Seconds for so many births in bare batches.
async fn births(kind: Kind, count: usize) -> f64 {
    let place = Place::fresh(kind).await;
    let born = born(count);
    let batches: Vec<_> =
        born.chunks(floor::BATCH).map(|batch| floor::births(batch, sample::nine())).collect();
    let mut floor = Floor::connect(&place).await;
    place.settle().await;
    let watch = Stopwatch::start();
    for batch in batches {
        floor.write(batch).await;
    }
    watch.elapsed().as_secs_f64()
}
