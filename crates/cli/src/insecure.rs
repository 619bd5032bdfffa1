//! The registries that are spoken to without encryption.

/// The option that names them.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub(crate) struct InsecureRegistries {
    /// A registry to speak to without encryption; may be given several times
    #[arg(long = "insecure-registry", value_name = "HOST")]
    pub(crate) insecure: Vec<String>,
}
