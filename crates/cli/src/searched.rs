//! What fits of a connector found nothing for, kept so that nobody is sent to look again while nothing changed.

use std::collections::BTreeSet;

use bowline_contract::Template;
use bowline_warehouse::Connector;
use bowline_warehouse::template::TemplateSet;

use crate::context::Context;
use crate::remembered::Remembered;

/// Where it is kept, in the workspace's state.
const FOLDER: &str = "fits";
const IN_VAIN: &str = "in_vain";

/// The circumstances of a fit: in the same, the next one finds nothing more.
pub(crate) struct Search(Remembered);

impl Search {
    /// A fit of a connector with these templates, over what names itself so.
    pub(crate) fn of(connector: &Connector, product: &str, templates: &TemplateSet) -> Self {
        let remembered = Remembered::of(FOLDER, connector, product, templates);
        Self(remembered.where_also("can_change_a_table", connector.has_functional_place()))
    }

    /// The templates, by short name, for which a fit in these circumstances found nothing.
    pub(crate) fn in_vain(&self) -> BTreeSet<String> {
        let names = self.0.read(IN_VAIN);
        let names = names.as_array().into_iter().flatten();
        names
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect()
    }

    /// Keeps that a fit found nothing for these.
    pub(crate) fn keep(
        &self,
        context: &Context,
        templates: impl Iterator<Item = &'static Template>,
    ) {
        let mut in_vain = self.in_vain();
        in_vain.extend(templates.map(|template| template.short_name().to_owned()));
        self.0
            .keep(context, IN_VAIN, in_vain.into_iter().collect::<Vec<_>>());
    }
}
