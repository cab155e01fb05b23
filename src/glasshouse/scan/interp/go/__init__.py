"""What Go alone has: its values, its operations, its tests and its library."""
