//! How much of flash and memory the program takes, by what the linker and the stack left.

use crate::board;

/// Bytes.
pub struct Used {
    /// Code, constants, and what statics begin with.
    pub flash: usize,
    /// Statics that can change.
    pub statics: usize,
    /// The deepest that the stack has been.
    pub stack: usize,
}

// The linker puts these where the sections begin and end; only their addresses mean anything.
unsafe extern "C" {
    safe static __sidata: u32;
    safe static __sdata: u32;
    safe static __edata: u32;
    safe static __ebss: u32;
    safe static _stack_start: u32;
}

pub fn used() -> Used {
    let (data, statics_end) = (&raw const __sdata, &raw const __ebss);
    let mut unused = statics_end;
    // SAFETY: from the end of the statics to the start of the stack is memory, which only the stack
    // uses; it is read whole words at a time, and the stack in use ends the loop.
    while unsafe { unused.read_volatile() } == board::UNUSED {
        unused = unused.wrapping_add(1);
    }
    Used {
        flash: (&raw const __sidata).addr() - board::FLASH + (&raw const __edata).addr() - data.addr(),
        statics: statics_end.addr() - data.addr(),
        stack: (&raw const _stack_start).addr() - unused.addr(),
    }
}
