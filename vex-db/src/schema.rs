//! What the rows of a collection have in common.

use std::fmt;

use vex::graph::Vectors;
use vex::{Element, Metric};

/// The most fields of a collection.
pub const MAX_FIELDS: usize = 1_000;

/// The longest name of a field or a vector, in bytes.
pub const MAX_FIELD_NAME: usize = 64;

/// The most vectors of a row that have names.
pub const MAX_NAMED_VECTORS: usize = 16;

/// The number of the vector that every row has.
pub(crate) const MAIN: u16 = 0;

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldType {
    /// Text.
    Text,
    /// Whole numbers, of 64 bits.
    Int,
    /// Numbers, of 64 bits.
    Float,
    /// Yes or no.
    Bool,
    /// Values of any type, which filters cannot ask for.
    Stored,
}

impl FieldType {
    const ALL: [Self; 5] = [Self::Text, Self::Int, Self::Float, Self::Bool, Self::Stored];

    /// The name of the type, as messages and the store spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Stored => "stored",
        }
    }

    /// The type of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the rows of a collection have in common: the dimension and the metric of the vectors, the
/// name of the model that makes them, and the fields. It is checked when a collection is created.
///
/// Every row has one vector. It may have more, each under a name: see [`vector`](Self::vector).
///
/// # Examples
/// ```
/// use vex_db::{Metric, Schema};
///
/// let schema = Schema::new(384, Metric::Cosine)
///     .model("all-MiniLM-L6-v2")
///     .text("lang")
///     .int("year")
///     .stored("doc");
/// assert_eq!(schema.fields().count(), 3);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// The vector that every row has, whose name is empty, then those with names.
    vectors: Vec<VectorType>,
    model: Option<String>,
    fields: Vec<(String, FieldType)>,
}

/// A vector of the rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct VectorType {
    pub(crate) name: String,
    pub(crate) dim: usize,
    pub(crate) metric: Metric,
}

impl VectorType {
    /// A store of such vectors, without any.
    pub(crate) fn store(&self) -> Vectors {
        Vectors::new(Element::F32, self.metric, self.dim).expect("the parameters of the schema were checked")
    }
}

impl fmt::Display for VectorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} x f32, {})", self.name, self.dim, self.metric)
    }
}

impl Schema {
    /// A schema without fields, for vectors of `dim` elements.
    pub fn new(dim: usize, metric: Metric) -> Self {
        let main = VectorType { name: String::new(), dim, metric };
        Self { vectors: vec![main], model: None, fields: Vec::new() }
    }

    /// Adds a vector that rows may have besides the first, under a name: that of a title beside
    /// that of a text. [`Snapshot::vector`](crate::Snapshot::vector) searches by it. It is compared
    /// by the metric of the first vector. [`vector_by`](Self::vector_by) takes another metric.
    ///
    /// Each named vector has segments of its own. They take as much as in a collection of its own.
    pub fn vector(self, name: impl Into<String>, dim: usize) -> Self {
        let metric = self.metric();
        self.vector_by(name, dim, metric)
    }

    /// As [`vector`](Self::vector), with a metric.
    pub fn vector_by(mut self, name: impl Into<String>, dim: usize, metric: Metric) -> Self {
        self.vectors.push(VectorType { name: name.into(), dim, metric });
        self
    }

    /// The name of the model that makes the vectors. Two models mean different things by the same
    /// numbers, so a collection is opened only under the name that it was created with.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Adds a field of text.
    pub fn text(self, name: impl Into<String>) -> Self {
        self.field(name, FieldType::Text)
    }

    /// Adds a field of whole numbers.
    pub fn int(self, name: impl Into<String>) -> Self {
        self.field(name, FieldType::Int)
    }

    /// Adds a field of numbers.
    pub fn float(self, name: impl Into<String>) -> Self {
        self.field(name, FieldType::Float)
    }

    /// Adds a field that is yes or no.
    pub fn bool(self, name: impl Into<String>) -> Self {
        self.field(name, FieldType::Bool)
    }

    /// Adds a field that is kept and returned, but that no filter can ask for. It takes values of
    /// any type.
    pub fn stored(self, name: impl Into<String>) -> Self {
        self.field(name, FieldType::Stored)
    }

