//! Collections, and what can be read of them.
//!
//! `View` has all that reads. A `Collection`, a `Reader` and a `Snapshot` are views, and the first
//! of them adds what writes.

mod batch;
mod options;
mod results;
mod schema;
mod scroll;
mod spec;
mod stats;
mod values;
mod view;
mod writing;

pub(crate) use batch::{Batch, Committed};
pub(crate) use results::{Group, Hit, Record};
pub(crate) use schema::Schema;
pub(crate) use scroll::Scroll;
pub(crate) use stats::{Report, SegmentStats, Stats};
pub(crate) use view::{Reader, Snapshot, View};
pub(crate) use writing::Collection;
