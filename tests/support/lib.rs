//! The code that tests across crates share.

mod coded;
mod elements;
mod file;
mod files;
mod graph;
mod messages;
mod poke;
mod random;
mod seal;

pub use coded::coded;
pub use elements::{Vector, small, small_with};
pub use file::{write, write_with};
pub use files::files;
pub use graph::Graph;
pub use messages::messages;
pub use poke::{accepted, poke};
pub use random::Random;
pub use seal::{seal, seal_header};

/// The README and the chapters, whose examples are tests.
#[cfg(doctest)]
mod chapters {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/5-kernels.md")]
    struct Kernels;
    #[doc = include_str!("../../docs/8-memory.md")]
    struct Memory;
    #[doc = include_str!("../../docs/10-database.md")]
    struct Database;
    #[doc = include_str!("../../docs/tuning.md")]
    struct Tuning;
}
