"""The loop, the models, the critic and the surfaces."""
