//! `timezone:`, an IANA name or a template that gives one.

use chrono_tz::{TZ_VARIANTS, Tz};
use rungs_runners::{Template, template::is_template};

use super::{at::At, node::quoted, report::Report, suggest};
use crate::Diagnostic;

/// Reads a time zone.
pub(super) fn read(at: &At<'_>, report: &mut Report<'_>) -> Option<Template> {
    let text = at.text(report)?;
    if !is_template(text) && text.parse::<Tz>().is_err() {
        let help = nearest(text).map_or_else(
            || "an IANA name such as `Europe/Zagreb`".to_owned(),
            |meant| format!("did you mean `{meant}`?"),
        );
        let message = format!("there is no time zone {}", quoted(text));
        report.add(Diagnostic::error("timezone", at.place(), message).help(help));
        return None;
    }
    Template::parse(text, false)
        .map_err(|error| {
            let message = format!("this template does not parse: {error}");
            report.add(Diagnostic::error("template", at.place(), message));
        })
        .ok()
}

/// The zone that is named, if it is one and no template.
pub(super) fn literal(at: &At<'_>) -> Option<Tz> {
    at.node.text()?.parse().ok()
}

/// By the whole name, or by the city alone.
pub(super) fn nearest(text: &str) -> Option<&'static str> {
    let city = |name: &'static str| name.rsplit_once('/').map_or(name, |(_, city)| city);
    let names = || TZ_VARIANTS.iter().map(|zone| zone.name());
    suggest::nearest(text, names()).or_else(|| {
        let meant = suggest::nearest(text, names().map(city))?;
        names().find(|name| city(name) == meant)
    })
}
