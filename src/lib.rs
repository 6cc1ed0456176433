//! Rungs: escalations as code.

pub mod channels;
