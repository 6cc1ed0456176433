//! `X-Twilio-Signature`: proof that a request comes from who knows the auth token.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use url::Url;

/// The signature of a request to `url` with the form `params`.
///
/// `url` is the address as the provider was given it, query included. Names are sorted,
/// and so are the values of a name that occurs more than once; equal pairs count once.
pub fn sign(token: &str, url: &str, params: &[(String, String)]) -> String {
    STANDARD.encode(mac(token, url, params).finalize().into_bytes())
}

/// Whether `signature` is that of a request to `url` with the form `params`.
///
/// Takes the same time wherever the signature differs. The standard port may be spelled
/// out in what was signed, or not: providers differ in that.
pub fn is_valid(token: &str, url: &str, params: &[(String, String)], signature: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature.trim()) else { return false };
    let spelled = with_standard_port(url);
    std::iter::once(url)
        .chain(spelled.as_deref())
        .any(|url| mac(token, url, params).verify_slice(&signature).is_ok())
}

fn mac(token: &str, url: &str, params: &[(String, String)]) -> Hmac<Sha1> {
    let mut sorted: Vec<&(String, String)> = params.iter().collect();
    sorted.sort();
    sorted.dedup();
    // HMAC takes keys of any length, so there is no other branch to come to.
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    mac
}

/// `https://host/path` as `https://host:443/path`; `None` if it names a port already.
fn with_standard_port(url: &str) -> Option<String> {
    let parsed = Url::parse(url).ok()?;
    let port = if parsed.port().is_none() { parsed.port_or_known_default()? } else { return None };
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(end)?;
    Some(format!("{scheme}://{host}:{port}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";

    fn params(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// The example of Twilio's documentation; its libraries test themselves with it too.
    fn documented() -> Vec<(String, String)> {
        params(&[
            ("Digits", "1234"),
            ("To", "+18005551212"),
            ("From", "+14158675309"),
            ("Caller", "+14158675309"),
            ("CallSid", "CA1234567890ABCDE"),
        ])
    }

    #[test]
    fn the_documented_example_gives_the_documented_signature() {
        assert_eq!(sign("12345", URL, &documented()), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        assert!(is_valid("12345", URL, &documented(), "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
    }

    #[test]
    fn a_name_with_several_values_counts_each_once_in_order() {
        let repeated = params(&[
            ("Sid", "CA123"),
            ("SidAccount", "AC123"),
            ("Digits", "5678"),
            ("Digits", "1234"),
            ("Digits", "1234"),
        ]);
        assert_eq!(sign("12345", URL, &repeated), "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
    }

    #[test]
    fn any_change_makes_it_invalid() {
        let signature = sign("12345", URL, &documented());
        let mut other = documented();
        other[0].1 = "1235".into();
        assert!(!is_valid("12345", URL, &other, &signature), "another value");
        assert!(
            !is_valid("12345", "https://mycompany.com/", &documented(), &signature),
            "another address"
        );
        assert!(!is_valid("12346", URL, &documented(), &signature), "another token");
        for signature in ["", "FAIL", "RSOYDt4T1cUTdK1PDd93", "ž"] {
            assert!(!is_valid("12345", URL, &documented(), signature), "{signature:?}");
        }
    }

    #[test]
    fn the_standard_port_may_be_spelled_out_by_the_signer() {
        let spelled = "https://mycompany.com:443/myapp.php?foo=1&bar=2";
        let signature = sign("12345", spelled, &documented());
        assert!(is_valid("12345", URL, &documented(), &signature));
        let other = sign("12345", "https://mycompany.com:444/myapp.php?foo=1&bar=2", &documented());
        assert!(!is_valid("12345", URL, &documented(), &other));
    }
}
