//! Addresses of registries: which are this machine's, what links lead to, and what of them people see.

use std::net::IpAddr;

use bowline_http::Origin;

/// Whether a host is this machine itself.
pub(super) fn is_loopback(host: &str) -> bool {
    Origin::of(&format!("http://{host}")).is_some_and(|origin| {
        let name = origin.host.trim_matches(['[', ']']);
        name == "localhost"
            || name
                .parse::<IpAddr>()
                .is_ok_and(|number| number.is_loopback())
    })
}

/// The whole address that a link in an answer from another address means.
pub(super) fn absolute(link: &str, page: &str) -> String {
    match bowline_http::resolve(link, page) {
        Ok(address) | Err(address) => match address.strip_prefix("//") {
            Some(rest) => {
                let scheme = page.split("://").next().unwrap_or("https");
                format!("{scheme}://{rest}")
            }
            None => address,
        },
    }
}

/// An address without its query, which may let in whoever knows it.
pub(super) fn shown_address(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_several_names() {
        for host in [
            "localhost",
            "localhost:5000",
            "127.0.0.1",
            "127.9.9.9:80",
            "[::1]:5000",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "localhost.example.com",
            "10.0.0.1",
            "127.0.0.1.example.com",
            "[::2]",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn links_are_read_from_where_they_stand() {
        let page = "https://r.io/v2/a/blobs/uploads/";
        for (link, address) in [
            ("/v2/x?y=1", "https://r.io/v2/x?y=1"),
            ("https://s.io/x", "https://s.io/x"),
            ("//s.io/x", "https://s.io/x"),
            ("?z=1", "https://r.io/v2/a/blobs/uploads/?z=1"),
        ] {
            assert_eq!(absolute(link, page), address);
        }
    }
}
