"""What has been learned: evidence, snapshots, the store and retrieval."""
