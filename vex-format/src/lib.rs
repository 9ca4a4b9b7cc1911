//! The Vex index file: opened in constant time, searched in place, never trusted.
//!
//! Use this crate to open, search and verify index files without `std` or an allocator, as firmware
//! does. It also writes files from a graph of your own. Programs that build, change and save
//! indexes use the crate `vex`.
//!
//! [`Image`] is the main type: the bytes of a file, which may be read, mapped or in flash memory.
//! [`Image::open`] checks the header and lends a [`GraphView`](vex_graph::GraphView) into the
//! bytes, which `vex_graph` searches. A damaged or hostile file gives wrong neighbors at worst.
//!
//! | to | use |
//! |---|---|
//! | open an index in place | [`Image::open`], [`include_index!`] |
//! | check every byte | [`Image::verify`] |
//! | keep offsets and bytes apart | [`Layout`] |
//! | look at a file before reading it | [`Header::read`] |
//! | write a graph | `Writer`, `Meta`, `Store` |
//! | read a file into aligned memory | `AlignedBytes` |
//!
//! ```
//! # #[cfg(feature = "alloc")] {
//! use vex_format::{AlignedBytes, Image, Meta, Writer};
//! use vex_graph::{GraphView, LevelView, Metric, Params, Rows, TERMINATOR};
//!
//! // Two nodes that link to each other, in rows of 16 elements and 8 links.
//! let (mut elements, mut links) = ([0.0; 32], [TERMINATOR; 16]);
//! (elements[16], links[0], links[8]) = (1.0, 1, 0);
//! let base = LevelView { links: &links, width: 8, sorted: 2, appended: &[] };
//! let rows = Rows::new(Metric::SquaredEuclidean, &elements, 3, 16, 2)?;
//! let view = GraphView::new(rows, None, 4, 0, &[base])?;
//!
//! let meta = Meta::new(Params::new().m(4));
//! let writer = Writer::new(&view, &[10, 20], &meta)?;
//! let mut file = Vec::new();
//! writer.write_to(&mut |bytes: &[u8]| {
//!     file.extend_from_slice(bytes);
//!     Ok::<(), std::io::Error>(())
//! })?;
//!
//! let file = AlignedBytes::copy_of(&file)?;
//! let image = Image::open(&file)?;
//! image.verify()?;
//! assert_eq!(image.keys(), [10, 20]);
//! assert_eq!(image.graph().links(0, 0), [1]);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//! - `alloc` adds `Writer`, `Meta`, `Store` and `AlignedBytes`, and verification on several
//!   threads.
//! - `std`, the default, computes checksums with the instructions that the machine has.
//! - `serde` reads and writes `Store` with the crate serde.
//!
//! Without any of them the crate reads and verifies. It needs neither `std` nor an allocator, as
//! the example `no_std` shows.
#![doc = include_str!("../FORMAT.md")]
#![no_std]
#![forbid(unsafe_code)]
// Every public function says when it fails.
#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod aligned;
mod checksum;
mod codes;
mod error;
mod header;
mod image;
mod layout;
#[cfg(feature = "alloc")]
mod meta;
#[cfg(feature = "alloc")]
mod order;
mod section;
mod verify;
#[cfg(feature = "alloc")]
mod write;

pub use aligned::Aligned;
#[cfg(feature = "alloc")]
pub use aligned::AlignedBytes;
pub use checksum::{BLOCK_BYTES, checksum_of_blocks, crc32c};
pub use codes::Kind;
#[cfg(feature = "alloc")]
pub use error::WriteError;
pub use error::{Field, OpenError, VerifyError};
pub use header::{ALIGNMENT, Header, MAJOR, MINOR};
pub use image::Image;
pub use layout::Layout;
#[cfg(feature = "alloc")]
pub use meta::{Meta, Store};
pub use section::{Section, Tag};
pub use vex_graph::Element;
#[cfg(feature = "alloc")]
pub use write::Writer;
