//! A RISC-V without floating point: QEMU's virt.

use core::fmt::Arguments;
use core::panic::PanicInfo;

use riscv::register::minstret;
use riscv_rt::entry;
use semihosting::println;
use semihosting::process::exit;

/// What memory holds that the stack has not reached, as the emulator begins.
pub const UNUSED: u32 = 0;

/// Where flash begins.
pub const FLASH: usize = 0x8000_0000;

/// How many instructions it takes.
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
