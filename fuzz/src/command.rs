// The readers of the command, which has no library. They name each other from the root of a crate, so
// each target that reads files includes them there.

#[allow(dead_code)]
#[path = "../../vex-cli/src/human.rs"]
mod human;
#[allow(dead_code)]
#[path = "../../vex-cli/src/interrupt.rs"]
mod interrupt;
#[allow(dead_code, unused_imports)]
#[path = "../../vex-cli/src/io/mod.rs"]
mod io;
