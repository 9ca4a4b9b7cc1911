//! The command as a shell sees it: arguments in, files, text and exit codes out.

mod bench;
mod convert;
mod db;
mod demo;
mod elements;
mod explore;
mod files;
mod killed;
mod media;
mod memory;
mod names;
mod no_space;
mod numbers;
mod outputs;
mod places;
mod quantized;
mod refusals;
mod round_trip;
mod skipped;
mod support;
mod sweep;
mod usage;
