//! What allocates, what does not, and what happens when an allocation fails.

mod allocator;
mod elements;
mod failing;
mod memory;
mod searching;
#[path = "../graph/support.rs"]
mod support;
#[path = "../graph/vector.rs"]
mod vector;

#[global_allocator]
static ALLOCATOR: allocator::Counting = allocator::Counting;
