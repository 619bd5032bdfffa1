//! Tests of the template engine against Jinja2: its own test vectors, checked-in cases, generated templates.

mod bounds;
mod cases;
mod compatibility;
mod context;
mod differential;
mod expressions;
mod generate;
mod generate_context;
mod generate_soup;
mod generate_text;
mod oracle;
mod vectors;
