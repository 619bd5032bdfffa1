//! Warehouse connectors: a folder in memory, its templates over those of a dialect pack, and its database.
//!
//! ```
//! use bowline_warehouse::Connector;
//! use bowline_warehouse::template::Arguments;
//! use bowline_contract::Template;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let parent = tempfile::tempdir()?;
//! # let folder = parent.path().join("shop");
//! std::fs::create_dir(&folder)?;
//! std::fs::write(
//!     folder.join("connector.toml"),
//!     "version = 1\n[driver]\nkind = \"sqlite\"\n[driver.options]\npath = \"{{ path }}\"\n[dialect]\nextends = \"sqlite\"\n",
//! )?;
//! std::fs::write(folder.join("templates.toml"), "get_avg_function = \"AVG(1.0 * {x})\"\n")?;
//! std::fs::write(
//!     folder.join("manifest.json"),
//!     r#"{"connection_type": "custom-connector-0a1b2c3", "connection_name": "Shop", "asset_class": "warehouse"}"#,
//! )?;
//!
//! let connector = Connector::load(&folder)?;
//! let average = Template::find("get_avg_function").ok_or("a template of the contract")?;
//! let arguments = Arguments {
//!     placeholders: vec![("x", "price".to_owned())],
//!     ..Arguments::default()
//! };
//! assert_eq!(connector.templates.render(average, &arguments)?, "AVG(1.0 * price)");
//! # Ok(())
//! # }
//! ```

mod connector;
pub mod dialect;
pub mod folder;
mod scaffold;
mod schemas;
pub mod template;

pub use connector::{Connector, Driver, FunctionalTarget, MissingFile, OpenError};
pub use scaffold::{
    AskedDriver, Draft, Scaffold, Scaffolded, is_reached_from_python, pack_with_driver,
};
pub use schemas::schemas;
