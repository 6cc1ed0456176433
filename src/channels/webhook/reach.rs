//! Which servers a webhook may reach: what a sequence names is an author's, and often comes
//! from data; what lies behind this machine's network is the operator's.
//!
//! Promises: a host is reached only if it is allowed by name. One that a pattern allows (`*`,
//! `*.example.com`) is reached only at public addresses, also if its name leads elsewhere, now
//! or in the next moment: a connection goes to the addresses that were looked at. Addresses of
//! the link, where clouds keep their credentials, are reached only if they are allowed as such.

use std::{
    error::Error,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Hosts that may be reached.
#[derive(Debug, Clone)]
pub(super) struct Reach(Arc<Vec<Allowed>>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Allowed {
    /// `*`: everything that is public.
    Public,
    /// `*.example.com`: what ends so, where it is public. With the dot.
    Below(String),
    /// `example.com`, wherever that leads.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// How a host is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By a pattern: at public addresses.
    Public,
    /// By its name: anywhere but on the link.
    Named,
}

/// It is not allowed. What the operator should read says why, and names no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotAllowed(String);

impl fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for NotAllowed {}

impl Reach {
    /// Reads what is allowed.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn read(allow: &[String]) -> Result<Self, String> {
        let each: Result<Vec<Allowed>, String> = allow.iter().map(|text| read(text)).collect();
        Ok(Self(Arc::new(each?)))
    }

    /// Whether an address may be asked for at all. Where a name leads is looked at again when
    /// it is known.
    pub fn check(&self, url: &Url) -> Result<(), NotAllowed> {
        match url.host() {
            Some(Host::Domain(name)) => self.way(&plain(name)).map(drop),
            Some(Host::Ipv4(ip)) => self.address(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => self.address(IpAddr::V6(ip)),
            None => Err(NotAllowed("it names no host".to_owned())),
        }
    }

    fn way(&self, name: &str) -> Result<Way, NotAllowed> {
        let is_below = |end: &str| name.len() > end.len() && name.ends_with(end);
        let mut way = None;
        for allowed in self.0.iter() {
            match allowed {
                Allowed::Name(known) if known == name => return Ok(Way::Named),
                Allowed::Below(end) if is_below(end) => way = Some(Way::Public),
                Allowed::Public => way = Some(Way::Public),
                _ => {}
            }
        }
        way.ok_or_else(|| {
            NotAllowed(format!("`webhook.allow` does not allow the host {}", shown(name)))
        })
    }

    fn address(&self, ip: IpAddr) -> Result<(), NotAllowed> {
        let allowed = |one: &Allowed| match one {
            Allowed::Address(known) => known.to_canonical() == ip.to_canonical(),
            Allowed::Public => is_public(ip),
            Allowed::Below(_) | Allowed::Name(_) => false,
        };
        if self.0.iter().any(allowed) {
            return Ok(());
        }
        Err(NotAllowed(format!("`webhook.allow` does not allow the address {ip}")))
    }

    /// Those of the addresses that a name leads to which may be reached.
    fn reached(&self, name: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NotAllowed> {
        let name = plain(name);
        let way = self.way(&name)?;
        let may = |ip: IpAddr| match way {
            Way::Public => is_public(ip) || self.address(ip).is_ok(),
            Way::Named => !is_of_link(ip) || self.address(ip).is_ok(),
        };
        let (reached, others): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|found| may(found.ip()));
        match (reached.is_empty(), others.first()) {
            (true, Some(other)) => Err(NotAllowed(format!(
                "the host {} leads to {}, which `webhook.allow` does not allow",
                shown(&name),
                other.ip()
            ))),
            _ => Ok(reached),
        }
    }
}

impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let reached = reach.reached(name.as_str(), found)?;
            Ok(Box::new(reached.into_iter()) as Addrs)
        })
    }
}

/// Whether something is not allowed, somewhere beneath an error.
pub(super) fn not_allowed(error: &(dyn Error + 'static)) -> Option<NotAllowed> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<NotAllowed>() {
            return Some(found.clone());
        }
        next = error.source();
    }
    None
}

fn read(text: &str) -> Result<Allowed, String> {
    let text = text.trim();
    if text == "*" {
        return Ok(Allowed::Public);
    }
    let (host, below) = match text.strip_prefix("*.") {
        Some(host) => (host, true),
        None => (text, false),
    };
    let wrong = || {
        format!(
            "`{text}` is no host; expected a name such as hooks.example.com, `*.example.com`, \
             an address, or `*` for every public one"
        )
    };
    let bare = host.parse::<Ipv6Addr>().map(|ip| format!("[{ip}]"));
    match (Host::parse(bare.as_deref().unwrap_or(host)).map_err(|_| wrong())?, below) {
        (Host::Domain(name), _) if name.contains('*') => Err(wrong()),
        (Host::Domain(name), true) => Ok(Allowed::Below(format!(".{}", plain(&name)))),
        (Host::Domain(name), false) => Ok(Allowed::Name(plain(&name))),
        (Host::Ipv4(ip), false) => Ok(Allowed::Address(ip.into())),
        (Host::Ipv6(ip), false) => Ok(Allowed::Address(ip.into())),
        _ => Err(wrong()),
    }
}

