"""What is told of the gateway's work: logs, metrics, and who did what; of patients nothing."""
