"""Events: what is on, when and where, and who may still register. Never imports registrations."""
