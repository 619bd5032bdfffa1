//! The driver that somebody asks for a new connector.

use std::convert::Infallible;
use std::str::FromStr;

/// The driver that somebody asks for, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskedDriver {
    /// One by its name: a pack's or the catalogue's.
    Named(String),
    /// A shared library by its path.
    Library(String),
    /// The machine's ODBC driver manager, with a data source where one is named: `odbc`, `odbc:sales`.
    Odbc(Option<String>),
}

impl FromStr for AskedDriver {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let is_library = text.contains(['/', '\\'])
            || [".so", ".dylib", ".dll"]
                .iter()
                .any(|ending| text.ends_with(ending));
        Ok(match text.split_once(':') {
            Some(("odbc", source)) => Self::Odbc(Some(source.to_owned())),
            None if text == "odbc" => Self::Odbc(None),
            _ if is_library => Self::Library(text.to_owned()),
            _ => Self::Named(text.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_is_read_as_it_is_written() {
        let Ok(source) = "odbc:a/b".parse();
        assert_eq!(AskedDriver::Odbc(Some("a/b".to_owned())), source);
        for (text, expected) in [
            ("duckdb", AskedDriver::Named as fn(String) -> AskedDriver),
            ("MariaDB Unicode", AskedDriver::Named),
            ("libexotic.so", AskedDriver::Library),
            ("drivers/exotic", AskedDriver::Library),
            ("C:\\x.dll", AskedDriver::Library),
        ] {
            let Ok(read) = text.parse::<AskedDriver>();
            assert_eq!(read, expected(text.to_owned()));
        }
        let Ok(bare) = "odbc".parse();
        assert_eq!(AskedDriver::Odbc(None), bare);
    }
}
