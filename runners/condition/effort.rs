//! What a JSONPath may cost, seen before it is asked.
//!
//! Promises: a query that passes goes through the data a bounded number of times, however it is
//! written: what it finds is never more than a few times what there is to be found. So no process
//! can hold up the cycle of the others by what it asks for.
//! Called by: operands, as they are read.

use jsonpath_rust::parser::model::{
    Comparable, Filter, FilterAtom, FnArg, JpQuery, Literal, Segment, Selector, SingularQuery,
    Test, TestFunction,
};
use regex::RegexBuilder;
use serde_json::Value;

/// How often, together, a query may list what it has listed already: `[*, *]` finds all twice,
/// and so does what follows it.
const MOST_TIMES: usize = 8;

/// Whether a query costs too much.
///
/// # Errors
/// Why, in one sentence without a full stop.
pub(super) fn check(query: &JpQuery) -> Result<Cost, String> {
    let mut effort = Effort { times: 1, has_descended: false, searches: false };
    effort.segments(&query.segments)?;
    Ok(match effort.searches {
        _ if is_singular(query) => Cost::One,
        true => Cost::Searches,
        false => Cost::All,
    })
}

/// What a query costs, by the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    /// It looks at one value.
    One,
    /// It may go through all of them.
    All,
    /// And search their texts.
    Searches,
}

impl Cost {
    /// Whether the data are too much for such a query: each value that is found is remembered with
    /// its path.
    ///
    /// # Errors
    /// They are, in one sentence without a full stop.
    pub fn check(self, data: &Value) -> Result<(), String> {
        if self == Self::One {
            return Ok(());
        }
        let mut sum = Sum { values: 0, paths: 0 };
        sum.add(data, 1);
        if sum.paths > MOST_PATHS {
            return Err("the names in the data are too long for this JSONPath".to_owned());
        }
        if self == Self::Searches && sum.values > MOST_SEARCHED {
            return Err(format!(
                "the data have more than {MOST_SEARCHED} values, too many for `search` and `match`"
            ));
        }
        Ok(())
    }
}

/// How many values there are, and how long their paths are together.
struct Sum {
    values: usize,
    paths: usize,
}

impl Sum {
    fn add(&mut self, value: &Value, path: usize) {
        self.values += 1;
        self.paths += path;
        if self.paths > MOST_PATHS {
            return;
        }
        match value {
            Value::Array(items) => {
                // `[12345]`
                for item in items {
                    self.add(item, path + 8);
                }
            }
            Value::Object(entries) => {
                // `['name']`
                for (key, item) in entries {
                    self.add(item, path + key.len() + 4);
                }
            }
            _ => {}
        }
    }
}

struct Effort {
    times: usize,
    has_descended: bool,
    searches: bool,
}

/// Bytes that a pattern may take once it is compiled.
const LARGEST_PATTERN: usize = 128 * 1024;
/// Bytes that the paths of all values may take together.
const MOST_PATHS: usize = 16 * 1024 * 1024;
/// Values through which patterns are searched.
const MOST_SEARCHED: usize = 5_000;

type Within = Result<(), String>;

impl Effort {
    fn segments(&mut self, segments: &[Segment]) -> Within {
        segments.iter().try_for_each(|segment| self.segment(segment))
    }

    fn segment(&mut self, segment: &Segment) -> Within {
        match segment {
            Segment::Descendant(below) => {
                // A second one would go through everything below each value that was found.
                if std::mem::replace(&mut self.has_descended, true) {
                    return Err("a JSONPath has `..` only once".to_owned());
                }
                self.segment(below)
            }
            Segment::Selector(selector) => self.selector(selector),
            Segment::Selectors(selectors) => {
                self.times = self.times.saturating_mul(times(selectors));
                if self.times > MOST_TIMES {
                    return Err(format!(
                        "this JSONPath may list the same values more than {MOST_TIMES} times"
                    ));
                }
                selectors.iter().try_for_each(|selector| self.selector(selector))
            }
        }
    }

    fn selector(&mut self, selector: &Selector) -> Within {
        match selector {
            Selector::Filter(filter) => self.filter(filter),
            _ => Ok(()),
        }
    }

    fn filter(&mut self, filter: &Filter) -> Within {
        match filter {
            Filter::Or(filters) | Filter::And(filters) => {
                filters.iter().try_for_each(|filter| self.filter(filter))
            }
            Filter::Atom(FilterAtom::Filter { expr, .. }) => self.filter(expr),
            Filter::Atom(FilterAtom::Test { expr, .. }) => self.test(expr, false),
            Filter::Atom(FilterAtom::Comparison(comparison)) => {
                let (left, right) = comparison.vals();
                self.comparable(left)?;
                self.comparable(right)
            }
        }
    }

    fn comparable(&mut self, comparable: &Comparable) -> Within {
        match comparable {
            Comparable::Function(function) => self.function(function),
            Comparable::Literal(_)
            | Comparable::SingularQuery(SingularQuery::Current(_) | SingularQuery::Root(_)) => {
                Ok(())
            }
        }
    }

    /// A query in a filter is asked for each value that the filter looks at. One that begins at
    /// the value goes through what lies below it; one that begins at `$` must name one value.
    fn test(&mut self, test: &Test, is_argument: bool) -> Within {
        match test {
            Test::RelQuery(segments) => self.segments(segments),
            Test::AbsQuery(query) if is_argument || !is_singular(query) => Err(
                "a query from `$` inside of a filter can only be compared, and names one value: \
                 else it would be gone through for each item"
                    .to_owned(),
            ),
            Test::AbsQuery(_) => Ok(()),
            Test::Function(function) => self.function(function),
        }
    }

