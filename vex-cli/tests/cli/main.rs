//! The command as a shell sees it: arguments in, files, text and exit codes out.

mod bench;
mod changes;
mod convert;
mod db;
#[cfg(feature = "demo")]
mod demo;
mod elements;
mod explore;
mod files;
mod goals;
mod habits;
mod interrupted;
mod killed;
mod media;
mod memory;
mod names;
mod no_space;
mod numbers;
mod outputs;
mod pictures;
mod places;
mod quantized;
mod refusals;
mod round_trip;
mod skipped;
mod support;
mod sweep;
mod usage;
