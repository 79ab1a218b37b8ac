//! Payment schedules.
