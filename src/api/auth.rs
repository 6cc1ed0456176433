//! Who may come in, and where the door may stand.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::{
    Api,
    problem::{Kind, Problem},
};

/// Providers prove themselves by signature.
const SIGNED: &str = "/callbacks/";

/// An address the API may not listen on. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MayNotListen {
    /// It is none.
    #[error("listen: `{0}` is no address; expected one such as `127.0.0.1:7447`")]
    NoAddress(String),
    /// Others could reach it, and there is no key to keep them out.
    #[error(
        "listen: others can reach {0}, so it needs an API key: set `RUNGS_API_KEYS`, or listen on \
         127.0.0.1"
    )]
    NoKey(SocketAddr),
    /// A key that everybody knows.
    #[error("api_keys: a key is empty")]
    EmptyKey,
}

/// Where the API may listen: on a loopback address, or anywhere if it has keys.
///
/// # Errors
/// What the operator has to change.
pub fn check_listen(listen: &str, keys: &[SecretString]) -> Result<SocketAddr, MayNotListen> {
    if keys.iter().any(|key| key.expose_secret().trim().is_empty()) {
        return Err(MayNotListen::EmptyKey);
    }
    let address = match listen.strip_prefix("localhost:").map(str::parse) {
        Some(Ok(port)) => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port),
        _ => listen.parse().map_err(|_| MayNotListen::NoAddress(listen.to_owned()))?,
    };
    if keys.is_empty() && !address.ip().to_canonical().is_loopback() {
        return Err(MayNotListen::NoKey(address));
    }
    Ok(address)
}

/// The API's keys, hashed: what is compared has one length, whatever a caller shows.
#[derive(Debug)]
pub(super) struct Keys(Vec<[u8; 32]>);

impl Keys {
    pub fn new(keys: &[SecretString]) -> Self {
        Self(keys.iter().map(|key| hash(key.expose_secret().as_bytes())).collect())
    }

    /// Whether a request that shows `key` may come in.
    fn admit(&self, key: Option<&[u8]>) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let Some(shown) = key.filter(|key| !key.is_empty()).map(hash) else { return false };
        // Every key is looked at, so that the time says nothing about which one it was.
        self.0.iter().fold(Choice::from(0), |known, key| known | key.ct_eq(&shown)).into()
    }
}

fn hash(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// Lets in who shows a key.
pub(super) async fn authorise(State(api): State<Api>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with(SIGNED) {
        return next.run(request).await;
    }
    if api.keys.0.is_empty() && is_foreign(&request) {
        let detail = "a page of another site sent this, and without API keys that is not taken";
        return Problem::new(Kind::ForeignOrigin, detail).into_response();
    }
    if api.keys.admit(shown(&request)) {
        return next.run(request).await;
    }
    let detail = if request.headers().contains_key(header::AUTHORIZATION) {
        "the API key is wrong"
    } else {
        "expected `Authorization: Bearer <key>`"
    };
    Problem::new(Kind::Unauthorized, detail).into_response()
}

/// Whether a browser sent it for a page of another site. A server that asks for no key is
/// reached by whatever page its operator looks at.
fn is_foreign(request: &Request) -> bool {
    let header = |name| request.headers().get(name).map(HeaderValue::as_bytes);
    let Some(origin) = header(header::ORIGIN) else { return false };
    let own = header(header::HOST).unwrap_or_default();
    origin.strip_prefix(b"http://").or(origin.strip_prefix(b"https://")) != Some(own)
}

fn shown(request: &Request) -> Option<&[u8]> {
    let value = request.headers().get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, key) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| key.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[&str]) -> Vec<SecretString> {
        keys.iter().map(|key| SecretString::from(*key)).collect()
    }

    #[test]
    fn without_a_key_only_loopback_is_listened_on() {
        for loopback in ["127.0.0.1:7447", "127.9.9.9:1", "[::1]:0", "[::ffff:127.0.0.1]:80"] {
            assert_eq!(check_listen(loopback, &[]), Ok(loopback.parse().unwrap()));
        }
        assert_eq!(check_listen("localhost:80", &[]), Ok("127.0.0.1:80".parse().unwrap()));
        for open in ["0.0.0.0:7447", "[::]:7447", "10.0.0.1:80", "[::ffff:10.0.0.1]:80"] {
            let address = open.parse().unwrap();
            assert_eq!(check_listen(open, &[]), Err(MayNotListen::NoKey(address)));
            assert_eq!(check_listen(open, &keys(&["k"])), Ok(address));
        }
    }

    #[test]
    fn an_address_that_is_none_and_a_key_that_is_empty_are_refused() {
        for text in ["", "7447", ":7447", "127.0.0.1", "localhost:99999", "example.com:80"] {
            assert_eq!(
                check_listen(text, &keys(&["k"])),
                Err(MayNotListen::NoAddress(text.into()))
            );
        }
        assert_eq!(check_listen("127.0.0.1:1", &keys(&["k", " "])), Err(MayNotListen::EmptyKey));
    }

    #[test]
    fn only_a_whole_key_is_admitted_and_an_empty_one_never() {
        let two = Keys::new(&keys(&["first", "second"]));
        for (shown, admitted) in [
            (Some("first"), true),
            (Some("second"), true),
            (Some("firs"), false),
            (Some("first2"), false),
            (Some(""), false),
            (None, false),
        ] {
            assert_eq!(two.admit(shown.map(str::as_bytes)), admitted, "{shown:?}");
        }
        assert!(!Keys::new(&keys(&[""])).admit(Some(b"")));
        assert!(Keys::new(&[]).admit(None));
    }
}
