//! A figure, what it stands beside, and what it must reach.

use std::fmt::Write;

use serde_json::{Value, json};

/// One line of the table, as one round measured it, or as the median of its rounds.
#[derive(Debug, Clone)]
pub struct Figure {
    pub what: String,
    pub unit: &'static str,
    pub value: f64,
    /// The same work without Rungs, measured in the same round.
    pub floor: Option<f64>,
    pub aim: Aim,
}

/// What a figure must reach.
#[derive(Debug, Clone, Copy)]
pub enum Aim {
    /// This share of its floor.
    Share(f64),
    AtLeast(f64),
    AtMost(f64),
    /// At most so many times its floor.
    Times(f64),
    /// Shown for comparison.
    None,
}

impl Figure {
    pub fn new(what: impl Into<String>, unit: &'static str, value: f64, aim: Aim) -> Self {
        Self { what: what.into(), unit, value, floor: None, aim }
    }

    pub fn beside(self, floor: f64) -> Self {
        Self { floor: Some(floor), ..self }
    }

    /// How much of the floor was reached.
    fn share(&self) -> Option<f64> {
        self.floor.map(|floor| self.value / floor)
    }

    fn reached(&self) -> Option<bool> {
        match self.aim {
            Aim::Share(least) => self.share().map(|share| share >= least),
            Aim::AtLeast(least) => Some(self.value >= least),
            Aim::AtMost(most) => Some(self.value <= most),
            Aim::Times(most) => self.share().map(|share| share <= most),
            Aim::None => None,
        }
    }

    /// The median of the same figure in several rounds.
    pub fn median(rounds: &[Self]) -> Option<Self> {
        let value = median(rounds.iter().map(|figure| figure.value).collect());
        let floors: Vec<f64> = rounds.iter().filter_map(|figure| figure.floor).collect();
        let floor = (!floors.is_empty()).then(|| median(floors));
        Some(Self { value, floor, ..rounds.first()?.clone() })
    }

    fn json(&self) -> Value {
        json!({
            "what": self.what,
            "unit": self.unit,
            "value": self.value,
            "floor": self.floor,
            "share": self.share(),
            "target": self.target(),
            "reached": self.reached(),
        })
    }

    fn target(&self) -> String {
        match self.aim {
            Aim::Share(share) => format!("{:.0} % of the floor", share * 100.0),
            Aim::AtLeast(least) => format!("at least {}", number(least)),
            Aim::AtMost(most) => format!("at most {}", number(most)),
            Aim::Times(most) => format!("at most {:.0} % of it", most * 100.0),
            Aim::None => "-".to_owned(),
        }
    }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The value below which `share` of all lie.
pub fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = (values.len() as f64 * share) as usize;
    values.get(index.min(values.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// A Markdown table.
pub fn table(figures: &[Figure]) -> String {
    let mut rows = vec![
        ["figure", "measured", "unit", "floor", "share", "target", "reached"].map(str::to_owned),
    ];
    for figure in figures {
        rows.push([
            figure.what.clone(),
            number(figure.value),
            figure.unit.to_owned(),
            figure.floor.map_or_else(|| "-".to_owned(), number),
            figure.share().map_or_else(|| "-".to_owned(), |s| format!("{:.0} %", s * 100.0)),
            figure.target(),
            figure.reached().map_or("-", |yes| if yes { "yes" } else { "no" }).to_owned(),
        ]);
    }
    let widths: [usize; 7] =
        std::array::from_fn(|c| rows.iter().map(|row| row[c].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, w)| format!("{cell:w$}")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
        if index == 0 {
            let rule: Vec<String> = widths.iter().map(|w| "-".repeat(*w)).collect();
            let _ = writeln!(text, "| {} |", rule.join(" | "));
        }
    }
    text
}

pub fn json(figures: &[Figure]) -> Value {
    figures.iter().map(Figure::json).collect()
}

/// A number with as many digits as mean something.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        large if large >= 100.0 => 0,
        middle if middle >= 10.0 => 1,
        _ => 2,
    };
    let plain = format!("{value:.digits$}");
    let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && digit.is_ascii_digit() {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}
