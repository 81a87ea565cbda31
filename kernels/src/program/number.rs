//! How the numbers of a program are written to files: JSON has no infinities, so they are the words `inf` and `-inf`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Infinite(Infinite),
    Finite(f32),
}

#[derive(Serialize, Deserialize)]
enum Infinite {
    #[serde(rename = "inf")]
    Above,
    #[serde(rename = "-inf")]
    Below,
}

pub(super) fn serialize<S: Serializer>(x: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    let written = match *x {
        f32::INFINITY => Written::Infinite(Infinite::Above),
        f32::NEG_INFINITY => Written::Infinite(Infinite::Below),
        x => Written::Finite(x),
    };
    written.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
    Ok(match Written::deserialize(deserializer)? {
        Written::Infinite(Infinite::Above) => f32::INFINITY,
        Written::Infinite(Infinite::Below) => f32::NEG_INFINITY,
        Written::Finite(x) => x,
    })
}
