//! Did you mean.

/// Words longer than this are nobody's slip of the finger.
const LONGEST: usize = 48;
/// How many known words are worth listing.
const LISTED: usize = 32;

/// The known word that was probably meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let plain = bare(word);
    known
        .into_iter()
        .filter_map(|known| Some((distance(&plain, &bare(known))?, known)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// How far apart two words are, unless it is too far for the one to be meant by the other.
fn distance(word: &str, known: &str) -> Option<usize> {
    let length = word.chars().count();
    let most = (length / 3).max(1);
    if known.starts_with(word) && length >= 3 {
        // Half a word typed: `Wait` for `WaitForDuration`.
        return Some(if known == word { 0 } else { most });
    }
    if known.chars().count().abs_diff(length) > most {
        return None;
    }
    let distance = strsim::damerau_levenshtein(word, known);
    (distance <= most && distance < length).then_some(distance)
}

/// A word without what people get wrong: case, dashes, underscores, spaces.
fn bare(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// `did you mean …?`, then everything that is known: `noun` says what they are.
pub(super) fn help(word: &str, noun: &str, known: &[&str]) -> Option<String> {
    let meant =
        nearest(word, known.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
    let list = (!known.is_empty() && known.len() <= LISTED)
        .then(|| format!("known {noun}: {}", known.join(", ")));
    match (meant, list) {
        (Some(meant), Some(list)) => Some(format!("{meant} ({list})")),
        (meant, list) => meant.or(list),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_probably_meant_is_found() {
        let known = ["GoTo", "Goal", "Phone", "WaitForDate", "WaitForDuration", "SMS"];
        for (word, meant) in [
            ("goto", Some("GoTo")),
            ("go-to", Some("GoTo")),
            ("Phne", Some("Phone")),
            ("wait_for_duration", Some("WaitForDuration")),
            ("WaitForDurration", Some("WaitForDuration")),
            ("Wait", Some("WaitForDate")),
            ("sns", Some("SMS")),
            ("Telegram", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }

    #[test]
    fn a_long_list_is_not_recited() {
        let many: Vec<String> = (0..100).map(|n| format!("step-number-{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(help("zzz", "steps", &many), None);
        assert_eq!(help("zzz", "steps", &["a", "b"]).as_deref(), Some("known steps: a, b"));
    }
}
