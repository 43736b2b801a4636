"""What there is: the controller, its models, and what they are made of. It knows nothing of its clients."""
