"""What the world is: cameras, body, zone, jet, skin. Floor 0."""
