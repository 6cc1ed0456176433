//! PostgreSQL over TLS, as managed ones demand it.

use rungs::store::{Options, Store};
use sea_orm::{ConnectionTrait, Database};

use crate::databases::Cluster;

#[tokio::test]
async fn a_database_that_wants_tls_gets_it() {
    let (cluster, certificate) = Cluster::start_with_tls();
    // The server's certificate is our own; it is trusted by name of its file.
    let url = format!(
        "{}?sslmode=verify-full&sslrootcert={}",
        cluster.url("postgres").replace("127.0.0.1", "localhost"),
        certificate.display()
    );
    let options = Options {
        url: url.clone(),
        max_connections: 2,
        acquire_timeout: std::time::Duration::from_secs(10),
    };

    Store::connect(&options).await.unwrap().migrate().await.unwrap();

    let raw = Database::connect(url).await.unwrap();
    let encrypted = "SELECT 1 FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
    let statement = sea_orm::Statement::from_string(raw.get_database_backend(), encrypted);
    assert!(raw.query_one_raw(statement).await.unwrap().is_some());
}
