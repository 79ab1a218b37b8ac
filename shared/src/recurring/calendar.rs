//! On which days something recurs, and at which instants.
