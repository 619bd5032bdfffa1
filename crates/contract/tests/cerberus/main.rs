//! Cerberus here against Cerberus there: written cases, recorded vectors, generated pairs.

mod cases;
mod generate;
mod generated;
mod oracle;
mod question;
mod vectors;
