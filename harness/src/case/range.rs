//! Ranges in a shape: `64..2048*2x=x=` is the squares 64, 128, ..., 2048; `1..16*2x4096x4096` five products.

/// Most shapes of one word: more is a slip of the finger.
const MOST: usize = 1000;

/// Separators of sizes.
pub(super) const BETWEEN: [char; 3] = ['x', 'X', '×'];

/// Every shape that a word names, as words without ranges; those without a range stay as they are.
///
/// # Errors
/// A range that is none, or one with too many steps; the sentence says what would do.
pub(super) fn expand(shape: &str) -> Result<Vec<String>, String> {
    let mut shapes: Vec<Vec<String>> = vec![Vec::new()];
    for part in shape.split(BETWEEN).map(str::trim) {
        let sizes = if part == "=" { None } else { Some(sizes(part)?) };
        let mut longer = Vec::new();
        for shape in shapes {
            match &sizes {
                Some(sizes) => {
                    longer.extend(sizes.iter().map(|size| [&shape[..], std::slice::from_ref(size)].concat()))
                }
                None => {
                    let before = shape.last().ok_or("`=` repeats the size before it, and there is none")?.clone();
                    longer.push([&shape[..], &[before]].concat());
                }
            }
        }
        if longer.len() > MOST {
            return Err(format!("more than {MOST} shapes; use fewer steps"));
        }
        shapes = longer;
    }
    Ok(shapes.into_iter().map(|shape| shape.join("x")).collect())
}

/// One size, or `first..last*factor` or `first..last+step`, its last one included where a step meets it.
fn sizes(part: &str) -> Result<Vec<String>, String> {
    let Some((first, rest)) = part.split_once("..") else { return Ok(vec![part.to_owned()]) };
    let wanted = || format!("`{part}` is no range; write first..last*factor or first..last+step, as in 64..2048*2");
    let at = rest.find(['*', '+']).ok_or_else(wanted)?;
    let number = |text: &str| text.trim().parse::<usize>().map_err(|_| wanted());
    let (first, last, step) = (number(first)?, number(&rest[..at])?, number(&rest[at + 1..])?);
    let is_factor = rest[at..].starts_with('*');
    if first == 0 || first > last || step < if is_factor { 2 } else { 1 } {
        return Err(format!(
            "`{part}` goes nowhere; start at 1 or more, end no lower, and step by *2 or more or +1 or more"
        ));
    }
    let next = |size: &usize| if is_factor { size.checked_mul(step) } else { size.checked_add(step) };
    let all = std::iter::successors(Some(first), next).take_while(|size| *size <= last).take(MOST + 1);
    let sizes: Vec<String> = all.map(|size| size.to_string()).collect();
    if sizes.len() > MOST { Err(format!("`{part}` has more than {MOST} sizes; use a larger step")) } else { Ok(sizes) }
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn ranges_are_every_combination_and_equal_signs_are_none() {
        assert_eq!(
            expand("64..512*2x=x=").expect("a range"),
            ["64x64x64", "128x128x128", "256x256x256", "512x512x512"]
        );
        assert_eq!(expand("1..2+1x8x4..9*2").expect("a range"), ["1x8x4", "1x8x8", "2x8x4", "2x8x8"]);
        assert_eq!(expand("1×2X3").expect("no range"), ["1x2x3"]);
        assert_eq!(expand("5..5*2").expect("one size"), ["5"]);
    }

    #[test]
    fn what_is_no_range_says_what_would_be() {
        for (shape, why) in [
            ("64..x8", "no range"),
            ("1..2x8", "first..last*factor"),
            ("a..2*2", "no range"),
            ("0..8*2", "goes nowhere"),
            ("8..4*2", "goes nowhere"),
            ("1..9*1", "goes nowhere"),
            ("1..9+0", "goes nowhere"),
            ("=x8x8", "repeats the size before"),
            ("1..99999+1", "more than 1000 sizes"),
            ("1..99+1x1..99+1x8", "more than 1000 shapes"),
        ] {
            assert!(expand(shape).expect_err(shape).contains(why), "{shape}");
        }
        assert_eq!(expand("1..18446744073709551615*4294967296").expect("it ends before it overflows").len(), 2);
    }
}
