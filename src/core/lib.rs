//! The core of Rungs: YAML to a checked [`Sequence`], and the pure [`advance`] of a
//! [`Process`].
//!
//! Promises: no clock, no network, no database. The same input gives the same output,
//! so that three weeks of an escalation can be gone through in a millisecond. Nothing in
//! here panics, whatever it is given.
//! Does not: store, send, or know who calls.
//! Called by: intake (to check and to start), the engine (to advance), the command line.

pub mod advance;
pub mod backtest;
pub mod bounds;
pub mod bundle;
pub mod cases;
pub mod check;
pub mod contacts;
pub mod delivery;
pub mod diagnostic;
pub mod diagram;
pub mod editor;
pub mod explain;
pub mod files;
pub mod fuzz;
pub mod happening;
pub mod history;
pub mod moving;
pub mod outline;
pub mod plan;
pub mod process;
pub mod quiet;
pub mod reference;
pub mod remedy;
pub mod retry;
pub mod schema;
pub mod sequence;
pub mod simulate;
pub mod start;

pub use advance::{Advanced, Delivery, advance, take_in};
pub use bounds::{Bounds, bounds};
pub use check::{
    Checked, check, check_bytes, check_bytes_with, check_fragment, check_value, check_with,
    is_fragment,
};
pub use delivery::{Attempt, DeliveryRecord, Found, Report};
pub use diagnostic::{Diagnostic, InFile, Included, Severity, UsedBy, render};
pub use files::{File, Files, Wanted};
pub use history::Entry;
pub use process::{Event, News, Process, Status};
pub use quiet::QuietHours;
pub use remedy::{Lateness, Remedy};
pub use retry::Retry;
pub use sequence::{Sequence, Step, Target};
pub use start::{InputProblem, Start, start};
