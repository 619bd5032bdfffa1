//! Operators: each makes wrong spellings out of a right one. To add one, write a row of a table or a function and its row
//! in [`OPERATORS`].

mod arguments;
mod families;
mod structure;
mod wraps;

use std::collections::BTreeSet;

use bowline_contract::Template;

use crate::facts::Facts;
use crate::tokens::Source;

/// A right spelling, to be spelled wrongly.
pub(crate) struct Right<'t> {
    pub(crate) template: &'static Template,
    pub(crate) facts: &'t Facts,
    pub(crate) source: Source<'t>,
}

/// A wrong spelling: what is wrong with it, and its text.
pub(crate) type Wrong = (String, String);

/// An operator.
pub(crate) struct Operator {
    pub(crate) name: &'static str,
    pub(crate) apply: fn(&Right<'_>) -> Vec<Wrong>,
}

const fn operator(name: &'static str, apply: fn(&Right<'_>) -> Vec<Wrong>) -> Operator {
    Operator { name, apply }
}

/// Every operator.
pub(crate) const OPERATORS: &[Operator] = &[
    operator("number", structure::numbers),
    operator("brackets", structure::brackets),
    operator("function left out", structure::functions),
    operator("cast", structure::casts),
    operator("word left out", structure::words),
    operator("term left out", structure::terms),
    operator("call swapped", structure::calls),
    operator("quotes", structure::quotes),
    operator("text constant", structure::constants),
    operator("filter left out", structure::filters),
    operator("branch", structure::branches),
    operator("family", families::swapped),
    operator("arguments swapped", arguments::swapped),
    operator("argument ignored", arguments::ignored),
    operator("argument changed", arguments::changed),
    operator("argument wrapped", wraps::arguments),
    operator("applied twice", wraps::twice),
    operator("result wrapped", wraps::results),
];

/// A wrong spelling of a template.
#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    pub(crate) template: &'static Template,
    pub(crate) operator: &'static str,
    pub(crate) fault: String,
    pub(crate) text: String,
}

/// The wrong spellings that the operators make of a right one; each text once.
pub(crate) fn mutants(right: &Right<'_>) -> Vec<Mutant> {
    let mut seen = BTreeSet::from([right.source.text.to_owned()]);
    let mut mutants = Vec::new();
    for Operator { name, apply } in OPERATORS {
        for (fault, text) in apply(right) {
            if seen.insert(text.clone()) {
                mutants.push(Mutant {
                    template: right.template,
                    operator: name,
                    fault,
                    text,
                });
            }
        }
    }
    mutants
}
