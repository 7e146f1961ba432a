"""orgctl: a GitOps reconciliation controller for AWS Organizations."""

__version__ = "0.1.0"
