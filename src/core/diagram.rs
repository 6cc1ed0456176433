//! A sequence as a graph, for people to look at: Mermaid, text, and SVG.
//!
//! Promises: pure; every way that a process can take is an edge, and no other is.
//! Called by: the command line (`diagram`).

use std::fmt::Write;

use rungs_runners::hours::Calendars;

use crate::{Sequence, Step, Target};

mod svg;

pub use svg::svg;

/// How a process comes from one step to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// `next`, or past to the step below.
    Next,
    /// `altNext`.
    AltNext,
    /// A jump.
    Jump,
    /// The runner ends the process there: a goal that is not achieved yet and says `otherwise:
    /// end`, or a process that stops itself.
    Ends,
    /// A goal pulls it from everywhere above.
    Goal,
}

/// A way from one step to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The position of the step it leaves. Of a goal: that of the first step.
    pub from: usize,
    /// Where it leads.
    pub to: Target,
    /// How.
    pub via: Via,
}

impl Via {
    /// In words, as it stands beside an edge.
    pub fn words(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::AltNext => "altNext",
            Self::Jump => "jump",
            Self::Ends => "may end it",
            Self::Goal => "once achieved",
        }
    }
}

/// Every way, in the order of the steps.
pub fn edges(sequence: &Sequence) -> Vec<Edge> {
    let each = sequence.steps.iter().enumerate();
    each.flat_map(|(from, step)| of_step(sequence, from, step)).collect()
}

fn of_step(sequence: &Sequence, from: usize, step: &Step) -> Vec<Edge> {
    let jump = step.config.jump();
    let mut edges = Vec::new();
    if let Some(jump) = jump {
        let to = sequence.position(jump.to).map_or(Target::End, Target::Step);
        edges.push(Edge { from, to, via: Via::Jump });
    }
    if !jump.is_some_and(|jump| jump.always) {
        edges.push(Edge { from, to: step.next, via: Via::Next });
    }
    if let Some(to) = step.alt_next {
        edges.push(Edge { from, to, via: Via::AltNext });
    }
    if step.config.stay(None, &Calendars::new()).ends {
        edges.push(Edge { from, to: Target::End, via: Via::Ends });
    }
    if step.kind.goal && from > 0 {
        edges.push(Edge { from: 0, to: Target::Step(from), via: Via::Goal });
    }
    edges
}

/// A Mermaid flowchart.
pub fn mermaid(sequence: &Sequence) -> String {
    let mut text = "flowchart TD\n".to_owned();
    for (position, step) in sequence.steps.iter().enumerate() {
        let (id, runner) = (&step.id, step.kind.name);
        let (open, close) = match () {
            () if step.kind.goal => ("{{", "}}"),
            () if step.kind.delivers => ("([", "])"),
            () => ("[", "]"),
        };
        let _ = writeln!(text, "  s{position}{open}\"<b>{id}</b><br/>{runner}\"{close}");
    }
    let edges = edges(sequence);
    if edges.iter().any(|edge| edge.to == Target::End) {
        text.push_str("  done((end))\n");
    }
    for Edge { from, to, via } in edges {
        let to = match to {
            Target::Step(position) => format!("s{position}"),
            Target::End => "done".to_owned(),
        };
        let _ = match via {
            Via::Next => writeln!(text, "  s{from} --> {to}"),
            Via::Goal => writeln!(text, "  s{from} -. \"{}\" .-> {to}", via.words()),
            _ => writeln!(text, "  s{from} -- \"{}\" --> {to}", via.words()),
        };
    }
    text
}

/// For terminals: a line for each step, with where it leads beyond the one below it.
pub fn text(sequence: &Sequence) -> String {
    let edges = edges(sequence);
    let width = sequence.steps.iter().map(|step| step.id.chars().count()).max().unwrap_or(0);
    let runners = sequence.steps.iter().map(|step| step.kind.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (position, step) in sequence.steps.iter().enumerate() {
        let below = sequence.below(position);
        let leads: Vec<String> = edges
            .iter()
            .filter(|edge| edge.from == position && edge.via != Via::Goal)
            .filter(|edge| edge.via != Via::Next || edge.to != below)
            .map(|edge| format!("{} → {}", edge.via.words(), name(sequence, edge.to)))
            .chain(step.kind.goal.then(|| "pulls from every step above, once achieved".to_owned()))
            .collect();
        let mark = match () {
            () if step.kind.goal => "★",
            () if step.kind.delivers => "»",
            () => "│",
        };
        let line =
            format!("{mark} {:width$}  {:runners$}  {}", step.id, step.kind.name, leads.join(", "));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// What a target is called.
fn name(sequence: &Sequence, target: Target) -> &str {
    match target {
        Target::Step(position) => sequence.steps.get(position).map_or("", |step| step.id.as_str()),
        Target::End => "end",
    }
}

#[cfg(test)]
mod tests {
    use rungs_runners::builtin::KINDS;

    use super::*;
    use crate::check;

    const LADDER: &str = r"
sequence: ladder
steps:
  - id: ring
    run: Phone
    config: { to: '112', say: Hello, await: answered }
    altNext: text
  - id: settle
    run: WaitForDuration
    config: { amount: 5, unit: minutes }
    next: end
  - id: text
    run: SMS
    config: { to: '112', message: Hello }
  - id: again
    run: GoTo
    config: { step: ring }
  - id: confirmed
    run: Goal
    config:
      lodashCommand: eq
      value: { type: get, value: status }
      compareTo: { type: raw, value: confirmed }
";

    fn ladder() -> Sequence {
        check(LADDER, KINDS).sequence.unwrap()
    }

    #[test]
    fn every_way_is_an_edge() {
        let told: Vec<String> = edges(&ladder())
            .iter()
            .map(|edge| {
                let from = &ladder().steps[edge.from].id;
                format!("{from} {} {}", edge.via.words(), name(&ladder(), edge.to))
            })
            .collect();
        assert_eq!(
            told,
            [
                "ring next settle",
                "ring altNext text",
                "settle next end",
                "text next again",
                "again jump ring",
                "confirmed next end",
                "ring once achieved confirmed",
            ]
        );
    }

    #[test]
    fn a_goal_that_ends_a_process_leads_to_the_end() {
        let source = LADDER.replace("compareTo: {", "otherwise: end\n      compareTo: {");
        let sequence = check(&source, KINDS).sequence.unwrap();
        let ends: Vec<Edge> =
            edges(&sequence).into_iter().filter(|edge| edge.via == Via::Ends).collect();
        assert_eq!(ends, [Edge { from: 4, to: Target::End, via: Via::Ends }]);
        assert!(text(&sequence).contains("may end it → end"), "{}", text(&sequence));
        assert!(mermaid(&sequence).contains("s4 -- \"may end it\" --> done"));
    }

    #[test]
    fn a_terminal_gets_a_line_for_each_step() {
        assert_eq!(
            text(&ladder()),
            "» ring       Phone            altNext → text\n\
             │ settle     WaitForDuration  next → end\n\
             » text       SMS\n\
             │ again      GoTo             jump → ring\n\
             ★ confirmed  Goal             pulls from every step above, once achieved\n"
        );
    }

    #[test]
    fn mermaid_gets_nodes_and_edges() {
        let text = mermaid(&ladder());
        for line in [
            "  s0([\"<b>ring</b><br/>Phone\"])\n",
            "  s0 -- \"altNext\" --> s2\n",
            "  s3 -- \"jump\" --> s0\n",
            "  s1 --> done\n",
            "  s0 -. \"once achieved\" .-> s4\n",
        ] {
            assert!(text.contains(line), "no {line:?} in\n{text}");
        }
    }
}
