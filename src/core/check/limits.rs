//! What a sequence may do at most, held against its bounds.
//!
//! Promises: a bound that there is none passes every limit. Each finding stands at the step that
//! is the reason, and names the way that comes to so much.
//! Called by: the command line (`check --max-...`).

use rungs_runners::duration;

use super::{
    at::At,
    node::{Data, quoted},
    report::Report,
    source,
};
use crate::{
    Bounds, Diagnostic,
    bounds::{Most, Since},
    diagnostic::Place,
};

/// What is wanted of a sequence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Messages of one process at most.
    pub messages: Option<u64>,
    /// Messages through a channel at most.
    pub channels: Vec<(String, u64)>,
    /// How long a process lives at most, in milliseconds.
    pub life: Option<u64>,
    /// When a person is contacted first at the latest, in milliseconds from the start.
    pub first_contact: Option<u64>,
}

/// A duration as one writes it, `10m` or `1 hour 30 minutes`, in milliseconds; at most a year.
pub fn milliseconds(text: &str) -> Option<u64> {
    let is_plain = text.trim().parse::<f64>().is_ok();
    if is_plain { None } else { duration::parse(text) }
}

/// A limit, and what is held against it.
struct Limit<'a> {
    code: &'static str,
    most: u64,
    bound: &'a Most,
    /// Goes before the bound: `a process may send`.
    may: String,
    spell: &'a dyn Fn(u64) -> String,
}

impl Limits {
    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What passes them, as errors in `source`. `spell` says a duration in milliseconds.
    pub fn passed(
        &self,
        bounds: &Bounds,
        source: &str,
        spell: &dyn Fn(u64) -> String,
    ) -> Vec<Diagnostic> {
        let messages = |count: u64| match count {
            1 => "1 message".to_owned(),
            count => format!("{count} messages"),
        };
        let limit = |code, most, bound, may: &str, spell| Limit {
            code,
            most,
            bound,
            may: may.to_owned(),
            spell,
        };
        let of_channels = self.channels.iter().filter_map(|(name, most)| {
            let (_, bound) = bounds.channels.iter().find(|(channel, _)| channel == name)?;
            let may = format!("a process may send by {name}");
            Some(limit("too-many-messages", *most, bound, &may, &messages))
        });
        let all = self.messages.map(|most| {
            limit("too-many-messages", most, &bounds.messages, "a process may send", &messages)
        });
        let life = self
            .life
            .map(|most| limit("too-long", most, &bounds.life, "a process may live for", spell));
        let first = self.first_contact.zip(bounds.first_contact.as_ref()).map(|(most, first)| {
            limit("too-late", most, &first.latest, "a person is contacted first after", spell)
        });
        let mut report = Report::new(source);
        let limits = all.into_iter().chain(of_channels).chain(life).chain(first);
        let passed: Vec<Limit<'_>> = limits.filter(Limit::is_passed).collect();
        if passed.is_empty() {
            return Vec::new();
        }
        let mut quiet = Report::new(source);
        let root = source::read(&mut quiet);
        for limit in passed {
            let place = root.as_ref().map(|source| limit.place(&At::root(&source.root)));
            report.add(limit.diagnostic(place.unwrap_or_default()));
        }
        report.close()
    }
}

impl Limit<'_> {
    fn is_passed(&self) -> bool {
        self.bound.most.is_none_or(|found| found > self.most)
    }

    fn diagnostic(&self, place: Place) -> Diagnostic {
        let Self { code, bound, may, spell, .. } = self;
        let wanted = spell(self.most);
        let message = match (&bound.since, bound.most) {
            (Some(Since { step, does }), _) => {
                let what = match *code {
                    "too-many-messages" => "how many messages",
                    "too-long" => "how long",
                    _ => "when",
                };
                format!(
                    "nothing bounds {what} ({may} ...): {} {does}; {wanted} at most are wanted",
                    quoted(step)
                )
            }
            (None, most) => {
                format!("{may} {}; {wanted} at most are wanted", spell(most.unwrap_or(u64::MAX)))
            }
        };
        Diagnostic::error(code, place, message).help(format!("by way of {}", bound.way.words()))
    }

    /// The step that is the reason: one without a bound, the first contact, or one that jumps
    /// back; else the name of the sequence.
    fn place(&self, root: &At<'_>) -> Place {
        let Most { since, way, .. } = self.bound;
        let contact = way.steps.last().filter(|_| self.code == "too-late");
        let jump = way.rounds.first().map(|round| &round.from);
        let step = since.as_ref().map(|since| &since.step).or(contact).or(jump);
        let step = step.map(String::as_str);
        let steps = root.field("steps");
        let ids = steps.iter().flat_map(|steps| match &steps.node.data {
            Data::List(items) => items.iter().enumerate().collect::<Vec<_>>(),
            _ => Vec::new(),
        });
        let mut ids = ids.filter_map(|(index, node)| {
            let pointer = format!("/steps/{index}");
            At { node, pointer, key_span: None }.field("id")
        });
        let id = ids.find(|id| step.is_some() && id.node.text() == step);
        id.or(root.field("sequence")).map_or_else(|| root.place(), |at| at.place())
    }
}

#[cfg(test)]
mod tests {
    use rungs_runners::builtin::KINDS;

    use super::*;
    use crate::{bounds, check};

    const LADDER: &str = "sequence: x
steps:
  - { id: nap, run: WaitForDuration, config: { amount: 5, unit: minutes } }
  - { id: text, run: SMS, config: { to: '112', message: Hi } }
  - { id: again, run: GoTo, config: { step: nap, times: 2 } }
  - { id: due, run: WaitForDate, config: { date: '{{at}}' } }
";

    fn passed(limits: &Limits) -> Vec<(&'static str, usize, String)> {
        let sequence = check(LADDER, KINDS).sequence.unwrap();
        let spell = |millis: u64| format!("{} s", millis / 1000);
        let found = limits.passed(&bounds(&sequence), LADDER, &spell);
        found.into_iter().map(|it| (it.code, it.line, it.message)).collect()
    }

    #[test]
    fn what_keeps_them_passes_in_silence() {
        let sms = || vec![("sms".to_owned(), 3), ("phone".to_owned(), 0)];
        let limits =
            Limits { messages: Some(3), channels: sms(), life: None, first_contact: Some(300_000) };
        assert_eq!(passed(&limits), []);
        assert!(Limits::default().is_empty() && !limits.is_empty());
    }

    #[test]
    fn what_passes_them_is_told_at_the_step_that_is_the_reason() {
        let limits = Limits {
            messages: Some(2),
            channels: vec![("sms".to_owned(), 0)],
            life: Some(u64::MAX),
            first_contact: Some(299_999),
        };
        let found = passed(&limits);
        let expected = [
            ("too-late", 4, "contacted first after 300 s; 299 s at most"),
            ("too-many-messages", 5, "may send 3 messages; 2 messages at most"),
            ("too-many-messages", 5, "may send by sms 3 messages; 0 messages at most"),
            (
                "too-long",
                6,
                "nothing bounds how long (a process may live for ...): `due` waits until a date",
            ),
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for ((code, line, message), (wanted, at, part)) in found.iter().zip(expected) {
            assert_eq!((*code, *line), (wanted, at), "{message}");
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn a_duration_needs_a_unit() {
        assert_eq!(milliseconds("2d"), Some(2 * 86_400_000));
        assert_eq!(milliseconds("1 hour 30 minutes"), Some(5_400_000));
        for wrong in ["", "10", "ten minutes", "1e9d", "-1m", "400d"] {
            assert_eq!(milliseconds(wrong), None, "{wrong}");
        }
    }
}
