//! What allocates, what does not, and what happens when an allocation fails.

mod allocator;
mod failing;
mod memory;
mod searching;
#[path = "../graph/support.rs"]
mod support;

#[global_allocator]
static ALLOCATOR: allocator::Counting = allocator::Counting;
