//! A diagnostic as people read it.

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet, renderer::DecorStyle};

use super::{Diagnostic, Severity, lines::without_mark};

/// A line longer than this, in bytes, is not shown: nobody reads it, and laying it out
/// takes longer than everything else.
const LONGEST: usize = 4096;

/// A diagnostic with its line and a caret under the place, the way compilers do it. Ends
/// without a line break. With `color`, it carries ANSI escapes. `source_name` and `source` are those
/// of the whole; what is about a file that it includes shows that one.
pub fn render(diagnostic: &Diagnostic, source_name: &str, source: &str, color: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(&diagnostic.message).id(diagnostic.code);
    let file = &diagnostic.file(source_name);
    let line = match &diagnostic.included {
        Some(included) => included.text.as_str(),
        None => line_at(source, diagnostic.span.start),
    };
    let mut group = if line.len() > LONGEST {
        title.element(Origin::path(file).line(diagnostic.line).char_column(diagnostic.column))
    } else {
        title.element(
            Snippet::source(line)
                .path(file)
                .line_start(diagnostic.line)
                .annotation(AnnotationKind::Primary.span(on_line(diagnostic, line))),
        )
    };
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help));
    }
    for used in diagnostic.included.iter().flat_map(|included| &included.used_by) {
        let file = used.file(source_name);
        let place = format!("used by step `{}`, {file}:{}:{}", used.step, used.line, used.column);
        group = group.element(Level::NOTE.message(place));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.decor_style(DecorStyle::Ascii).render(&[group])
}

/// The line around a byte, without its end and without a byte order mark.
fn line_at(source: &str, offset: usize) -> &str {
    let (before, after) = source.split_at_checked(offset).unwrap_or((source, ""));
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let end = after.find('\n').map_or(source.len(), |length| offset + length);
    let line = source.get(start..end).unwrap_or_default();
    let line = if start == 0 { without_mark(line) } else { line };
    line.trim_end_matches('\r')
}

/// The part of a diagnostic's span that lies on its first line, in bytes of that line.
fn on_line(diagnostic: &Diagnostic, line: &str) -> std::ops::Range<usize> {
    let start = line
        .char_indices()
        .nth(diagnostic.column.saturating_sub(1))
        .map_or(line.len(), |(at, _)| at);
    let end = (start + diagnostic.span.len()).min(line.trim_end().len()).max(start);
    start..line.floor_char_boundary(end)
}
