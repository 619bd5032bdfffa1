//! How one logs in, by the document's security schemes.

use serde_json::Value as Json;

use super::document::Document;
use super::paging::toml_text;

/// How one logs in.
#[derive(Debug)]
pub(super) struct ProposedLogin {
    /// `auth`, as TOML writes it.
    pub(super) auth: String,
    /// The credentials that it takes.
    pub(super) credentials: Vec<&'static str>,
    /// The header that carries it, if one does.
    pub(super) header: Option<String>,
    /// A parameter that every request carries.
    pub(super) parameter: Option<(String, &'static str)>,
    /// What a person should know about it.
    pub(super) remark: String,
}

impl ProposedLogin {
    /// The scheme that the document asks for, or the first that is understood.
    pub(super) fn of(document: &Document) -> Self {
        let schemes = [
            document.at(&["components", "securitySchemes"]),
            document.at(&["securityDefinitions"]),
        ];
        let schemes = schemes.into_iter().find_map(Json::as_object);
        let wanted: Vec<&str> = document
            .at(&["security"])
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_object)
            .flat_map(|requirement| requirement.keys().map(String::as_str))
            .collect();
        let mut named: Vec<(&String, &Json)> = schemes.into_iter().flatten().collect();
        named.sort_by_key(|(name, _)| {
            let place = wanted.iter().position(|wanted| wanted == name);
            place.unwrap_or(usize::MAX)
        });
        let mut found = named
            .into_iter()
            .filter_map(|(name, scheme)| of_scheme(name, document.resolved(scheme)));
        found.next().unwrap_or_else(|| Self {
            auth: "{ kind = \"none\" }".to_owned(),
            credentials: Vec::new(),
            header: None,
            parameter: None,
            remark: "the document names no way to log in that is understood".to_owned(),
        })
    }
}

fn of_scheme(name: &str, scheme: &Json) -> Option<ProposedLogin> {
    let text = |key: &str| scheme[key].as_str().unwrap_or_default();
    let remark = format!("the document's scheme `{name}`");
    let header = |header: &str, value: &str, remark: String| ProposedLogin {
        header: Some(header.to_owned()),
        auth: format!(
            "{{ kind = \"header\", name = {}, value = {} }}",
            toml_text(header),
            toml_text(value)
        ),
        credentials: vec!["api_key"],
        parameter: None,
        remark,
    };
    let bearer = |remark| header("Authorization", "Bearer {{ credentials.api_key }}", remark);
    match (text("type"), text("scheme").to_lowercase().as_str(), text("in")) {
        ("http", "basic", _) | ("basic", _, _) => Some(ProposedLogin {
            auth: "{ kind = \"basic\", username = \"{{ credentials.username }}\", password = \"{{ credentials.password }}\" }"
                .to_owned(),
            credentials: vec!["username", "password"],
            header: None,
            parameter: None,
            remark,
        }),
        ("http", ..) => Some(bearer(remark)),
        ("apiKey", _, "header") => {
            Some(header(text("name"), "{{ credentials.api_key }}", remark))
        }
        ("apiKey", _, "cookie") => {
            let name = text("name").replace(['{', '}'], "");
            let value = format!("{name}={{{{ credentials.api_key }}}}");
            Some(header("Cookie", &value, remark))
        }
        ("apiKey", _, "query") => Some(ProposedLogin {
            auth: "{ kind = \"none\" }".to_owned(),
            credentials: vec!["api_key"],
            header: None,
            parameter: Some((text("name").to_owned(), "{{ credentials.api_key }}")),
            remark: format!("{remark}, a parameter of every request"),
        }),
        ("oauth2" | "openIdConnect", ..) => Some(bearer(format!(
            "{remark} gives tokens by OAuth: put one in `api_key`, or describe the request for it with `kind = \"login\"`"
        ))),
        _ => None,
    }
}
