//! What is read after what.

use super::plan::{Ahead, Step};

/// Tells each product that streams in a loop's body which one streams after it: reading goes on while what lies between
/// is worked out.
pub(super) fn link_streams(body: &mut [Step], var: usize) {
    let mut next: Option<Ahead> = body.iter().find_map(|step| match step {
        Step::Stream { place, .. } => Some(Ahead { var: Some(var), place: place.clone(), memo: None }),
        _ => None,
    });
    for step in body.iter_mut().rev() {
        if let Step::Stream { product, place, .. } = step {
            let this = Ahead { var: None, place: place.clone(), memo: None };
            product.ahead = next.replace(this).filter(|next| next.place.shape.rows.len() == 1);
        }
    }
}
