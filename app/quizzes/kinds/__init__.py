"""The step kinds of this feature, registered by the factory."""
