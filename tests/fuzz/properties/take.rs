//! Structured values from an input's bytes: one byte decides one thing, and an input that has
//! run out decides for the first of everything, so that a shorter input is a simpler case.

/// What is left of an input.
pub struct Take<'a>(pub &'a [u8]);

impl Take<'_> {
    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        usize::from(*first) % bound
    }

    /// Yes or no.
    pub fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    /// One of these.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Nothing, or one of these.
    pub fn perhaps<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        of.get(self.below(of.len() + 1).wrapping_sub(1)).copied()
    }
}
