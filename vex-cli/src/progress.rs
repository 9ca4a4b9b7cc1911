//! Progress on standard error, while it is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts to `total`. It is drawn on a terminal alone, and leaves nothing there.
pub(crate) fn bar(label: &'static str, total: usize) -> ProgressBar {
    let template = "{msg:<8} {bar:36} {human_pos:>10}/{human_len} {eta:>4}";
    let style = ProgressStyle::with_template(template).expect("a template that parses").progress_chars("━╸ ");
    ProgressBar::new(total as u64).with_style(style).with_message(label)
}

/// A count whose end is not known. As [`bar`], it is drawn on a terminal alone.
pub(crate) fn count(label: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:<8} {human_pos:>10} {elapsed:>4}")
        .expect("a template that parses");
    ProgressBar::no_length().with_style(style).with_message(label)
}

/// The time that a step takes whose length is not known.
pub(crate) fn clock(label: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:<8} {elapsed:>4}").expect("a template that parses");
    let clock = ProgressBar::new_spinner().with_style(style).with_message(label);
    // This starts a thread, which is of no use where nothing is drawn.
    if !clock.is_hidden() {
        clock.enable_steady_tick(Duration::from_millis(200));
    }
    clock
}
