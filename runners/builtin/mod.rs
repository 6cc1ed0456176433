//! The runners that come with Rungs, one file each.

use crate::Kind;

pub mod email;
mod go_to;
mod notify;
pub mod phone;
pub mod sms;

/// Every runner that comes with Rungs. A new one is one line here.
pub const KINDS: &[Kind] = &[Kind::of::<go_to::GoTo>(), Kind::of::<phone::Phone>()];
