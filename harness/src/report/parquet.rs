//! A flat table as a Parquet file, for whoever queries many runs.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type as Node;
use serde_json::Value;

use super::{Flat, Type};

impl Flat {
    /// Writes the table as a Parquet file of one row group, uncompressed; every column may be null.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_parquet(&self, to: impl Write + Send) -> Result<(), ParquetError> {
        let schema = Arc::new(self.schema()?);
        let mut file = SerializedFileWriter::new(to, schema, Arc::new(WriterProperties::builder().build()))?;
        let mut group = file.next_row_group()?;
        for (idx, (_, kind)) in self.columns().iter().enumerate() {
            let cells = || self.rows().iter().map(|row| &row[idx]);
            match kind {
                Type::Text => column::<ByteArrayType>(&mut group, cells().map(|v| v.as_str().map(ByteArray::from)))?,
                Type::Whole => {
                    let whole = |v: &Value| v.as_u64().and_then(|n| i64::try_from(n).ok());
                    column::<Int64Type>(&mut group, cells().map(whole))?;
                }
                Type::Real => column::<DoubleType>(&mut group, cells().map(Value::as_f64))?,
                Type::Truth => column::<BoolType>(&mut group, cells().map(Value::as_bool))?,
            }
        }
        group.close()?;
        file.close().map(|_| ())
    }

    fn schema(&self) -> Result<Node, ParquetError> {
        let field = |(name, kind): &(&'static str, Type)| {
            let (physical, logical) = match kind {
                Type::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
                Type::Whole => (Physical::INT64, None),
                Type::Real => (Physical::DOUBLE, None),
                Type::Truth => (Physical::BOOLEAN, None),
            };
            let builder = Node::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
            builder.with_logical_type(logical).build().map(Arc::new)
        };
        let fields = self.columns().iter().map(field).collect::<Result<Vec<_>, _>>()?;
        Node::group_type_builder("rows").with_fields(fields).build()
    }
}

/// Writes one column: its values, and for each cell whether it has one.
fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    cells: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let cells: Vec<Option<T::T>> = cells.collect();
    let present: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let values: Vec<T::T> = cells.into_iter().flatten().collect();
    let mut writer = group.next_column()?.ok_or_else(|| ParquetError::General("a column too many".into()))?;
    writer.typed::<T>().write_batch(&values, Some(&present), None)?;
    writer.close()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    use super::*;
    use crate::store::{Results, read_run};

    #[test]
    fn rows_read_back_as_they_were_written() {
        let results = Results::at(Path::new(env!("CARGO_MANIFEST_DIR")).join("../results"));
        let run = read_run(&results.run_files().expect("readable")[0]).expect("a run");
        let file = tempfile::tempfile().expect("a file");
        Flat::of_runs(std::slice::from_ref(&run)).write_parquet(&file).expect("room");
        let reader = SerializedFileReader::new(file).expect("a Parquet file");
        let rows = reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row"));
        let mut n_rows = 0;
        for (read, row) in rows.zip(&run.rows) {
            let field = |name: &str| read.get_column_iter().find(|(n, _)| *n == name).expect("a column").1.clone();
            assert_eq!(field("id"), Field::Str(row.id.clone()));
            assert_eq!(field("median_s"), row.median_s.map_or(Field::Null, Field::Double));
            assert_eq!(field("threads"), row.threads.map_or(Field::Null, |t| Field::Long(t as i64)));
            assert_eq!(field("dirty"), run.header.environment.dirty.map_or(Field::Null, Field::Bool));
            n_rows += 1;
        }
        assert_eq!(n_rows, run.rows.len());
    }
}
