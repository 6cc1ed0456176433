//! `ready`: whether the `serve` that runs here can do its work, for healthchecks.
//!
//! Promises: exit code 0 if it can, 1 if not, or if nobody answers; then stderr says why.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::channels::http;

use super::{Context, Failure, Result};

/// Longer than the server gives its database.
const PATIENCE: Duration = Duration::from_secs(8);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where it listens, in place of RUNGS_LISTEN.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
}

pub(super) async fn ready(args: &Args, context: &Context) -> Result<()> {
    let config = context.config()?;
    let listen = args.listen.as_ref().unwrap_or(&config.listen);
    let address = address(listen)
        .ok_or_else(|| Failure::refused(format!("{listen}: expected an address and a port")))?;
    let silent = |error: &dyn std::error::Error| {
        Failure::refused(format!("nobody answers at {address}: {}", http::explain(error)))
    };
    // Of this machine itself: no proxy is asked.
    let client = http::direct_client()?;
    let mut request = client.get(format!("http://{address}/readyz")).timeout(PATIENCE);
    if let Some(key) = config.api_keys.first() {
        request = request.bearer_auth(key.expose_secret());
    }
    let response = request.send().await.map_err(|error| silent(&error.without_url()))?;
    let status = response.status();
    if status.is_success() {
        return Ok(context.output.answer(&json!({ "status": "ok" }), "ready")?);
    }
    let body = http::body(response).await.unwrap_or_default();
    let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
    let why = ["detail", "title"].iter().find_map(|key| problem[*key].as_str());
    Err(Failure::refused(why.map_or_else(|| status.to_string(), str::to_owned)))
}

/// Where somebody on this machine reaches what listens there.
fn address(listen: &str) -> Option<SocketAddr> {
    let mut address: SocketAddr = listen.replace("localhost", "127.0.0.1").parse().ok()?;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    (address.port() > 0).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_everywhere_is_reached_here() {
        for (listen, reached) in [
            ("0.0.0.0:7447", Some("127.0.0.1:7447")),
            ("[::]:7447", Some("[::1]:7447")),
            ("10.0.0.7:80", Some("10.0.0.7:80")),
            ("localhost:7447", Some("127.0.0.1:7447")),
            ("127.0.0.1:0", None),
            ("7447", None),
        ] {
            assert_eq!(address(listen).map(|it| it.to_string()).as_deref(), reached, "{listen}");
        }
    }
}
