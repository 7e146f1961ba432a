"""From bytes in git to documents, every value with its place, and what git alone decides. Knows nothing of live AWS."""
