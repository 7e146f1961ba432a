"""What IAM would answer: policy documents judged for a request. Pure: no AWS, no YAML, and nothing is ever guessed."""
