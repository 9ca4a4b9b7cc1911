//! The vex command.

#[cfg_attr(not(test), expect(dead_code, reason = "used by the commands, which come next"))]
mod rss;

fn main() {}
