//! Where somebody can be reached: phone numbers, mail addresses, web addresses.
//!
//! Promises: what is read comes out in one spelling, on one line, whatever stood around
//! it, so that no header and no form field can be smuggled in through an address.
//! Does not: know whether anybody is there.
//! Called by: the runners that reach somebody; whoever takes such addresses in.

mod mail;
mod phone;

pub use mail::{mailbox, one_line, split};
pub use phone::{callee, is_messaging_service, phone_number, sms_sender};

/// Whether this is an `http` or `https` address.
pub fn is_web_address(text: &str) -> bool {
    let rest = ["http://", "https://"].iter().find_map(|scheme| {
        text.split_at_checked(scheme.len())
            .filter(|(start, _)| start.eq_ignore_ascii_case(scheme))
            .map(|(_, rest)| rest)
    });
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    !host.is_empty() && !text.chars().any(|char| char.is_whitespace() || char.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_address_has_a_host_and_no_blanks() {
        for good in ["https://example.com/hello?x=1", "HTTP://localhost:8080", "http://[::1]/"] {
            assert!(is_web_address(good), "{good}");
        }
        for bad in
            ["", "example.com", "ftp://example.com", "https://", "https:///x", "https://a b", "ž"]
        {
            assert!(!is_web_address(bad), "{bad}");
        }
    }
}
