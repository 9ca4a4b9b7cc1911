//! Every kernel of 8-bit integers that this machine has, compared with the reference.

mod exact;
mod lanes;
mod mutants;
