//! A list of so many items that none of them should move while it grows.

use std::{iter::Flatten, ops::Index, slice, vec};

/// Items by number. They lie in boxes of one length, so that a million of them are never there twice, and the memory of a list
/// that was too short lies nowhere about.
#[derive(Clone, Debug)]
pub struct Many<T> {
    /// All but the last are full.
    boxes: Vec<Vec<T>>,
}

/// How many items a box has. The first grows until it has so many: most captures need no more.
const BOX_LEN: usize = 1 << 12;

impl<T> Many<T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        let last = self.boxes.last().map_or(0, Vec::len);
        self.boxes.len().saturating_sub(1) * BOX_LEN + last
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.boxes.is_empty()
    }

    /// The item of this number.
    pub fn get(&self, number: usize) -> Option<&T> {
        self.boxes.get(number / BOX_LEN)?.get(number % BOX_LEN)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, number: usize) -> Option<&mut T> {
        self.boxes.get_mut(number / BOX_LEN)?.get_mut(number % BOX_LEN)
    }

    /// Adds an item behind the last.
    pub fn push(&mut self, item: T) {
        match self.boxes.last_mut() {
            Some(last) if last.len() < BOX_LEN => last.push(item),
            last => {
                let mut next = Vec::with_capacity(if last.is_some() { BOX_LEN } else { 0 });
                next.push(item);
                self.boxes.push(next);
            }
        }
    }

    /// What becomes of each, in the same place where it takes as much of it.
    pub fn map<U>(self, mut of: impl FnMut(T) -> U) -> Many<U> {
        let mapped = self.boxes.into_iter().map(|it| it.into_iter().map(&mut of).collect());
        Many { boxes: mapped.collect() }
    }

    /// All of them, by number.
    pub fn iter(&self) -> Iter<'_, T> {
        self.boxes.iter().flatten()
    }

    /// All of them, by number, to be changed.
    pub fn iter_mut(&mut self) -> IterMut<'_, T> {
        self.boxes.iter_mut().flatten()
    }
}

/// See [`Many::iter`].
pub(crate) type Iter<'a, T> = Flatten<slice::Iter<'a, Vec<T>>>;
/// See [`Many::iter_mut`].
pub(crate) type IterMut<'a, T> = Flatten<slice::IterMut<'a, Vec<T>>>;

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self { boxes: Vec::new() }
    }
}

impl<T> Extend<T> for Many<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        items.into_iter().for_each(|it| self.push(it));
    }
}

impl<T> FromIterator<T> for Many<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut many = Self::default();
        many.extend(items);
        many
    }
}

/// # Panics
/// Where there is no item of this number.
impl<T> Index<usize> for Many<T> {
    type Output = T;

    fn index(&self, number: usize) -> &T {
        &self.boxes[number / BOX_LEN][number % BOX_LEN]
    }
}

/// Box after box: the memory of each goes once its last item is taken.
impl<T> IntoIterator for Many<T> {
    type Item = T;
    type IntoIter = Flatten<vec::IntoIter<Vec<T>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.boxes.into_iter().flatten()
    }
}

impl<'a, T> IntoIterator for &'a Many<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut Many<T> {
    type Item = &'a mut T;
    type IntoIter = IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_by_number() {
        let n = 2 * BOX_LEN + 3;
        let mut many: Many<usize> = (0..n).collect();
        assert_eq!((many.len(), many.get(BOX_LEN), many.get(n)), (n, Some(&BOX_LEN), None));
        assert!(many.iter().copied().eq(0..n));
        many.iter_mut().for_each(|it| *it += 1);
        assert_eq!((many.get(0), many[n - 1]), (Some(&1), n));
        assert!(many.into_iter().eq(1..=n));
    }
}
