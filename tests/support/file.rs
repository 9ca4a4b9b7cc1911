use std::convert::Infallible;

use vex_format::{AlignedBytes, Meta, Store, Writer};
use vex_graph::{GraphView, Params};

/// The file of a graph, with fixed metadata.
pub fn write(view: &GraphView<'_>, keys: &[u64]) -> AlignedBytes {
    write_with(view, keys, Store::All)
}

/// The file of a graph. `store` says how its vectors are stored.
pub fn write_with(view: &GraphView<'_>, keys: &[u64], store: Store) -> AlignedBytes {
    let params = Params::new().m(view.m()).ef_construction(120).seed(42).keep_pruned(true);
    let meta = Meta::new(params).segment_id(*b"a test's segment").sequence(9).store(store);
    let writer = Writer::new(view, keys, &meta).unwrap();
    let mut bytes = Vec::new();
    let Ok(()) = writer.write_to(&mut |chunk: &[u8]| {
        bytes.extend_from_slice(chunk);
        Ok::<(), Infallible>(())
    });
    assert_eq!(bytes.len() as u64, writer.file_length());
    AlignedBytes::copy_of(&bytes).unwrap()
}
