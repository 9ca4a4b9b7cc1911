//! What can be wrong with a file, and with what is to become one.

mod open;
mod verify;
#[cfg(feature = "alloc")]
mod write;

pub use open::{Field, OpenError};
pub use verify::VerifyError;
#[cfg(feature = "alloc")]
pub use write::WriteError;
