"""One camera or stream that is watched, recorded and sent to other programs."""
