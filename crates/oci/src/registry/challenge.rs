//! What a registry asks for when it does not let us in: the `WWW-Authenticate` header.

/// A way to log in that a registry offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// Name and password with every request.
    Basic,
    /// A token that another service gives out.
    Bearer {
        /// The address of that service.
        realm: String,
        /// What the registry is called there.
        service: Option<String>,
        /// What the token must allow, as the registry sees it.
        scope: Option<String>,
    },
}

impl Challenge {
    /// The best way offered in these headers: a token rather than a password.
    #[must_use]
    pub fn best<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut best = None;
        for (scheme, parameters) in headers.into_iter().flat_map(schemes) {
            let value = |wanted: &str| {
                let mut found = parameters.iter();
                found
                    .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                    .map(|(_, value)| value.clone())
            };
            if scheme.eq_ignore_ascii_case("bearer") {
                if let Some(realm) = value("realm") {
                    return Some(Self::Bearer {
                        realm,
                        service: value("service"),
                        scope: value("scope"),
                    });
                }
            } else if scheme.eq_ignore_ascii_case("basic") {
                best = Some(Self::Basic);
            }
        }
        best
    }
}

type Parameters = Vec<(String, String)>;

/// The schemes of one header with their parameters; several schemes may stand in one header, parted by commas.
fn schemes(header: &str) -> Vec<(String, Parameters)> {
    let mut found: Vec<(String, Parameters)> = Vec::new();
    let mut rest = header.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let end = rest.find([' ', '\t', '=', ',']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = match (after.trim_start().strip_prefix('='), found.last_mut()) {
            (Some(value), Some((_, parameters))) => {
                let (value, after) = parameter(value.trim_start());
                parameters.push((word.to_owned(), value));
                after
            }
            // A value without a scheme before it is nothing that could be answered.
            (Some(value), None) => parameter(value.trim_start()).1,
            (None, _) => {
                found.push((word.to_owned(), Parameters::new()));
                after
            }
        };
        rest = rest.trim_start_matches([' ', '\t', ',']);
    }
    found
}

/// A parameter's value, quoted or not, and what follows it.
fn parameter(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_preferred() {
        let header = r#"Basic realm="a, b", Bearer realm="https://auth.example.com/token",service="r.example.com",scope="repository:a/b:pull,push""#;
        assert_eq!(
            Challenge::best([header]),
            Some(Challenge::Bearer {
                realm: "https://auth.example.com/token".into(),
                service: Some("r.example.com".into()),
                scope: Some("repository:a/b:pull,push".into()),
            })
        );
        assert_eq!(
            Challenge::best(["bearer realm=x", "Basic"]),
            Some(Challenge::Bearer {
                realm: "x".into(),
                service: None,
                scope: None,
            })
        );
    }

    #[test]
    fn a_password_will_do() {
        assert_eq!(
            Challenge::best([r#"basic realm="Say \"friend\"""#]),
            Some(Challenge::Basic)
        );
        assert_eq!(
            Challenge::best(["Negotiate", "Basic"]),
            Some(Challenge::Basic)
        );
    }

    #[test]
    fn nonsense_offers_nothing() {
        for header in [
            "",
            ",,,",
            "=",
            "a=b",
            "Bearer",
            "Bearer realm",
            "Bearer service=\"x",
            "Digest qop=\"auth\\",
            "Negotiate abc==",
            "é = ü",
        ] {
            assert_eq!(Challenge::best([header]), None, "{header}");
        }
    }
}
