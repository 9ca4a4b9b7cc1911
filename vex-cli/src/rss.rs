//! The most memory that this process has used, as the kernel counts it.

/// The largest resident set of this process so far, in bytes. `None` if `/proc` does not have it.
pub(crate) fn peak_rss_bytes() -> Option<u64> {
    parse_peak(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// Finds `VmHWM:   123456 kB`. The kernel's "kB" is 1024 bytes.
fn parse_peak(status: &str) -> Option<u64> {
    let field = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = field.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_is_found_among_the_fields() {
        let status = "Name:\tvex\nVmPeak:\t  999 kB\nVmHWM:\t   2048 kB\nVmRSS:\t  1024 kB\n";
        assert_eq!(parse_peak(status), Some(2048 * 1024));
    }

    #[test]
    fn malformed_status_has_no_peak() {
        for status in ["", "VmRSS:\t1 kB\n", "VmHWM:\t1\n", "VmHWM:\t-1 kB\n", "VmHWM:\tkB\n"] {
            assert_eq!(parse_peak(status), None, "{status:?}");
        }
        assert_eq!(parse_peak(&format!("VmHWM:\t{} kB\n", u64::MAX)), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn touched_memory_raises_the_peak() {
        let touched = vec![1_u8; 32 << 20];
        let peak = peak_rss_bytes().expect("Linux tells the peak");
        assert!(peak >= std::hint::black_box(&touched).len() as u64, "{peak}");
    }
}
