"""The labelled corpus: what Run:ai and Kubernetes answer for a job, and what a good diagnosis says of it."""
