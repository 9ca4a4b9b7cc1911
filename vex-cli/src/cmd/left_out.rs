//! Commands that were left out when the program was compiled, by the features of this crate. They say
//! so, instead of being unknown.

/// A command of which the name is left.
macro_rules! left_out {
    ($command:ident, $feature:tt, $about:literal) => {
        #[cfg(not(feature = $feature))]
        pub(crate) mod $command {
            use std::ffi::OsString;
            use std::io::Write;

            use crate::error::Failure;

            #[derive(Debug, clap::Args)]
            #[command(about = $about)]
            pub(crate) struct Args {
                #[arg(hide = true, num_args = 0.., trailing_var_arg = true, allow_hyphen_values = true)]
                _rest: Vec<OsString>,
            }

            pub(crate) fn run(_: &Args, _: &mut dyn Write) -> Result<(), Failure> {
                Err(Failure::LeftOut { command: stringify!($command), feature: $feature })
            }
        }
    };
}

left_out!(demo, "demo", "Search ten thousand dictionary definitions by meaning (left out of this program)");
left_out!(plot, "plot", "Draw recall, speed and memory as SVG or PNG (left out of this program)");
