"""What a resource of ours is as a record of an instance, and back."""
