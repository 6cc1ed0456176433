//! Who watches from outside: counts the requests that come to it.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::Request, http::StatusCode};
use rungs::engine::heartbeat::{Config, Heart};
use tokio::{net::TcpListener, task::JoinHandle};

/// A watcher on a loopback socket. It ends when this is dropped.
pub struct FakeWatcher {
    url: String,
    book: Arc<Mutex<Book>>,
    server: JoinHandle<()>,
}

struct Book {
    heard: Vec<String>,
    answer: StatusCode,
}

impl Drop for FakeWatcher {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FakeWatcher {
    /// Listens on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let book = Arc::new(Mutex::new(Book { heard: vec![], answer: StatusCode::OK }));
        let kept = Arc::clone(&book);
        let routes = Router::new().fallback(move |request: Request| async move {
            let mut book = kept.lock().expect("no test panicked while it wrote");
            book.heard.push(format!("{} {}", request.method(), request.uri()));
            book.answer
        });
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url: format!("http://{address}/ping/hush?key=hush"), book, server }
    }

    /// What the program is told to request.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A heart that beats whenever it is asked to.
    pub fn heart(&self) -> Heart {
        let config = Config { url: Some(self.url.as_str().into()), every: 0 };
        Heart::open(&config).unwrap().unwrap()
    }

    /// How many requests came.
    pub fn heard(&self) -> usize {
        let book = self.book.lock().unwrap();
        assert!(book.heard.iter().all(|one| one == "GET /ping/hush?key=hush"), "{:?}", book.heard);
        book.heard.len()
    }

    /// Answers so from now on.
    pub fn answers(&self, status: u16) {
        self.book.lock().unwrap().answer = StatusCode::from_u16(status).unwrap();
    }
}
