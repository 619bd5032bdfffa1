//! The system packages that a connector asks for in its `Dockerfile.extra`.

/// The system packages that `apt-get install` lines name, in their order, each once.
pub(super) fn system_packages(text: &str) -> Vec<String> {
    let mut packages: Vec<String> = Vec::new();
    let joined = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .map(|line| match line.trim_end().strip_suffix('\\') {
            Some(continued) => continued.to_owned(),
            None => format!("{line}\n"),
        })
        .collect::<Vec<_>>()
        .join(" ");
    for command in joined.split(['\n', ';', '&', '|']) {
        let mut words = command.split_whitespace();
        let installs = words.any(|word| matches!(word, "apt-get" | "apt"))
            && words.any(|word| word == "install");
        if !installs {
            continue;
        }
        for word in words.filter(|word| !word.starts_with('-')) {
            let name = word.split('=').next().unwrap_or(word);
            if !name.is_empty() && !packages.iter().any(|known| known == name) {
                packages.push(name.to_owned());
            }
        }
    }
    packages
}

#[cfg(test)]
mod tests {
    use super::system_packages;

    #[test]
    fn packages_are_found_in_every_way_of_writing() {
        let text = "# RUN apt-get install ignored\n\
            ENV A=1\n\
            RUN apt-get update && apt-get install -y --no-install-recommends \\\n\
            # a word between\n\
                unixodbc libpq5=15.1-1 \\\n\
                unixodbc \\\n\
              && rm -rf /var/lib/apt/lists/*\n\
            RUN DEBIAN_FRONTEND=noninteractive apt -qq install tdsodbc; echo done\n\
            RUN pip install something\n";
        assert_eq!(system_packages(text), ["unixodbc", "libpq5", "tdsodbc"]);
    }

    #[test]
    fn nothing_is_found_where_nothing_is_installed() {
        assert!(system_packages("").is_empty());
        assert!(system_packages("RUN apt-get update").is_empty());
    }
}
