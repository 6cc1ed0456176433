//! What somebody wrote, as a message quotes it.

/// The text in quotation marks, control characters escaped, shortened if it is long: a
/// message is read by people, and what it quotes may be anything.
pub(crate) fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().nth(MOST).is_none() {
        return format!("{text:?}");
    }
    let beginning: String = text.chars().take(MOST).collect();
    format!("{:?}", format!("{beginning}…"))
}

/// Whether a character turns the direction of the text around it, so that it reads as another.
pub fn turns(char: char) -> bool {
    matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A number as people write it, unless that would take hundreds of digits.
pub(crate) fn figure(number: f64) -> String {
    if number.abs() < 1e18 { number.to_string() } else { format!("{number:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_novel_in_place_of_a_date_is_not_repeated_as_a_whole() {
        assert_eq!(quoted("soon"), "\"soon\"");
        assert_eq!(quoted("a\nb"), "\"a\\nb\"");
        assert_eq!(quoted(&"ž".repeat(1_000_000)).chars().count(), 63);
    }
}
