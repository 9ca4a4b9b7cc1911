//! The faults of a file, and of an index that cannot become one.

mod open;
mod verify;
#[cfg(feature = "alloc")]
mod write;

pub use open::{Field, OpenError};
pub use verify::VerifyError;
#[cfg(feature = "alloc")]
pub use write::WriteError;
