//! `rungs ready`, as a container's healthcheck asks.

use super::{Desk, Said, Server};

/// Where a server on a port of the system's choice listens.
fn address(server: &mut Server) -> String {
    let line = server.wait_for("listening on http://");
    line.trim().rsplit("http://").next().unwrap().to_owned()
}

#[tokio::test]
async fn a_server_is_ready_once_it_serves_and_says_so_to_who_has_a_key() {
    let desk = Desk::new();
    let mut command = desk.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut server = Server::start({
        command.env("RUNGS_API_KEYS", "key-1,key-2");
        command
    });
    let address = address(&mut server);
    let ready = |keys: &str| {
        let mut command = desk.command(&["ready", "--listen", &address]);
        // A proxy is nobody to ask about this machine.
        command.env("HTTP_PROXY", "http://127.0.0.1:1").env("RUNGS_API_KEYS", keys);
        Said::of(command.output().unwrap())
    };
    let said = ready("key-1,key-2");
    assert_eq!((said.code, said.out.as_str()), (Some(0), "ready\n"), "{said:#?}");
    ready("another").refuses(1, &["key"]);

    let url = format!("sqlite:{}", desk.0.path().join("rungs.db").display());
    let store = sea_orm::Database::connect(url).await.unwrap();
    let forgotten = "INSERT INTO processes (key, process_id, sequence, version, status, timezone,
        data, state, woken, started_at) VALUES ('k', 'p', 's', 1, 'active', 'UTC', '{}', '{}', TRUE, 1)";
    sea_orm::ConnectionTrait::execute_unprepared(&store, forgotten).await.unwrap();
    ready("key-2").refuses(1, &["processes that nothing will ever wake: 1"]);
    store.close().await.unwrap();

    assert_eq!(server.end(), Some(0));
    ready("key-1").refuses(1, &["nobody answers at", &address]);
}

#[test]
fn where_nobody_can_be_asked_it_is_said() {
    let desk = Desk::new();
    desk.say(&["ready", "--listen", "127.0.0.1:0"]).refuses(1, &["expected an address and a port"]);
    desk.put("rungs.toml", "listen = '127.0.0.1:1'");
    desk.say(&["ready"]).refuses(1, &["nobody answers at 127.0.0.1:1"]);
}
