//! The proxy of the environment, and for which hosts it is not asked.

use std::net::{IpAddr, Ipv4Addr};

use ureq::Proxy;

/// The variables that name the hosts that are asked without a proxy; the first that is set counts.
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The proxy that the environment names. Hosts in `NO_PROXY` are read as other programs read them: spaces do not count, a
/// name stands for all below it too, a port is passed over, and a network of IPv4 holds its addresses.
pub(crate) fn proxy_of_environment() -> Option<Proxy> {
    let proxy = Proxy::try_from_env()?;
    let hosts = NO_PROXY.iter().find_map(|name| std::env::var(name).ok());
    Some(without(&proxy, &hosts.unwrap_or_default()))
}

/// The same proxy, which is not asked for these hosts.
fn without(proxy: &Proxy, hosts: &str) -> Proxy {
    let mut known = Proxy::builder(proxy.protocol())
        .host(proxy.host())
        .port(proxy.port())
        .resolve_target(proxy.resolve_target());
    if let Some(username) = proxy.username() {
        known = known.username(username);
    }
    if let Some(password) = proxy.password() {
        known = known.password(password);
    }
    for pattern in hosts
        .split([',', ' ', '\t', '\n'])
        .filter(|host| !host.is_empty())
        .flat_map(patterns)
    {
        known = known.no_proxy(&pattern);
    }
    known.build().unwrap_or_else(|_| proxy.clone())
}

/// The patterns of the library that an entry stands for: a whole name, its end (`.name`, `*name`) or its beginning (`10.*`).
fn patterns(entry: &str) -> Vec<String> {
    if entry == "*" {
        return vec![entry.to_owned()];
    }
    if let Some(network) = network(entry) {
        return network;
    }
    let bare = entry.trim_start_matches('[').trim_end_matches(']');
    let port = entry
        .rsplit_once(':')
        .filter(|(_, port)| !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit()));
    let host = match (bare.parse(), port) {
        (Ok(IpAddr::V6(address)), _) => return vec![format!("[{address}]")],
        (_, Some((host, _))) => host,
        (_, None) => entry,
    };
    if host.parse::<IpAddr>().is_ok() || host.starts_with('[') {
        return vec![host.to_owned()];
    }
    if host
        .strip_prefix('*')
        .is_some_and(|end| !end.starts_with('.'))
    {
        return vec![host.to_owned()];
    }
    let name = host.trim_start_matches('*').trim_start_matches('.');
    vec![name.to_owned(), format!(".{name}")]
}

/// The addresses of a network such as `10.0.0.0/8`, by how they begin.
fn network(entry: &str) -> Option<Vec<String>> {
    let (address, bits) = entry.split_once('/')?;
    let octets = address.parse::<Ipv4Addr>().ok()?.octets();
    let bits: u32 = bits.parse().ok().filter(|bits| (1..=32).contains(bits))?;
    // The last octet that the network says anything of, and how many there are of that.
    let last = usize::try_from((bits - 1) / 8).ok()?;
    let open = (8 - bits % 8) % 8;
    let first = octets[last] >> open << open;
    let before: String = octets[..last]
        .iter()
        .map(|octet| format!("{octet}."))
        .collect();
    let rest = if last == 3 { "" } else { ".*" };
    let all = u16::from(first)..u16::from(first) + (1 << open);
    Some(all.map(|octet| format!("{before}{octet}{rest}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the proxy is passed by for an address.
    fn is_direct(hosts: &str, address: &str) -> bool {
        let proxy = Proxy::new("http://us%40er:p%3Aw@proxy:3128").unwrap();
        let known = without(&proxy, hosts);
        assert_eq!(known.uri().to_string(), proxy.uri().to_string());
        assert_eq!(known.password(), Some("p:w"));
        known.is_no_proxy(&address.parse().unwrap())
    }

    #[test]
    fn hosts_are_read_as_other_programs_read_them() {
        for (hosts, address) in [
            ("localhost, .example.com", "https://a.example.com/x"),
            ("localhost, .example.com", "https://example.com"),
            ("localhost example.com", "https://a.b.example.com:8443"),
            ("EXAMPLE.com:8443", "https://example.com:8443"),
            ("*.example.com", "https://a.example.com"),
            ("*", "https://anything"),
            ("*-int.Example.com:8443", "https://a-int.example.com:8443"),
            ("10.0.0.0/8", "http://10.250.1.2:8080"),
            ("172.16.0.0/12", "http://172.31.0.1"),
            ("192.168.7.128/25", "http://192.168.7.200"),
            ("10.1.2.3/32", "http://10.1.2.3"),
            ("10.1.2.3:8080", "http://10.1.2.3:8080"),
            ("::1", "http://[::1]:80"),
            ("[::1]:80", "http://[::1]:80"),
        ] {
            assert!(is_direct(hosts, address), "{hosts} {address}");
        }
        for (hosts, address) in [
            ("", "https://example.com"),
            ("example.com", "https://badexample.com"),
            ("*.example.com", "https://badexample.com"),
            ("*-int.example.com", "https://a-ext.example.com"),
            ("*-int.example.com", "https://a-int.example.com.evil.org"),
            ("example.com", "https://example.com.evil.org"),
            ("10.0.0.0/8", "http://11.0.0.1"),
            ("172.16.0.0/12", "http://172.32.0.1"),
            ("192.168.7.128/25", "http://192.168.7.100"),
            ("10.1.2.3", "http://10.1.2.34"),
            ("10.0.0.0/0", "http://example.com"),
            ("10.0.0.0/99", "http://10.0.0.1"),
        ] {
            assert!(!is_direct(hosts, address), "{hosts} {address}");
        }
    }
}
