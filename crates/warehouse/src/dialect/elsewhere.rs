//! Spellings of platforms that have no pack: general knowledge of their SQL, proven on none of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bowline_contract::Template;

/// How one platform spells a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elsewhere {
    /// The platform, as its makers write it.
    pub platform: &'static str,
    /// The template's text. It never ran.
    pub text: &'static str,
}

/// Platforms by their names in the table, and for each template the platforms' spellings.
type Tables = BTreeMap<String, BTreeMap<String, String>>;

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    toml::from_str(include_str!("elsewhere.toml")).expect("the table is part of the program")
});

/// How platforms without a pack spell a template, as far as is known here.
pub fn elsewhere(template: &Template) -> impl Iterator<Item = Elsewhere> {
    let spellings = TABLES.get(template.short_name()).into_iter().flatten();
    spellings.filter_map(|(key, text)| {
        let platform = TABLES.get("platforms")?.get(key)?;
        Some(Elsewhere { platform, text })
    })
}

#[cfg(test)]
mod tests {
    use bowline_template::CompiledTemplate;

    use super::*;

    #[test]
    fn every_row_is_a_template_in_the_words_of_its_variables() {
        for (name, spellings) in &*TABLES {
            if name == "platforms" {
                continue;
            }
            let template = Template::find(name).unwrap_or_else(|| panic!("`{name}`"));
            assert!(elsewhere(template).count() == spellings.len(), "{name}");
            for (platform, text) in spellings {
                let compiled = CompiledTemplate::compile(name, text)
                    .unwrap_or_else(|error| panic!("{name} of {platform}: {error}"));
                let known = |word: &str| template.variables.iter().any(|each| each.name == word);
                let unknown: Vec<&str> = compiled.variables().filter(|word| !known(word)).collect();
                assert!(unknown.is_empty(), "{name} of {platform}: {unknown:?}");
                for placeholder in template.placeholders {
                    let held = format!("{{{placeholder}}}");
                    assert!(
                        text.contains(&held) || text == "1 = 0",
                        "{name} of {platform}"
                    );
                }
            }
        }
    }
}