    /// Adds a field.
    pub fn field(mut self, name: impl Into<String>, kind: FieldType) -> Self {
        self.fields.push((name.into(), kind));
        self
    }

    /// Elements of the vector that every row has.
    pub fn dim(&self) -> usize {
        self.vectors[0].dim
    }

    /// The rule by which it is compared.
    pub fn metric(&self) -> Metric {
        self.vectors[0].metric
    }

    /// The vectors with names: the name, the elements, and the metric of each.
    pub fn vectors(&self) -> impl Iterator<Item = (&str, usize, Metric)> {
        self.vectors[1..].iter().map(|vector| (vector.name.as_str(), vector.dim, vector.metric))
    }

    /// All vectors, the one without a name first. Their places are their numbers.
    pub(crate) fn vector_types(&self) -> &[VectorType] {
        &self.vectors
    }

    /// The vector of a number.
    pub(crate) fn vector_type(&self, number: u16) -> &VectorType {
        &self.vectors[usize::from(number)]
    }

    /// The number of a vector with a name.
    pub(crate) fn find_vector(&self, name: &str) -> Option<u16> {
        let at = self.vectors[1..].iter().position(|vector| vector.name == name)?;
        Some(at as u16 + 1)
    }

    /// The name of the model, if one was given.
    pub fn model_name(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// The names and types of the fields, in the order in which they were added.
    pub fn fields(&self) -> impl Iterator<Item = (&str, FieldType)> {
        self.fields.iter().map(|(name, kind)| (name.as_str(), *kind))
    }

    /// The names of the fields, for messages.
    pub(crate) fn field_names(&self) -> Vec<String> {
        self.fields().map(|(name, _)| name.to_owned()).collect()
    }

    /// The numbers of the fields that filters can ask for.
    pub(crate) fn indexed(&self) -> impl Iterator<Item = u16> {
        let is_indexed =
            |(at, (_, kind)): (u16, &(String, FieldType))| (*kind != FieldType::Stored).then_some(at);
        (0..).zip(&self.fields).filter_map(is_indexed)
    }

    /// The number of a field, and its type.
    pub(crate) fn find(&self, name: &str) -> Option<(u16, FieldType)> {
        let at = self.fields.iter().position(|(field, _)| field == name)?;
        Some((at as u16, self.fields[at].1))
    }

    /// The name and type of a field by its number.
    pub(crate) fn nth(&self, number: u16) -> Option<(&str, FieldType)> {
        self.fields.get(usize::from(number)).map(|(name, kind)| (name.as_str(), *kind))
    }

    /// Checks the schema of a new collection.
    pub(crate) fn validate(&self) -> Result<(), SchemaError> {
        if self.vectors.len() > 1 + MAX_NAMED_VECTORS {
            return Err(SchemaError::TooManyVectors { found: self.vectors.len() - 1 });
        }
        for VectorType { name, dim, metric } in &self.vectors {
            vex::Index::builder(*dim).metric(*metric).build().map_err(|error| match &**name {
                "" => SchemaError::Params(error),
                name => SchemaError::VectorParams { vector: name.to_owned(), error },
            })?;
        }
        if self.fields.len() > MAX_FIELDS {
            return Err(SchemaError::TooManyFields { found: self.fields.len() });
        }
        if self.model.as_deref().is_some_and(str::is_empty) {
            return Err(SchemaError::EmptyModel);
        }
        let named = self.vectors[1..].iter().map(|vector| &vector.name);
        let names: Vec<&String> = named.chain(self.fields.iter().map(|(name, _)| name)).collect();
        for (at, name) in names.iter().enumerate() {
            if !is_name(name) {
                return Err(SchemaError::FieldName { found: (*name).clone() });
            }
            if names[..at].contains(name) {
                return Err(SchemaError::FieldTwice { field: (*name).clone() });
            }
        }
        Ok(())
    }

    /// Checks that this schema has the vectors with names of another.
    pub(crate) fn expect_vectors_of(&self, other: &Self) -> Result<(), SchemaError> {
        for expected in &other.vectors[1..] {
            let found = self.vectors[1..].iter().find(|found| found.name == expected.name);
            if found != Some(expected) {
                return Err(SchemaError::Differs {
                    part: "vector",
                    expected: expected.to_string(),
                    found: found.map_or("none".to_owned(), VectorType::to_string),
                });
            }
        }
        Ok(())
    }

    /// Checks that a caller expects the schema that a collection has.
    pub(crate) fn expect(&self, expected: &Self) -> Result<(), SchemaError> {
        let differs = |part, expected: &dyn fmt::Display, found: &dyn fmt::Display| {
            Err(SchemaError::Differs { part, expected: expected.to_string(), found: found.to_string() })
        };
        let model = |schema: &Self| match &schema.model {
            Some(model) => format!("{model:?}"),
            None => "none".to_owned(),
        };
        let field = |field: Option<&(String, FieldType)>| match field {
            Some((name, kind)) => format!("{name} ({kind})"),
            None => "none".to_owned(),
        };
        if self.dim() != expected.dim() {
            return differs("dimension", &expected.dim(), &self.dim());
        }
        if self.metric() != expected.metric() {
            return differs("metric", &expected.metric(), &self.metric());
        }
        if self.model != expected.model {
            return differs("model", &model(expected), &model(self));
        }
        let vector = |vector: Option<&VectorType>| vector.map_or("none".to_owned(), VectorType::to_string);
        for at in 1..self.vectors.len().max(expected.vectors.len()) {
            let (found, expected) = (self.vectors.get(at), expected.vectors.get(at));
            if found != expected {
                return differs("vector", &vector(expected), &vector(found));
            }
        }
        let sorted = |schema: &Self| {
            let mut fields: Vec<_> =
                schema.fields.iter().map(|(name, kind)| (name.clone(), kind.name())).collect();
            fields.sort_unstable();
            fields
        };
        if self.fields != expected.fields && sorted(self) == sorted(expected) {
            let names = |schema: &Self| schema.fields().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
            return differs("order of the fields", &names(expected), &names(self));
        }
        for at in 0..self.fields.len().max(expected.fields.len()) {
            let (found, expected) = (self.fields.get(at), expected.fields.get(at));
            if found != expected {
                return differs("field", &field(expected), &field(found));
            }
        }
        Ok(())
    }
}

/// Whether text can be the name of a field.
pub(crate) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.len() <= MAX_FIELD_NAME
}

