//! Tables for people, whose columns are as wide as what they hold.

use std::io::{self, Write};

use crate::human;

/// The most characters of a cell. Longer ones are cut: JSON has them whole.
const WIDEST: usize = 60;

/// Rows of cells below a head.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(head: Vec<String>) -> Self {
        Self { rows: vec![head] }
    }

    /// Adds a row of as many cells as the head has.
    pub(super) fn push(&mut self, cells: Vec<String>) {
        self.rows.push(cells.iter().map(|cell| cut(&human::printable(cell))).collect());
    }

    pub(super) fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let columns = self.rows[0].len();
        let width =
            |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let cells =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width));
            writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

fn cut(cell: &str) -> String {
    if cell.chars().count() <= WIDEST {
        return cell.to_owned();
    }
    cell.chars().take(WIDEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_long_cells_cut() {
        let mut table = Table::new(vec!["rank".to_owned(), "id".to_owned()]);
        table.push(vec!["1".to_owned(), "a\nb".to_owned()]);
        table.push(vec!["10".to_owned(), "ä".repeat(61)]);
        let mut out = Vec::new();
        table.print(&mut out).unwrap();
        let expected = format!("rank  id\n1     a\u{fffd}b\n10    {}…\n", "ä".repeat(59));
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
