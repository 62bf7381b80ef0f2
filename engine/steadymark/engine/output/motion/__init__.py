"""Files of moving heads for animation programs: glTF and BVH."""
