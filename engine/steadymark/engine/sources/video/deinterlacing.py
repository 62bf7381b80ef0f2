"""Join the two fields of each interlaced frame to one progressive image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from av import error as fault
from av.filter import Graph

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream


class Deinterlacer:
    """FFmpeg's filter bwdif, which gives one frame for each frame, one frame later.

    The image depends on the frame itself and on the frames before and after it.

    Args:
        stream: The stream of the frames.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        self._graph: Graph | None = None
        self._shape: tuple[int, int, str] | None = None

    def push(self, frame: VideoFrame) -> list[VideoFrame]:
        """Give the next frame; return those that are complete, in order."""
        shape = (frame.width, frame.height, frame.format.name)
        done = self.flush() if self._shape not in (None, shape) else []
        if self._graph is None:
            self._graph, self._shape = self._graph_for(frame), shape
        self._graph.push(frame)
        return done + self._complete(self._graph)

    def flush(self) -> list[VideoFrame]:
        """End the sequence; return the frames that are left."""
        graph, self._graph = self._graph, None
        if graph is None:
            return []
        graph.push(None)
        return self._complete(graph)

    def _graph_for(self, frame: VideoFrame) -> Graph:
        graph = Graph()
        source = graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=self._stream.time_base,
        )
        graph.link_nodes(
            source, graph.add("bwdif", "mode=send_frame"), graph.add("buffersink")
        ).configure()
        return graph

    def _complete(self, graph: Graph) -> list[VideoFrame]:
        done = []
        while True:
            try:
                done.append(graph.vpull())
            except (fault.BlockingIOError, fault.EOFError):
                return done
