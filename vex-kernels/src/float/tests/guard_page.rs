//! Vectors that begin or end at the edge of readable memory.
#![cfg(unix)]

use std::vec::Vec;

use bytemuck::Pod;

use super::half::{Pair, Wide, for_each_pair};
use super::handles;
use crate::tests::guard_page::stay_inside;
use crate::tests::lengths;
use crate::{bf16, f16};

#[test]
fn no_load_crosses_either_end_of_a_vector() {
    stay_inside(&handles().collect::<Vec<_>>(), lengths(), 1.0, 3.0);
}

fn halves_stay_inside<P: Pair<Query: Pod, Row: Pod>>() {
    stay_inside(&P::handles(), lengths(), P::Query::ONE, P::Row::ONE);
}

#[test]
fn no_load_crosses_either_end_of_a_vector_of_halves() {
    for_each_pair!(halves_stay_inside());
}
