//! A climb as a picture: time from left to right, and a lane each for waiting, for what
//! happens from outside, and for every channel. Nights are shaded.
//!
//! Promises: SVG that stands alone; whatever a template rendered cannot leave its text.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rungs_core::{Sequence, simulate::Simulation};

use crate::cli::{words, xml::escaped};

mod axis;
mod bars;

use axis::Axis;
use bars::{Bar, Kind, bars};

/// Of the whole picture, in pixels.
const WIDTH: f64 = 1_200.0;
/// Room for the names of the lanes.
const LEFT: f64 = 110.0;
/// Room for the last time.
const RIGHT: f64 = 100.0;
/// Room for the title.
const TOP: f64 = 64.0;
const LANE: f64 = 54.0;
const BAR: f64 = 26.0;
/// Room for the times below.
const BELOW: f64 = 54.0;
/// Characters of 11 pixels are about so wide.
const CHARACTER: f64 = 6.4;
/// Characters of a label that are shown.
const LONGEST_LABEL: usize = 60;

const STYLE: &str = "\
text{font:11px ui-sans-serif,system-ui,sans-serif;fill:#1f2937}\
.title{font-size:17px;font-weight:600}.dim{fill:#6b7280}.lane{font-weight:600}\
.paper{fill:#fff}.line{stroke:#e5e7eb}.tick{stroke:#9ca3af;stroke-dasharray:2 3}\
.night{fill:#1e293b;opacity:.09}.quiet{fill:url(#quiet)}.hatch{stroke:#7c3aed;opacity:.35}.wait{fill:#dbeafe;stroke:#93c5fd}\
.good{fill:#bbf7d0;stroke:#4ade80}.bad{fill:#fecaca;stroke:#f87171}\
.held{fill:none;stroke:#7c3aed;stroke-dasharray:4 3}.open{fill:#fef3c7;stroke:#fbbf24}.event{fill:#ddd6fe;stroke:#8b5cf6}\
@media (prefers-color-scheme:dark){text{fill:#e5e7eb}.dim{fill:#9ca3af}.paper{fill:#111827}\
.line{stroke:#374151}.night{fill:#000;opacity:.35}.wait{fill:#1e3a5f}.good{fill:#14532d}\
.bad{fill:#7f1d1d}.open{fill:#78350f}.event{fill:#4c1d95}}";

/// Hatches, for quiet hours.
const HATCH: &str = "<defs><pattern id=\"quiet\" width=\"7\" height=\"7\" \
    patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
    <line class=\"hatch\" x1=\"0\" x2=\"0\" y1=\"0\" y2=\"7\"/></pattern></defs>\n";
/// What hatches mean.
const QUIET: (&str, &str) = ("quiet", "quiet hours");

/// Draws it.
/// `events` are what happens from outside, in its order, in the words of who said so.
pub(super) fn draw(sequence: &Sequence, simulation: &Simulation, events: &[String]) -> String {
    let bars = bars(simulation, events);
    let axis = Axis::new(simulation, &bars, LEFT, WIDTH - RIGHT);
    let mut lanes: Vec<&str> = Vec::new();
    for bar in &bars {
        if !lanes.contains(&&*bar.lane) {
            lanes.push(&bar.lane);
        }
    }
    let height = TOP + LANE * lanes.len() as f64 + BELOW;
    let timezone = simulation.process.timezone;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\
         <title>{0}</title><style>{STYLE}</style>\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>\
         <text class=\"title\" x=\"16\" y=\"28\">{0}</text>\
         <text class=\"dim\" x=\"16\" y=\"48\">{1}</text>\n",
        escaped(&sequence.name),
        escaped(&about(simulation)),
    );
    let floor = height - BELOW;
    let mut legend: Vec<(&str, &str)> = Vec::new();
    if nights(&mut svg, &axis, timezone, floor) {
        legend.push(("night", "night"));
    }
    svg.push_str(HATCH);
    for (number, lane) in lanes.iter().enumerate() {
        let steps =
            bars.iter().filter(|bar| bar.lane == *lane).filter_map(|bar| bar.step.as_deref());
        let stretches = axis.quiet(steps, sequence, &simulation.process);
        if !stretches.is_empty() && !legend.contains(&QUIET) {
            legend.push(QUIET);
        }
        quiet(&mut svg, &stretches, TOP + LANE * number as f64, &axis);
    }
    explain(&mut svg, &legend);
    ticks(&mut svg, &axis, timezone, floor);
    for (number, lane) in lanes.iter().enumerate() {
        let top = TOP + LANE * number as f64;
        let _ = writeln!(
            svg,
            "<line class=\"line\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{top}\" y2=\"{top}\"/>\
             <text class=\"lane\" x=\"16\" y=\"{}\">{}</text>",
            top + LANE / 2.0 + 4.0,
            escaped(lane)
        );
        let mut free_from = f64::MIN;
        for bar in bars.iter().filter(|bar| bar.lane == *lane) {
            draw_bar(&mut svg, &axis, timezone, bar, top, &mut free_from);
        }
    }
    let _ = write!(
        svg,
        "<line class=\"line\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{floor}\" y2=\"{floor}\"/>\n</svg>"
    );
    svg
}

