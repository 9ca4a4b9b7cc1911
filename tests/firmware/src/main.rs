//! Two indexes in flash, opened and searched in place without an allocator. Every answer must be
//! the host's, bit for bit.
#![no_std]
#![no_main]

mod answers;
#[cfg_attr(target_arch = "arm", path = "arm.rs")]
#[cfg_attr(target_arch = "riscv32", path = "riscv32.rs")]
mod board;
mod memory;

use answers::{Memory, QUERIES};
use vex_format::{Image, OpenError, include_index};

macro_rules! println {
    ($($argument:tt)*) => { board::print(format_args!($($argument)*)) };
}

macro_rules! in_flash {
    ($name:literal) => {
        (
            $name,
            include_index!(concat!(env!("OUT_DIR"), "/", $name, ".vex")),
            include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".answers")),
        )
    };
}

/// Name, file and answers of the host.
static INDEXES: [(&str, &[u8], &[u8]); 2] = [in_flash!("codes"), in_flash!("vectors")];

/// Makes all searches, and returns whether all answers are right.
fn test() -> bool {
    let mut memory = Memory::new();
    let mut good = true;
    for (name, index, answers) in INDEXES {
        let image = Image::open(index).expect("an index in flash");
        let (mut expected, mut told, mut wrong) = (answers.as_chunks().0.iter(), 0, 0);
        answers::ask(&image, &mut memory, &mut |word: u32| {
            told += 1;
            wrong += u32::from(expected.next() != Some(&word.to_le_bytes()));
        });
        wrong += expected.count() as u32;
        let refusals = [
            image.verify().is_ok(),
            answers::starved(&image) == answers::starvation(&image),
            matches!(Image::open(&index[1..]), Err(OpenError::Magic { .. })),
            matches!(Image::open(&index[..index.len() - 1]), Err(OpenError::Length { .. })),
        ];
        good &= wrong == 0 && told > 0 && refusals == [true; 4];
        let (header, stored) =
            (image.header(), if image.header().stores_vectors() { "f32 and codes" } else { "codes" });
        println!(
            "{name}: {} vectors of {}, {stored}, {} bytes of flash",
            header.count,
            header.dim,
            index.len()
        );
        println!(
            "  {wrong} of {told} numbers differ from the host's; verify, and three refusals: {refusals:?}"
        );
        println!("  a search takes {} instructions", instructions(&image, &mut memory));
    }
    let used = memory::used();
    println!(
        "flash: {} bytes in all, of which {} are indexes",
        used.flash,
        INDEXES[0].1.len() + INDEXES[1].1.len()
    );
    println!("memory: {} bytes of statics, {} of stack", used.statics, used.stack);
    good
}

/// The mean over all queries.
fn instructions(image: &Image<'_>, memory: &mut Memory) -> u64 {
    let mut sum = 0;
    for query in (0..QUERIES).map(answers::query) {
        sum += board::instructions(|| _ = answers::nearest(image, &query, memory));
    }
    sum / QUERIES as u64
}
