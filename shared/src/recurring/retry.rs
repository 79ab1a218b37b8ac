//! When a payment that failed is tried again.
