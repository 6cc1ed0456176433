//! A report in JUnit's XML, as CI reads it.

use std::fmt::Write;

use crate::cli::xml::escaped;

use super::{suite::Suite, tell};

pub(super) fn report(suites: &[Suite]) -> String {
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for suite in suites {
        let file = escaped(&suite.file);
        let failed = suite.tried.iter().filter(|tried| !tried.passed()).count();
        let errors = usize::from(suite.broken.is_some());
        let tests = suite.tried.len() + errors;
        let _ = writeln!(
            xml,
            "<testsuite name=\"{file}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"{errors}\">"
        );
        if let Some(broken) = &suite.broken {
            let plain = anstream::adapter::strip_str(&broken.text).to_string();
            let _ = writeln!(
                xml,
                "<testcase classname=\"{file}\" name=\"reading\"><error>{}</error></testcase>",
                escaped(&plain)
            );
        }
        for tried in &suite.tried {
            let name = escaped(&tried.case.name);
            let line = tried.line();
            let _ = write!(
                xml,
                "<testcase classname=\"{file}\" name=\"{name}\" file=\"{file}\" line=\"{line}\">"
            );
            if !tried.passed() {
                let detail = escaped(&tell::plain(tried));
                let _ = write!(xml, "<failure message=\"{file}:{line}\">{detail}</failure>");
            }
            xml.push_str("</testcase>\n");
        }
        xml.push_str("</testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}
