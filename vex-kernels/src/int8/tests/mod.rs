//! Every kernel of 8-bit integers that this machine has, held against the reference.

mod exact;
mod lanes;
mod mutants;
