//! What the cross-crate tests share.

mod coded;
mod file;
mod graph;
mod poke;
mod random;
mod seal;

pub use coded::coded;
pub use file::{write, write_with};
pub use graph::Graph;
pub use poke::poke;
pub use random::Random;
pub use seal::seal;