/// A name as it is compared: in small letters, without the dot at its end.
pub(super) fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn shown(name: &str) -> String {
    let beginning: String = name.chars().take(100).collect();
    format!("`{beginning}`")
}

/// On the link: nobody but this machine's neighbours, and the metadata of clouds.
fn is_of_link(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip == METADATA,
    }
}

/// Where AWS keeps credentials for who speaks IPv6.
const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Whether an address is one of the internet's, by IANA's registries of special ones.
fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !(a == 0
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast()
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, ..] = ip.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b) {
        // Both stand for an IPv4 address: translated, and tunnelled.
        (0x64, 0xff9b) => {
            let [.., high, low] = ip.segments();
            ip.segments().get(2..6) == Some(&[0; 4]) && embedded(high, low)
        }
        (0x2002, _) => embedded(b, c),
        // Documentation, and protocols of the IETF: tunnels, benchmarks, identifiers.
        (0x2001, 0xdb8 | 0..0x200) | (0x3fff, 0..0x1000) => false,
        _ => (0x2000..0x4000).contains(&a),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(allow: &[&str]) -> Reach {
        Reach::read(&allow.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    fn may(reach: &Reach, url: &str) -> bool {
        reach.check(&url.parse().unwrap()).is_ok()
    }

    fn leads(reach: &Reach, name: &str, ip: &str) -> bool {
        let found = vec![SocketAddr::new(ip.parse().unwrap(), 0)];
        reach.reached(name, found).is_ok_and(|reached| !reached.is_empty())
    }

    #[test]
    fn only_what_is_allowed_is_reached() {
        let some = reach(&["hooks.example.com", "*.partner.example", "10.1.2.3", "::1"]);
        for url in [
            "https://hooks.example.com/a",
            "https://HOOKS.example.com:8443",
            "https://hooks.example.com./",
            "https://a.b.partner.example",
            "http://10.1.2.3:80",
            "http://[::1]:80",
        ] {
            assert!(may(&some, url), "{url}");
        }
        for url in [
            "https://example.com",
            "https://hooks.example.com.evil.example",
            "https://evilpartner.example",
            "https://partner.example",
            "http://10.1.2.4",
            "http://127.0.0.1",
            "http://8.8.8.8",
        ] {
            assert!(!may(&some, url), "{url}");
        }
        assert!(!may(&reach(&[]), "https://example.com"));
    }

    #[test]
    fn everything_public_is_not_what_lies_behind_this_machine() {
        let all = reach(&["*"]);
        for url in ["https://example.com", "http://8.8.8.8", "http://[2606:4700::1111]"] {
            assert!(may(&all, url), "{url}");
        }
        for url in [
            "http://127.0.0.1",
            "http://127.1",
            "http://2130706433",
            "http://0x7f.0.0.1",
            "http://0.0.0.0",
            "http://10.0.0.1",
            "http://172.16.0.1",
            "http://192.168.1.1",
            "http://169.254.169.254/latest",
            "http://100.100.100.200",
            "http://224.0.0.1",
            "http://255.255.255.255",
            "http://[::1]",
            "http://[::]",
            "http://[fe80::1]",
            "http://[fd00:ec2::254]",
            "http://[::ffff:127.0.0.1]",
            "http://[::ffff:a9fe:a9fe]",
            "http://[64:ff9b::a9fe:a9fe]",
            "http://[2002:a9fe:a9fe::1]",
            "http://[2001::1]",
            "http://[ff02::1]",
            "http://[2001:db8::1]",
            "http://[::7f00:1]",
        ] {
            assert!(!may(&all, url), "{url}");
        }
    }

    #[test]
    fn a_name_that_leads_inside_is_not_followed_unless_it_is_the_operators_own() {
        let all = reach(&["*", "erp.internal"]);
        assert!(leads(&all, "example.com", "8.8.8.8"));
        for ip in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254"] {
            assert!(!leads(&all, "rebound.example", ip), "{ip}");
        }
        assert!(leads(&all, "erp.internal", "10.0.0.1") && leads(&all, "erp.internal", "::1"));
        for ip in ["169.254.169.254", "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254"] {
            assert!(!leads(&all, "erp.internal", ip), "{ip}: of the link");
        }
        assert!(leads(&reach(&["erp.internal", "169.254.1.1"]), "erp.internal", "169.254.1.1"));
        let (public, private) = ("8.8.8.8:0".parse().unwrap(), "10.0.0.1:0".parse().unwrap());
        let reached = all.reached("example.com", vec![private, public]).unwrap();
        assert_eq!(reached, [public], "of several, the public ones");
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in ["", "https://a.example", "a b", "*.", "a*.example", "*.10.0.0.1", "a/b"] {
            assert!(Reach::read(&[text.to_owned()]).is_err(), "{text}");
        }
    }
}
