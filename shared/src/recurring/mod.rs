//! Recurring payments: what is to be charged and when, and what follows where it is not.

pub mod calendar;
pub mod retry;
