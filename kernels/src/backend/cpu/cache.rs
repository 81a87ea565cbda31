//! Cache sizes, read from the system.

/// Bytes of each level that one core can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caches {
    pub(super) l1d: usize,
    pub(super) l2: usize,
    pub(super) l3: usize,
}

impl Caches {
    /// What systems that do not say are taken to have: the least of current server cores.
    const DEFAULT: Caches = Caches { l1d: 32 << 10, l2: 512 << 10, l3: 8 << 20 };

    /// Reads the caches of the first CPU; levels that cannot be read keep the default.
    pub(super) fn read() -> Caches {
        let mut caches = Caches::DEFAULT;
        for index in 0..8 {
            let read = |file: &str| {
                std::fs::read_to_string(format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{file}")).ok()
            };
            let (Some(level), Some(kind), Some(size)) = (read("level"), read("type"), read("size")) else { continue };
            let Some(bytes) = parse_size(size.trim()) else { continue };
            match (level.trim(), kind.trim()) {
                ("1", "Data") => caches.l1d = bytes,
                ("2", "Unified" | "Data") => caches.l2 = bytes,
                ("3", "Unified" | "Data") => caches.l3 = bytes,
                _ => {}
            }
        }
        caches
    }
}

fn parse_size(text: &str) -> Option<usize> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor = match unit {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        _ => return None,
    };
    digits.parse::<usize>().ok()?.checked_mul(factor).filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_parse_with_their_unit() {
        assert_eq!(
            [parse_size("48K"), parse_size("1M"), parse_size("512")],
            [Some(48 << 10), Some(1 << 20), Some(512)]
        );
        assert_eq!([parse_size("0K"), parse_size("big"), parse_size("3G")], [None, None, None]);
    }
}