/// Why a schema cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The dimension is out of range, or vectors of f32 do not have the metric.
    #[error(transparent)]
    Params(vex::ParamsError),
    /// The dimension of a named vector is out of range, or vectors of f32 do not have its metric.
    #[error("vector {vector}: {error}")]
    VectorParams {
        /// The name.
        vector: String,
        /// Why.
        error: vex::ParamsError,
    },
    /// There are more than [`MAX_NAMED_VECTORS`] vectors with names.
    #[error("expected at most {MAX_NAMED_VECTORS} vectors with names, found {found}")]
    TooManyVectors {
        /// How many there are.
        found: usize,
    },
    /// There are more than [`MAX_FIELDS`] fields.
    #[error("expected at most {MAX_FIELDS} fields, found {found}")]
    TooManyFields {
        /// How many there are.
        found: usize,
    },
    /// The name of the model is empty.
    #[error("the name of the model is empty")]
    EmptyModel,
    /// The name of a field, or of a vector, is not a letter or `_`, followed by letters, digits and
    /// `_`, or it is longer than [`MAX_FIELD_NAME`].
    #[error(
        "name: expected a letter or _, then letters, digits and _, at most {MAX_FIELD_NAME} in all, \
         found {found:?}"
    )]
    FieldName {
        /// The name.
        found: String,
    },
    /// Two fields or vectors have the same name.
    #[error("{field}: named twice")]
    FieldTwice {
        /// The name.
        field: String,
    },
    /// The collection has another schema than the caller expects.
    #[error("{part}: expected {expected}, found {found} in the collection")]
    Differs {
        /// The part of the schema.
        part: &'static str,
        /// What the caller expects.
        expected: String,
        /// What the collection has.
        found: String,
    },
}
