//! How much of flash and memory the program uses, from the linker's symbols and the traces of the
//! stack.

use crate::board;

/// Numbers of bytes.
pub struct Used {
    /// Code, constants, and the initial values of statics.
    pub flash: usize,
    /// Statics that can change.
    pub statics: usize,
    /// The deepest that the stack has been.
    pub stack: usize,
}

// The linker puts these at the ends of the sections. Only their addresses have a meaning.
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
    // SAFETY: from the end of the statics to the start of the stack there is memory, which only the
    // stack uses. It is read in whole words, and the loop ends at the stack in use.
    while unsafe { unused.read_volatile() } == board::UNUSED {
        unused = unused.wrapping_add(1);
    }
    Used {
        flash: (&raw const __sidata).addr() - board::FLASH + (&raw const __edata).addr() - data.addr(),
        statics: statics_end.addr() - data.addr(),
        stack: (&raw const _stack_start).addr() - unused.addr(),
    }
}
