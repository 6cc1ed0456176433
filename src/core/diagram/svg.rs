//! The graph as a picture: the steps from top to bottom, what leads elsewhere at their side.

use std::fmt::Write;

use crate::{Sequence, Step, Target};

use super::{Via, edges};

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 44.0;
const GAP: f64 = 24.0;
const TOP: f64 = 56.0;
const LEFT: f64 = 40.0;
/// Between two lines beside the steps.
const LANE: f64 = 34.0;

const STYLE: &str = "\
text{font:13px ui-sans-serif,system-ui,sans-serif;fill:#1f2937}\
.title{font-size:17px;font-weight:600}.dim{fill:#6b7280;font-size:11px}.id{font-weight:600}\
.paper{fill:#fff}.wait{fill:#dbeafe;stroke:#93c5fd}.contact{fill:#fef3c7;stroke:#fbbf24}\
.goal{fill:#bbf7d0;stroke:#4ade80}.way{fill:none;stroke:#6b7280;stroke-width:1.4}\
.pull{stroke:#16a34a;stroke-dasharray:4 4}.alt{stroke:#b45309}.head{fill:#6b7280}\
@media (prefers-color-scheme:dark){text{fill:#e5e7eb}.dim{fill:#9ca3af}.paper{fill:#111827}\
.wait{fill:#1e3a5f}.contact{fill:#78350f}.goal{fill:#14532d}}";

/// Draws it.
pub fn svg(sequence: &Sequence) -> String {
    let edges = edges(sequence);
    // Ways that lead past the step below go at the right side, each in a lane of its own.
    let aside: Vec<_> = edges
        .iter()
        .filter(|edge| edge.via != Via::Next || edge.to != sequence.below(edge.from))
        .collect();
    let count = sequence.steps.len();
    let width = LEFT + WIDTH + 110.0 + LANE * aside.len() as f64;
    let height = y(count) + HEIGHT;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\
         <title>{0}</title><style>{STYLE}</style>\
         <defs><marker id=\"to\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path class=\"head\" d=\"M0,0L8,4L0,8z\"/></marker></defs>\
         <rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\
         <text class=\"title\" x=\"{LEFT}\" y=\"34\">{0}</text>\n",
        sequence.name,
    );
    for (position, step) in sequence.steps.iter().enumerate() {
        node(&mut svg, position, step);
    }
    let end = y(count) + HEIGHT / 2.0;
    let _ = writeln!(
        svg,
        "<circle class=\"wait\" cx=\"{}\" cy=\"{end}\" r=\"13\"/><text class=\"dim\" x=\"{}\" y=\"{}\">end</text>",
        LEFT + WIDTH / 2.0,
        LEFT + WIDTH / 2.0 + 20.0,
        end + 4.0
    );
    for edge in edges.iter().filter(|edge| !aside.contains(edge)) {
        let (x, from) = (LEFT + WIDTH / 2.0, y(edge.from) + HEIGHT);
        let to = if edge.to == Target::End { end - 13.0 } else { from + GAP };
        let _ = writeln!(
            svg,
            "<path class=\"way\" marker-end=\"url(#to)\" d=\"M{x},{from}L{x},{to}\"/>"
        );
    }
    for (lane, edge) in aside.iter().enumerate() {
        let out = LEFT + WIDTH + 24.0 + LANE * lane as f64;
        let from = y(edge.from) + HEIGHT * (0.3 + 0.12 * (lane % 4) as f64);
        let (to, right) = match edge.to {
            Target::Step(position) => {
                (y(position) + HEIGHT * (0.25 + 0.12 * (lane % 5) as f64), LEFT + WIDTH)
            }
            Target::End => (end, LEFT + WIDTH / 2.0 + 13.0),
        };
        let class = match edge.via {
            Via::Goal => "way pull",
            Via::AltNext => "way alt",
            _ => "way",
        };
        let _ = writeln!(
            svg,
            "<path class=\"{class}\" marker-end=\"url(#to)\" d=\"M{},{from:.1}H{out:.1}V{to:.1}H{right:.1}\"/>\
             <text class=\"dim\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            LEFT + WIDTH,
            out + 4.0,
            f64::midpoint(from, to),
            edge.via.words()
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn y(position: usize) -> f64 {
    TOP + (HEIGHT + GAP) * position as f64
}

fn node(svg: &mut String, position: usize, step: &Step) {
    let class = match () {
        () if step.kind.goal => "goal",
        () if step.kind.delivers => "contact",
        () => "wait",
    };
    let top = y(position);
    let _ = writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{top}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\"/>\
         <text class=\"id\" x=\"{0}\" y=\"{1}\">{2}</text><text class=\"dim\" x=\"{0}\" y=\"{3}\">{4}</text>",
        LEFT + 12.0,
        top + 19.0,
        step.id,
        top + 35.0,
        step.kind.name
    );
}
