//! The helpers that templates have beside Handlebars' own.
use handlebars::Handlebars;

pub(super) fn register(_engine: &mut Handlebars<'static>) {}
