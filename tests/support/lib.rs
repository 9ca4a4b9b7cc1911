//! What the cross-crate tests share.

mod file;
mod graph;
mod poke;
mod random;
mod seal;

pub use file::write;
pub use graph::Graph;
pub use poke::poke;
pub use random::Random;
pub use seal::seal;
