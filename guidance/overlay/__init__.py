"""The picture for the operator, and the annotated video."""
