//! The vex command.
fn main() {}
