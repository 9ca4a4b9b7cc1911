//! A Cortex-M4F: QEMU's mps2-an386.

use core::fmt::Arguments;
use core::panic::PanicInfo;

use cortex_m::Peripherals;
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::{ExceptionFrame, STACK_PAINT_VALUE, entry, exception};
use cortex_m_semihosting::{debug, hprintln};

/// The contents of memory that the stack has not reached.
pub const UNUSED: u32 = STACK_PAINT_VALUE;

/// The address of flash.
pub const FLASH: usize = 0;

/// The timer counts 24 bits down, at 25 MHz. A tick is 40 instructions of a nanosecond each.
const PERIOD: u32 = 1 << 24;
const INSTRUCTIONS: u64 = 40;

/// The number of instructions of `work`, up to 671 million. QEMU lacks the counter of cycles that
/// the real processor has.
pub fn instructions(work: impl FnOnce()) -> u64 {
    let before = SYST::get_current();
    work();
    let ticks = before.wrapping_sub(SYST::get_current()) % PERIOD;
    u64::from(ticks) * INSTRUCTIONS
}

/// Writes to the standard output of the emulator.
pub fn print(text: Arguments<'_>) {
    hprintln!("{}", text);
}

#[entry]
fn start() -> ! {
    let mut peripherals = Peripherals::take().expect("the first to take them");
    peripherals.SYST.set_clock_source(SystClkSource::Core);
    peripherals.SYST.set_reload(PERIOD - 1);
    peripherals.SYST.enable_counter();
    end(crate::test())
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    print(format_args!("fault: {frame:?}"));
    end(false)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    print(format_args!("{info}"));
    end(false)
}

/// The exit code of the emulator: 0 or 1.
fn end(good: bool) -> ! {
    debug::exit(if good { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    loop {
        cortex_m::asm::wfi();
    }
}
