//! The command as a shell sees it: arguments in, files, text and exit codes out.

mod bench;
mod db;
mod demo;
mod elements;
mod explore;
mod killed;
mod media;
mod memory;
mod no_space;
mod numbers;
mod outputs;
mod places;
mod quantized;
mod refusals;
mod round_trip;
mod support;
mod sweep;
mod usage;
