//! The vex command.

#[cfg_attr(not(test), expect(dead_code, reason = "used by the commands, which come next"))]
#[expect(unused_imports, reason = "used by the commands, which come next")]
mod io;
#[cfg_attr(not(test), expect(dead_code, reason = "used by the commands, which come next"))]
mod rss;

fn main() {}
