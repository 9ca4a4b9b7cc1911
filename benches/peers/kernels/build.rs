//! Tells the program which commit it was built from: asking when it runs could name a later one.

use std::process::Command;

fn main() {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or("unknown".into());
    let changes = git(&["status", "--porcelain", "--untracked-files=no", "../../.."]).unwrap_or_default();
    println!("cargo:rustc-env=VEX_COMMIT={commit}{}", if changes.is_empty() { "" } else { ", with changes" });
    for path in ["build.rs", "src", "Cargo.toml", "../../../vex-kernels", "../../../.git/logs/HEAD"] {
        println!("cargo:rerun-if-changed={path}");
    }
}
