//! What holds of every graph, whatever is inserted into it and however it was made.

mod build;
mod delete;
mod duplicates;
mod elements;
mod filtered;
mod hostile;
mod hubs;
mod invariants;
mod levels;
mod limits;
mod random;
mod recall;
mod support;
mod vector;
