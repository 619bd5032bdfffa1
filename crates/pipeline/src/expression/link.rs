//! `Link` headers as RFC 8288 writes them.

/// The address of the first link with this relation. `Err` is the part of the header that is no link.
///
/// A link with an `anchor` is about another resource than the answer, and does not count.
pub(crate) fn target<'h>(header: &'h str, relation: &str) -> Result<Option<&'h str>, &'h str> {
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        if rest.is_empty() {
            return Ok(None);
        }
        let begin = rest;
        let (address, behind) = rest
            .strip_prefix('<')
            .and_then(|rest| rest.split_once('>'))
            .ok_or(begin)?;
        let (parameters, behind) = parameters(behind).ok_or(begin)?;
        // Of several `rel` the first counts.
        let rel = parameters
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("rel"));
        let is_elsewhere = parameters
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("anchor"));
        let is_meant = rel.is_some_and(|(_, value)| {
            // Single quotes are no quotes by the standard, but are written.
            let value = value.trim_matches('\'');
            let mut relations = value.split_ascii_whitespace();
            relations.any(|one| one.eq_ignore_ascii_case(relation))
        });
        // Sentry always names a next page, and says so whether there is anything on it.
        let is_empty = parameters
            .iter()
            .any(|(name, value)| *name == "results" && value == "false");
        if is_meant && !is_elsewhere && !is_empty {
            return Ok(Some(address.trim()));
        }
        rest = behind;
    }
}

/// The parameters of a link, up to the comma that ends it, and what stands behind them.
fn parameters(text: &str) -> Option<(Vec<(&str, String)>, &str)> {
    let mut parameters = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() && !rest.starts_with(',') {
        rest = rest.strip_prefix(';')?.trim_start();
        let end = rest.find([';', ',', '=']).unwrap_or(rest.len());
        let name = rest[..end].trim_end();
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(given) = rest.strip_prefix('=') {
            let given = given.trim_start();
            rest = match given.strip_prefix('"') {
                Some(quoted) => {
                    let end;
                    (value, end) = unquoted(quoted)?;
                    quoted[end..].trim_start()
                }
                None => {
                    let end = given.find([';', ',']).unwrap_or(given.len());
                    value.push_str(given[..end].trim_end());
                    &given[end..]
                }
            };
        }
        // An empty parameter stands where somebody wrote one semicolon too many.
        if !name.is_empty() {
            parameters.push((name, value));
        }
    }
    Some((parameters, rest))
}

/// A quoted text behind its first quote, and where it ends.
fn unquoted(text: &str) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, at + 1)),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_however_the_header_is_written() {
        for header in [
            r#"<https://v/r?p=2>; rel="next""#,
            r#"<https://v/r?p=1>; rel="first", <https://v/r?p=2>; rel="next""#,
            r#"<https://v/r?p=2>;rel=next"#,
            r#"<https://v/r?p=2>; rel='next'"#,
            r#"<https://v/r?p=2>; rel='last next'; title='x'"#,
            r#"<https://v/r?p=2> ; REL = "last NEXT""#,
            r#"<https://v/r?p=2>; title="a, b; rel=\"prev\""; rel=next"#,
            r#"<https://v/r?p=9>; rel="prev"; rel="next", <https://v/r?p=2>; rel=next"#,
            r#"<https://v/r?p=9>; rel=next; anchor="/other", <https://v/r?p=2>; rel=next"#,
            r#", <https://v/a,b;c>; rel=up,, <https://v/r?p=2>; crossorigin; rel=next;"#,
        ] {
            assert_eq!(
                target(header, "next"),
                Ok(Some("https://v/r?p=2")),
                "{header}"
            );
        }
        let odd = "</r?fields=id,status;x&p=2>; rel=next";
        assert_eq!(target(odd, "next"), Ok(Some("/r?fields=id,status;x&p=2")));
    }

    #[test]
    fn no_next_page_and_no_link_at_all_are_apart() {
        for header in [
            "",
            " ",
            "<https://v/r>; rel=prev",
            "<https://v/r>",
            r#"<https://v/r?cursor=0:100:0>; rel="next"; results="false"; cursor="0:100:0""#,
            r#"<x>; rel="next-page""#,
        ] {
            assert_eq!(target(header, "next"), Ok(None), "{header}");
        }
        for header in [
            "https://v/r?p=2; rel=next",
            "<https://v/r",
            r#"<v>; rel="next"#,
            "<v> rel=next",
        ] {
            assert!(target(header, "next").is_err(), "{header}");
        }
    }
}
