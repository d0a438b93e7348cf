"""What is to be done: tasks, the agenda, task files."""