    fn function(&mut self, function: &TestFunction) -> Within {
        match function {
            TestFunction::Custom(_, arguments) => {
                arguments.iter().try_for_each(|argument| self.argument(argument))
            }
            TestFunction::Length(argument) => self.one(argument),
            TestFunction::Value(argument) | TestFunction::Count(argument) => self.one(argument),
            TestFunction::Search(text, pattern) | TestFunction::Match(text, pattern) => {
                self.searches = true;
                self.argument(text)?;
                check_pattern(pattern)
            }
        }
    }

    /// The argument of a function that looks at one value, however large.
    fn one(&mut self, argument: &FnArg) -> Within {
        match argument {
            FnArg::Test(test) => self.test(test, false),
            other => self.argument(other),
        }
    }

    fn argument(&mut self, argument: &FnArg) -> Within {
        match argument {
            FnArg::Literal(_) => Ok(()),
            FnArg::Test(test) => self.test(test, true),
            FnArg::Filter(filter) => self.filter(filter),
        }
    }
}

/// A pattern is compiled for each value that it is held against.
fn check_pattern(pattern: &FnArg) -> Within {
    let FnArg::Literal(Literal::String(pattern)) = pattern else {
        return Err("`search` and `match` take their pattern as a text".to_owned());
    };
    let compiled = RegexBuilder::new(pattern).size_limit(LARGEST_PATTERN).build();
    compiled
        .map(drop)
        .map_err(|_| "this pattern is none, or it takes too much to search".to_owned())
}

/// How often selectors that stand in one list may find the same.
fn times(selectors: &[Selector]) -> usize {
    let is_apart = |(at, selector): (usize, &Selector)| {
        let is_place = matches!(selector, Selector::Name(_))
            || matches!(selector, Selector::Index(index) if *index >= 0);
        is_place && selectors.iter().take(at).all(|other| other != selector)
    };
    if selectors.iter().enumerate().all(is_apart) { 1 } else { selectors.len() }
}

/// Whether it names one value.
pub(super) fn is_singular(query: &JpQuery) -> bool {
    query
        .segments
        .iter()
        .all(|segment| matches!(segment, Segment::Selector(Selector::Name(_) | Selector::Index(_))))
}

#[cfg(test)]
mod tests {
    use jsonpath_rust::parser::parse_json_path;

    use super::*;

    fn wrong(text: &str) -> Option<String> {
        check(&parse_json_path(text).unwrap()).err()
    }

    #[test]
    fn what_people_ask_for_is_asked() {
        for text in [
            "$",
            "$.order.items[*].kind",
            "$['a','b','c','d','e','f','g','h','i','j'].x",
            "$.items[0,1,2]",
            "$..status",
            "$.items[?@.kind == 'alcohol' && @.count > $.limits.alcohol].name",
            "$.items[?count(@.parts[?@.broken == true]) > 1]",
            "$.items[?@.tags[?@ == 'urgent']]",
            "$.items[?$.order.urgent]",
            "$.items[?search(@.name, 'beer|wine')]",
            "$.items[?match(@.phone, '[+]385[0-9]{8,9}')]",
            "$.items[0,1,2,3,4,5,6,7,8,9][0,1,2]",
            "$.items[?@.price < value($.limit)]",
            "$.items[?length($.order.items) > 3]",
        ] {
            assert_eq!(wrong(text), None, "{text}");
        }
    }

    #[test]
    fn what_would_never_come_to_an_end_is_not() {
        for (text, why) in [
            (format!("$.a{}", "[0,0]".repeat(24)), "the same values"),
            (format!("$.a{}", "[*,*]".repeat(4)), "the same values"),
            ("$['a','a','a','a','a','a','a','a','a']".to_owned(), "the same values"),
            ("$..*..*".to_owned(), "`..`"),
            ("$..[?@..x]".to_owned(), "`..`"),
            ("$.a[?$.a[?$.a[?@==2]]]".to_owned(), "from `$` inside of a filter"),
            ("$.a[?count($.a[*]) > 1]".to_owned(), "from `$` inside of a filter"),
            ("$.a[?search(@.name, @.pattern)]".to_owned(), "as a text"),
            ("$.a[?search(@, '([a-zà-ž]{100}){80}')]".to_owned(), "too much to search"),
            ("$.a[-1,-2,-1,-2,-1,-2,-1,-2,-1]".to_owned(), "the same values"),
            ("$.a[?match($.text, @)]".to_owned(), "from `$` inside of a filter"),
            ("$.a[?@.b[?$.a[*]]]".to_owned(), "from `$` inside of a filter"),
        ] {
            let wrong = wrong(&text);
            assert!(wrong.as_ref().is_some_and(|wrong| wrong.contains(why)), "{text}: {wrong:?}");
        }
    }

    #[test]
    fn data_that_would_not_fit_into_memory_are_not_gone_through() {
        let of = |text: &str| check(&parse_json_path(text).unwrap()).unwrap();
        let long = serde_json::json!({ "k".repeat(100_000): vec![0; 70_000] });
        let many = serde_json::json!({ "a": vec![0; 70_000] });
        for query in ["$..status", "$.*[*]", "$.*[?@.x == 1]", "$.*[0:9]"] {
            assert!(of(query).check(&long).unwrap_err().contains("too long"), "{query}");
            assert_eq!(of(query).check(&many), Ok(()), "{query}");
        }
        assert_eq!(of("$.a[3].b").check(&long), Ok(()));
        let searches = of("$.a[?search(@, 'x')]");
        assert!(searches.check(&many).unwrap_err().contains("5000 values"));
        assert_eq!(searches.check(&serde_json::json!({ "a": vec!["x"; 4_000] })), Ok(()));
    }
}
