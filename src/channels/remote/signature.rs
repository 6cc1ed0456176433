//! `Rungs-Signature`: proof that a request comes from who knows the secret, and when.
//!
//! It is `v1=` and, in hex, the HMAC-SHA256 of the timestamp, a full stop and the body. The
//! timestamp is that of `Rungs-Timestamp`, in Unix seconds; a receiver refuses one that is not
//! of these minutes, so that a request which somebody overheard cannot be sent again.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header with the signature.
pub const SIGNATURE: &str = "Rungs-Signature";
/// The header with the moment at which it was signed.
pub const TIMESTAMP: &str = "Rungs-Timestamp";

/// A shorter secret can be guessed.
pub const SHORTEST_SECRET: usize = 16;

/// Signs a body, at a moment in Unix seconds.
pub fn sign(secret: &str, timestamp: i64, body: &[u8]) -> String {
    // HMAC takes keys of any length, so there is no other branch to come to.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().iter().fold("v1=".to_owned(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_any_other_implementation() {
        // printf '1767225600.{"runners":[]}' | openssl dgst -sha256 -hmac hush-hush-hush-hush
        let signed = sign("hush-hush-hush-hush", 1_767_225_600, br#"{"runners":[]}"#);
        assert_eq!(signed, "v1=2a37587c566448f7fcbf567c34dc8b40c133d4b9bef3ace2d304254c344e7587");
    }
}
