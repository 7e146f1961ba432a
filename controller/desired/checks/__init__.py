"""What git alone decides about a commit, kind by kind. One file per document kind; each adds to the findings."""
