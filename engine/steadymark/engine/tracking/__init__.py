"""From frames to tracked faces: detection, association, networks, head pose."""
