//! How every agent begins.

use ureq::config::ConfigBuilder;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::typestate::AgentScope;

use crate::no_proxy::proxy_of_environment;

/// The configuration every agent begins with: certificates are judged as the system judges them, statuses are
/// answers and no errors, and no redirect is followed, since it would carry a login to wherever it points.
#[must_use]
pub fn agent_config() -> ConfigBuilder<AgentScope> {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(proxy_of_environment())
        .user_agent(concat!("bowline/", env!("CARGO_PKG_VERSION")))
        .tls_config(
            TlsConfig::builder()
                .root_certs(RootCerts::PlatformVerifier)
                .build(),
        )
}
