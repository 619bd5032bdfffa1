//! Addresses: their origins, and where the next page may be.

use ureq::http::Uri;

/// The scheme, host and port of an address, in small letters: what decides whether a login may go there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `http` or `https`.
    pub scheme: String,
    /// The host's name, or its number; in brackets when that is one of IPv6.
    pub host: String,
    /// The port, named or usual.
    pub port: u16,
}

impl Origin {
    /// The origin of a whole address; nothing for what is none.
    #[must_use]
    pub fn of(address: &str) -> Option<Self> {
        let uri: Uri = address.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let place = uri.authority()?.as_str();
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        let port = place.strip_prefix(uri.host()?)?.strip_prefix(':');
        let port = match port.filter(|port| !port.is_empty()) {
            // What is no port is not to be taken for the usual one.
            Some(port) => port.parse().ok()?,
            None if scheme == "https" => 443,
            None => 80,
        };
        Some(Self {
            scheme,
            host: uri.host()?.to_ascii_lowercase(),
            port,
        })
    }
}

/// The whole address that a link on a page stands for.
///
/// # Errors
/// The address as well, when it is not of the page's own origin.
pub fn resolve(link: &str, page: &str) -> Result<String, String> {
    // Some vendors write addresses as people do.
    let link = &bowline_words::percent_encode_foreign(link.trim());
    let is_whole = link
        .split(['?', '#'])
        .next()
        .is_some_and(|path| path.contains("://"));
    let address = if link.starts_with("//") {
        // What is asked for in the same way as the page.
        let scheme = page.find("//").map_or("", |at| &page[..at]);
        format!("{scheme}{link}")
    } else if is_whole {
        link.clone()
    } else {
        let path_start = page.find("://").map_or(0, |at| at + 3);
        let path = page[path_start..]
            .find('/')
            .map_or(page.len(), |at| path_start + at);
        let query = page.find('?').unwrap_or(page.len());
        if link.starts_with('/') {
            format!("{}{link}", &page[..path])
        } else if link.starts_with('?') {
            format!("{}{link}", &page[..query])
        } else {
            let folder = page[..query].rfind('/').map_or(path, |at| at.max(path));
            format!("{}/{link}", &page[..folder.min(page.len())])
        }
    };
    if Origin::of(&address).is_some() && Origin::of(&address) == Origin::of(page) {
        Ok(address)
    } else {
        Err(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_on_their_host() {
        let page = "http://Host:4200/api/x?a=1";
        for (link, address) in [
            (
                "http://host:4200/api/next?t=1",
                "http://host:4200/api/next?t=1",
            ),
            ("/api/y", "http://Host:4200/api/y"),
            ("?page=2", "http://Host:4200/api/x?page=2"),
            ("y?page=2", "http://Host:4200/api/y?page=2"),
            ("//host:4200/api/y", "http://host:4200/api/y"),
            ("/y?from=http://a", "http://Host:4200/y?from=http://a"),
            (" /y?q=a b é ", "http://Host:4200/y?q=a%20b%20%C3%A9"),
        ] {
            assert_eq!(resolve(link, page), Ok(address.to_owned()), "{link}");
        }
        for link in [
            "http://host/api",
            "https://host:4200/api",
            "http://evil.example.com:4200/",
            "http://host:4200@evil.example.com/",
            "//evil.example.com/x",
            "file:///etc/passwd",
        ] {
            assert!(resolve(link, page).is_err(), "{link}");
        }
    }

    #[test]
    fn the_usual_port_may_be_left_out() {
        assert!(resolve("https://host:443/b", "https://host/a").is_ok());
        for (address, port) in [
            ("https://host", 443),
            ("https://host:/a", 443),
            ("http://80:81@80:8080", 8080),
            ("http://[::1]:8080", 8080),
            ("http://[::1]", 80),
        ] {
            assert_eq!(Origin::of(address).map(|origin| origin.port), Some(port));
        }
        for address in ["http://host:99999", "http://host:8o", "http://h\u{f6}st"] {
            assert_eq!(Origin::of(address), None, "{address}");
        }
    }
}
