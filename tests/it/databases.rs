//! Databases for tests: a fresh SQLite file, or a fresh database on a PostgreSQL that the
//! tests start themselves.
//!
//! The PostgreSQL is one for all tests, is started by the first that needs it and is gone,
//! with its files, when the tests are: its keeper is a shell that waits for the end of
//! its standard input, which comes however this program ends.

use std::{
    io::Write,
    net::TcpListener,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use rungs::store::{Options, Store};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// The databases every store test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// A database of one test's own.
pub struct Database {
    pub url: String,
    /// Removed with the test.
    _directory: Option<TempDir>,
}

impl Database {
    /// A migrated, empty database.
    pub async fn fresh(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => {
                let directory = tempfile::tempdir().unwrap();
                let url = format!("sqlite:{}", directory.path().join("rungs.db").display());
                let database = Self { url, _directory: Some(directory) };
                database.store().await.migrate().await.unwrap();
                database
            }
            Kind::Postgres => {
                static NUMBER: AtomicUsize = AtomicUsize::new(0);
                let cluster = Cluster::shared().await;
                let name = format!("t{}", NUMBER.fetch_add(1, Ordering::Relaxed));
                cluster
                    .psql("postgres", &format!("CREATE DATABASE {name} TEMPLATE template_rungs"));
                Self { url: cluster.url(&name), _directory: None }
            }
        }
    }

    /// A connection to it.
    pub async fn store(&self) -> Store {
        connect(&self.url).await
    }
}

async fn connect(url: &str) -> Store {
    let options = Options {
        url: url.to_owned(),
        max_connections: 8,
        acquire_timeout: Duration::from_secs(20),
    };
    Store::connect(&options).await.unwrap()
}

/// A running PostgreSQL.
pub struct Cluster {
    pub port: u16,
    directory: PathBuf,
    /// Ends with its standard input, and PostgreSQL with it.
    _keeper: Child,
}

impl Cluster {
    /// The one that all tests share, with a migrated template.
    async fn shared() -> &'static Self {
        static SHARED: OnceCell<Cluster> = OnceCell::const_new();
        SHARED
            .get_or_init(|| async {
                let cluster = Self::start(&["-c", "fsync=off", "-c", "max_connections=300"]);
                cluster.psql("postgres", "CREATE DATABASE template_rungs");
                let store = connect(&cluster.url("template_rungs")).await;
                store.migrate().await.unwrap();
                store.close().await.unwrap();
                cluster
            })
            .await
    }

    /// A PostgreSQL of one test's own, which it may treat badly.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_in(Self::directory(), arguments)
    }

    /// A PostgreSQL that speaks TLS as `localhost`, and the certificate to trust.
    pub fn start_with_tls() -> (Self, PathBuf) {
        let directory = Self::directory();
        let (certificate, key) = (directory.join("tls.crt"), directory.join("tls.key"));
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        for (path, pem) in
            [(&certificate, made.cert.pem()), (&key, made.signing_key.serialize_pem())]
        {
            std::fs::write(path, pem).unwrap();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
            own(path);
        }
        let file = |name: &str, path: &Path| format!("{name}={}", path.display());
        let files = [file("ssl_cert_file", &certificate), file("ssl_key_file", &key)];
        let arguments = ["-c", "ssl=on", "-c", &files[0], "-c", &files[1]];
        (Self::start_in(directory, &arguments), certificate)
    }

    fn directory() -> PathBuf {
        let directory = tempfile::Builder::new().prefix("rungs-pg-").tempdir().unwrap().keep();
        own(&directory);
        directory
    }

    fn start_in(directory: PathBuf, arguments: &[&str]) -> Self {
        let data = directory.join("data");
        run(Command::new(tool("initdb"))
            .args(["-A", "trust", "-U", "rungs", "-E", "UTF8"])
            .arg("-D")
            .arg(&data));
        let port = free_port();
        let keeper = keep(&directory, &data, port, arguments);
        let cluster = Self { port, directory, _keeper: keeper };
        cluster.wait_until_ready();
        cluster
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://rungs@127.0.0.1:{}/{database}", self.port)
    }

    /// Pulls the plug: what was not committed is gone.
    pub fn stop_immediately(&self) {
        let mut stop = Command::new(tool("pg_ctl"));
        run(stop.arg("-D").arg(self.directory.join("data")).args(["-m", "immediate", "stop"]));
    }

    /// Starts it again, on the same port.
    pub fn start_again(&self) {
        let port = self.port;
        let options =
            format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=");
        let mut start = Command::new(tool("pg_ctl"));
        start.arg("-D").arg(self.directory.join("data")).arg("-l").arg(self.directory.join("log"));
        run(start
            .args(["-o", &options, "-w", "start"])
            .stdout(Stdio::null())
            .stderr(Stdio::null()));
    }

    /// Runs one statement.
    pub fn psql(&self, database: &str, sql: &str) {
        run(Command::new(tool("psql"))
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql])
            .arg(self.url(database)));
    }

    fn wait_until_ready(&self) {
        let log = self.directory.join("log");
        for _ in 0..600 {
            let ready = Command::new(tool("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status();
            if ready.is_ok_and(|status| status.success()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("PostgreSQL did not start: {}", std::fs::read_to_string(log).unwrap_or_default());
    }
}

/// Starts PostgreSQL below a shell that stops it and removes its files at the end of the
/// shell's standard input.
fn keep(directory: &Path, data: &Path, port: u16, arguments: &[&str]) -> Child {
    let script = r#"
        "$@" >"$DIRECTORY/log" 2>&1 &
        cat >/dev/null
        "$PG_CTL" -D "$DIRECTORY/data" -m immediate stop >/dev/null 2>&1
        rm -rf "$DIRECTORY"
    "#;
    let mut command = Command::new("sh");
    command.args(["-c", script, "keeper"]).arg(tool("postgres")).arg("-D").arg(data);
    command.args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
    command.args(["-c", "unix_socket_directories="]).args(arguments);
    command.env("DIRECTORY", directory).env("PG_CTL", tool("pg_ctl")).stdin(Stdio::piped());
    // Its own process group, so that an interrupt at the terminal leaves it to the keeper.
    command.process_group(0);
    unprivileged(&mut command).spawn().expect("a shell")
}

/// PostgreSQL refuses to run as root.
fn unprivileged(command: &mut Command) -> &mut Command {
    if is_root() { command.uid(owner().0).gid(owner().1) } else { command }
}

fn own(directory: &Path) {
    if is_root() {
        let (user, group) = owner();
        std::os::unix::fs::chown(directory, Some(user), Some(group)).unwrap();
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// User and group `nobody`.
fn owner() -> (u32, u32) {
    (65534, 65534)
}

/// A program of PostgreSQL, in the path or where Debian keeps them.
fn tool(name: &str) -> PathBuf {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    installed
        .map(|version| version.path().join("bin").join(name))
        .filter(|path| path.exists())
        .max()
        .unwrap_or_else(|| PathBuf::from(name))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn run(command: &mut Command) {
    let shown = format!("{command:?}");
    let output = unprivileged(command).output().unwrap_or_else(|error| {
        panic!("{shown}: {error}. The tests need PostgreSQL's programs (Debian: postgresql)")
    });
    if !output.status.success() {
        let _ = std::io::stderr().write_all(&output.stderr);
        panic!("{shown} failed");
    }
}
