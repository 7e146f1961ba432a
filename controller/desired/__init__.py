"""From bytes in git to documents, each value with its file, line and column; and what git alone decides about them. Nothing here knows live AWS."""
