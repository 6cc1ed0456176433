//! Rungs: escalations as code.
