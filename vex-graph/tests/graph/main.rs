//! What holds of every graph, whatever is inserted into it and however it was made.

mod build;
mod copies;
mod delete;
mod duplicates;
mod elements;
mod filtered;
mod hard;
mod hard_filtered;
mod hard_sets;
mod hostile;
mod hubs;
mod invariants;
mod levels;
mod limits;
mod numbers;
mod observed;
mod planner;
mod random;
mod recall;
mod slack;
mod support;
mod vector;
mod wide;
