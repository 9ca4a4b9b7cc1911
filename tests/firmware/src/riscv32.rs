//! A RISC-V without floating point: QEMU's virt.

use core::fmt::Arguments;
use core::panic::PanicInfo;

use riscv::register::minstret;
use riscv_rt::entry;
use semihosting::println;
use semihosting::process::exit;

/// The contents of memory that the stack has not reached: the emulator begins with zeros.
pub const UNUSED: u32 = 0;

/// The address of flash.
pub const FLASH: usize = 0x8000_0000;

/// The number of instructions of `work`.
pub fn instructions(work: impl FnOnce()) -> u64 {
    let before = minstret::read64();
    work();
    minstret::read64() - before
}

/// Writes to the standard output of the emulator.
pub fn print(text: Arguments<'_>) {
    println!("{text}");
}

#[entry]
fn start() -> ! {
    exit(if crate::test() { 0 } else { 1 })
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    print(format_args!("{info}"));
    exit(1)
}
