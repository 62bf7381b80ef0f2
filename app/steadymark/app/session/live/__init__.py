"""A live view of one camera or stream, which is shown, recorded and sent to other programs."""