/// When it was, and how it ended.
fn about(simulation: &Simulation) -> String {
    let process = &simulation.process;
    let from = words::moment(process.started_at, process.timezone);
    let took = words::duration(simulation.ended_at - process.started_at);
    let status = match simulation.end {
        rungs_core::simulate::End::Ended => process.status.as_str(),
        rungs_core::simulate::End::Waits => "waits for an event",
        rungs_core::simulate::End::Endless => "without end",
    };
    format!("from {from} {}, {took}: {status}", process.timezone.name())
}

/// What the shades mean, beside the title.
fn explain(svg: &mut String, legend: &[(&str, &str)]) {
    let mut right = WIDTH - 16.0;
    for (class, name) in legend {
        let wide = name.chars().count() as f64 * CHARACTER;
        let _ = writeln!(
            svg,
            "<text class=\"dim\" x=\"{right:.1}\" y=\"28\" text-anchor=\"end\">{name}</text>\
             <rect class=\"{class}\" x=\"{:.1}\" y=\"18\" width=\"22\" height=\"13\"/>",
            right - wide - 28.0
        );
        right -= wide + 48.0;
    }
}

/// True if there are some.
fn nights(svg: &mut String, axis: &Axis, timezone: Tz, floor: f64) -> bool {
    let nights = axis.nights(timezone);
    for (from, to) in &nights {
        let (left, right) = (axis.x(*from), axis.x(*to));
        let _ = writeln!(
            svg,
            "<rect class=\"night\" x=\"{left:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            right - left,
            floor - TOP
        );
    }
    !nights.is_empty()
}

/// The quiet hours of a lane, hatched.
fn quiet(svg: &mut String, stretches: &[(DateTime<Utc>, DateTime<Utc>)], top: f64, axis: &Axis) {
    for (from, to) in stretches {
        let (left, right) = (axis.x(*from), axis.x(*to));
        let _ = writeln!(
            svg,
            "<rect class=\"quiet\" x=\"{left:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{LANE}\"><title>quiet hours</title></rect>",
            right - left
        );
    }
}

/// The moments at which something happens, as far as there is room to name them.
fn ticks(svg: &mut String, axis: &Axis, timezone: Tz, floor: f64) {
    let mut free_from = f64::MIN;
    let mut day = None;
    for at in axis.moments() {
        let x = axis.x(*at);
        let today = words::day(*at, timezone);
        let is_new_day = day.as_ref() != Some(&today);
        if x < free_from {
            continue;
        }
        free_from = x + 62.0;
        let _ = writeln!(
            svg,
            "<line class=\"tick\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{:.1}\"/>\
             <text class=\"dim\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            floor + 6.0,
            floor + 20.0,
            words::time(*at, timezone)
        );
        if is_new_day {
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                floor + 36.0,
                escaped(&today)
            );
            free_from = x + 96.0;
            day = Some(today);
        }
    }
}

/// A bar with its label: inside, or below it from `free_from` on, or for who points at it only.
fn draw_bar(svg: &mut String, axis: &Axis, timezone: Tz, bar: &Bar, top: f64, free_from: &mut f64) {
    let (left, right) = (axis.x(bar.from), axis.x(bar.to));
    let width = (right - left).max(8.0);
    let y = top + (LANE - BAR) / 2.0;
    let class = match bar.kind {
        Kind::Wait => "wait",
        Kind::Held => "held",
        Kind::Event => "event",
        Kind::Reached => "good",
        Kind::Missed => "bad",
        Kind::Open => "open",
    };
    let _ = write!(
        svg,
        "<g><title>{}</title><rect class=\"{class}\" x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"4\"/>",
        escaped(&told(bar, timezone))
    );
    let label = shortened(&bar.label);
    let wide = label.chars().count() as f64 * CHARACTER;
    let place = if wide + 10.0 <= width {
        Some((left + 5.0, y + BAR / 2.0 + 4.0))
    } else {
        // At the edge it begins earlier, so that it ends on the page.
        let begins = left.min(WIDTH - 8.0 - wide);
        (begins >= *free_from).then_some((begins, y + BAR + 11.0))
    };
    if let Some((x, y)) = place {
        let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(&label));
        *free_from = x + wide + 8.0;
    }
    svg.push_str("</g>\n");
}

/// As much of a label as there is room for anywhere; who points at the bar sees all of it.
fn shortened(label: &str) -> String {
    match label.char_indices().nth(LONGEST_LABEL) {
        Some((end, _)) => format!("{}...", label.get(..end).unwrap_or_default()),
        None => label.to_owned(),
    }
}

/// A bar in words, for whoever points at it.
fn told(bar: &Bar, timezone: Tz) -> String {
    let at = |moment: DateTime<Utc>| words::moment(moment, timezone);
    if bar.from == bar.to {
        format!("{}: {}", at(bar.from), bar.label)
    } else {
        format!("{} to {}: {}", at(bar.from), at(bar.to), bar.label)
    }
}
