//! Images read from registries and pushed to them: from one that misbehaves as it is told, and from a real one.

mod debian;
mod images;
mod logins;
mod pulls;
mod pushes;
mod server;
