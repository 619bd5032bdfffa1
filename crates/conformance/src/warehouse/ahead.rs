//! Statements written before they are asked, so that those of one round trip travel together.

use std::sync::Arc;

use bowline_query::Composer;
use bowline_template::TemplateValue;

use crate::warehouse::answers::Halt;
use crate::warehouse::session::Session;

/// What writes statements out of templates.
pub(crate) trait Renders {
    /// What renders them.
    fn composer(&self) -> &Composer;

    /// Renders a template.
    fn render(
        &self,
        name: &'static str,
        variables: Vec<(&'static str, TemplateValue)>,
    ) -> Result<String, Halt> {
        let rendered = self.composer().render_with(name, variables);
        rendered.map_err(Halt::Unwritten)
    }

    /// What a SELECT without a table needs behind it on this engine.
    fn one_row_clause(&self) -> Result<String, Halt> {
        self.composer().one_row_clause().map_err(Halt::Unwritten)
    }

    /// Renders a SELECT of one expression, from nothing where the dialect can.
    fn bare(&self, expression: String) -> Result<String, Halt> {
        let bare = self.composer().bare(&[expression]);
        bare.map_err(Halt::Unwritten)
    }
}

/// The statements that are asked next, as far as all goes well: only what changes nothing but tables of the suite's own,
/// and is wanted in any case or does no harm twice.
pub(crate) struct Ahead {
    composer: Composer,
    statements: Vec<String>,
    /// Whether one could not be written: what follows it is not known.
    is_over: bool,
}

impl Ahead {
    /// Announces what this writes, where the connection sends several at once.
    pub(crate) fn announce(
        composer: &Composer,
        session: &mut Session,
        write: impl FnOnce(&mut Self),
    ) {
        if session.at_once() < 2 {
            return;
        }
        let mut ahead = Self {
            // With a memory of its own: that a template was rendered for this is no check's use of it.
            composer: Composer::new(Arc::clone(composer.templates())),
            statements: Vec::new(),
            is_over: false,
        };
        write(&mut ahead);
        session.announce(&ahead.statements);
    }

    /// A statement.
    pub(crate) fn then(&mut self, write: impl FnOnce(&Self) -> Result<String, Halt>) {
        match write(self) {
            Ok(sql) if !self.is_over => self.statements.push(sql),
            _ => self.is_over = true,
        }
    }

    /// What a template renders to.
    pub(crate) fn query(
        &mut self,
        name: &'static str,
        variables: Vec<(&'static str, TemplateValue)>,
    ) {
        self.then(|ahead| ahead.render(name, variables));
    }
}

impl Renders for Ahead {
    fn composer(&self) -> &Composer {
        &self.composer
    }
}
