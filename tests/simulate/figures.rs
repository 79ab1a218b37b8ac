//! How numbers are written.

use std::time::Duration;

/// All digits, in groups of three.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// In at most seven characters: from a million on, what is left off does not matter.
pub fn short(number: u64) -> String {
    match number {
        0..1_000_000 => grouped(number),
        1_000_000..1_000_000_000 => format!("{} M", hundredths(number, 1_000_000)),
        _ => format!("{} G", hundredths(number, 1_000_000_000)),
    }
}

/// A quotient with two places.
pub fn hundredths(number: u64, by: u64) -> String {
    let hundredths = u128::from(number) * 100 / u128::from(by.max(1));
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// How many it is in a second.
pub fn each_second(number: u64, elapsed: Duration) -> u64 {
    let each = u128::from(number) * 1_000 / elapsed.as_millis().max(1);
    u64::try_from(each).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod test {
    use super::{each_second, grouped, hundredths, short};
    use std::time::Duration;

    #[test]
    fn numbers_can_be_read() {
        let groups = [(0, "0"), (999, "999"), (1_000, "1,000"), (100_000, "100,000"), (1_234_567, "1,234,567")];
        for (number, text) in groups {
            assert_eq!(grouped(number), text);
        }
        let shorter = [(999_999, "999,999"), (1_000_000, "1.00 M"), (12_345_678, "12.34 M"), (2_000_000_000, "2.00 G")];
        for (number, text) in shorter {
            assert_eq!(short(number), text);
        }
        assert_eq!((hundredths(263, 100), hundredths(7, 0)), ("2.63".to_owned(), "7.00".to_owned()));
        assert_eq!(each_second(500, Duration::from_millis(250)), 2_000);
    }
}
