//! Cerberus here against Cerberus there: written cases, recorded vectors, generated pairs.

mod cases;
mod differences;
mod generate;
mod generated;
mod oracle;
mod patterns;
mod question;
mod vectors;
