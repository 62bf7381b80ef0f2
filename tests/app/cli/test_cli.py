"""The command line with fake networks: what it writes, prints and returns."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from steadymark.app.cli import main as cli
from steadymark.engine.output.csv.check_table import check_csv
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.models.runtime.zoo import weights_folder
from support.fakes.fake_engine import square_image

Run = Callable[..., Result]


def video(path: Path, frames: int = 20) -> Path:
    """Write a video of a moving bright square, which is missing in frames 12 to 15."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for i in range(frames):
            image = square_image(None if 12 <= i < 16 else (100 + 2 * i, 100, 60))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def assert_reply(result: Result, code: int, *words: str) -> None:
    """Assert the exit code, that all words were printed, and that there is no traceback."""
    text = result.output
    assert result.exit_code == code, text
    assert "Traceback" not in text
    assert "something unexpected" not in text
    for word in words:
        assert word in text


def test_a_video_gives_a_valid_table_with_a_row_per_frame(run: Run, tmp_path: Path) -> None:
    result = run("track", video(tmp_path / "a.mp4"), "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    table = tmp_path / "out" / "a.csv"
    assert check_csv(table) == ()
    assert len(read_landmarks(table).frame) == 20
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.csv", "index.csv"]


def test_the_summary_shows_frames_and_the_share_with_a_face(run: Run, tmp_path: Path) -> None:
    text = run("track", video(tmp_path / "a.mp4"), "--out", tmp_path / "out").output
    assert "with a face" in text
    assert "No face was found" not in text
    row = next(line for line in text.splitlines() if line.strip().startswith("a.mp4"))
    assert row.split()[1] == "20"
    assert "80.0 %" in row
    assert "cpu" in row


def test_video_and_openface_outputs_are_written(run: Run, tmp_path: Path) -> None:
    clip = video(tmp_path / "a.mp4")
    result = run("track", clip, "--out", tmp_path / "out", "--video", "--csv", "openface")
    assert result.exit_code == 0, result.output
    head = (tmp_path / "out" / "a.csv").read_text(encoding="utf-8").splitlines()[0]
    assert head.startswith("frame, face_id, timestamp, confidence, success, gaze_0_x, gaze_0_y")
    assert (tmp_path / "out" / "a.mp4").stat().st_size > 0


def test_head_axes_are_drawn_only_into_the_video(run: Run, tmp_path: Path) -> None:
    clip = video(tmp_path / "a.mp4")
    sizes = []
    for name, options in (("plain", ()), ("axes", ("--axes",))):
        result = run("track", clip, "--out", tmp_path / name, "--video", *options)
        assert result.exit_code == 0, result.output
        sizes.append((tmp_path / name / "a.mp4").read_bytes())
    assert sizes[0] != sizes[1]
    assert_reply(run("track", clip, "--out", tmp_path / "o", "--axes"), 2, "add --video")


def test_start_and_end_select_a_part_of_the_video(run: Run, tmp_path: Path) -> None:
    clip = video(tmp_path / "a.mp4")
    run("track", clip, "--out", tmp_path / "out", "--start", "0.2", "--end", "0:00.4")
    table = read_landmarks(tmp_path / "out" / "a.csv")
    np.testing.assert_allclose(table.timestamp_s, [0.2, 0.24, 0.28, 0.32, 0.36], atol=1e-6)


def test_one_bad_file_does_not_stop_the_rest(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    result = run(
        "track", bad, tmp_path / "missing.mp4", video(tmp_path / "a.mp4"), "--out", tmp_path / "o"
    )
    assert_reply(result, 1, "bad.mp4", "missing.mp4 does not exist")
    assert check_csv(tmp_path / "o" / "a.csv") == ()


def test_existing_results_are_kept_without_overwrite(run: Run, tmp_path: Path) -> None:
    clip, out = video(tmp_path / "a.mp4"), tmp_path / "out"
    run("track", clip, "--out", out)
    before = (out / "a.csv").stat().st_mtime_ns
    assert_reply(run("track", clip, "--out", out), 2, "exists already", "--overwrite", "--resume")
    assert_reply(run("track", clip, "--out", out, "--resume"), 0, "done before")
    assert (out / "a.csv").stat().st_mtime_ns == before
    assert run("track", clip, "--out", out, "--overwrite").exit_code == 0
    assert (out / "a.csv").stat().st_mtime_ns > before


def test_resume_tracks_a_changed_video_again_and_reports_it(run: Run, tmp_path: Path) -> None:
    clips = [video(tmp_path / f"{name}.mp4") for name in "ab"]
    run("track", *clips, "--out", tmp_path / "o", "--jobs", "2")
    video(clips[0], 25)
    result = run("track", *clips, "--out", tmp_path / "o", "--jobs", "2", "--resume")
    assert_reply(result, 0, "a.mp4: the file has changed since it was tracked", "done before")
    assert len(read_landmarks(tmp_path / "o" / "a.csv").frame) == 25


def test_invalid_jobs_and_scheduler_options_are_reported(run: Run, tmp_path: Path) -> None:
    clip, out = video(tmp_path / "a.mp4", 2), tmp_path / "o"
    assert_reply(run("track", clip, "--out", out, "--jobs", "0"), 2, "--jobs must be 1 or more")
    cluster = ("--scheduler", "nonsense")
    assert_reply(
        run("track", clip, "--out", out, *cluster), 2, "no Dask scheduler answers at nonsense"
    )
    assert_reply(run("track", "camera:0", "--out", out, *cluster), 2, "camera:0 is live")
    assert_reply(run("track", clip, "--out", out, *cluster, "--jobs", "2"), 2, "of this computer")


def test_a_foreign_file_named_index_csv_is_not_overwritten(run: Run, tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "index.csv").write_text("mine\n", encoding="utf-8")
    result = run("track", video(tmp_path / "a.mp4", 2), "--out", tmp_path / "o")
    assert_reply(result, 2, "index.csv", "move it away")
    assert (tmp_path / "o" / "index.csv").read_text(encoding="utf-8") == "mine\n"


def test_a_file_that_is_named_twice_is_tracked_once(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = video(tmp_path / "a.mp4", 2)
    monkeypatch.chdir(tmp_path)
    assert run("track", clip, "a.mp4", "./a.mp4", "--out", tmp_path / "o").exit_code == 0
    assert sorted(p.name for p in (tmp_path / "o").iterdir()) == ["a.csv", "index.csv"]


@pytest.mark.parametrize("option", ["--overwrite", "--resume", "--csv=native"])
def test_an_input_is_never_replaced_by_its_result(run: Run, tmp_path: Path, option: str) -> None:
    (tmp_path / "sub").mkdir()
    clips = [video(tmp_path / "a.mp4"), video(tmp_path / "sub" / "a.mp4", 8)]
    before = [clip.read_bytes() for clip in clips]
    for out, name in ((tmp_path, "a.mp4"), (tmp_path / "sub", f"sub{os.sep}a.mp4")):
        result = run("track", tmp_path, "--out", out, "--video", option)
        assert_reply(result, 2, f"{name} and replace it", "choose another folder")
    assert [clip.read_bytes() for clip in clips] == before
    assert run("track", clips[0], "--out", tmp_path, option).exit_code == 0  # a table alone
    assert clips[0].read_bytes() == before[0]


def test_annotated_videos_of_earlier_runs_are_not_tracked(run: Run, tmp_path: Path) -> None:
    video(tmp_path / "a.mp4")
    out = tmp_path / "out"
    assert run("track", tmp_path, "--out", out, "--video").exit_code == 0
    result = run("track", tmp_path, "--out", out, "--video", "--resume")
    assert_reply(
        result,
        0,
        "results of earlier runs are not tracked: 1 left out",
        "done before: a.csv, a.mp4",
    )
    run("track", tmp_path, "--out", tmp_path / "other")
    run("track", tmp_path / "*" / "*.mp4", "--out", tmp_path / "other")
    assert sorted(p.name for p in (tmp_path / "other").iterdir()) == ["a.csv", "index.csv"]
    result = run("track", out / "a.mp4", "--out", tmp_path / "named")
    assert (tmp_path / "named" / "a.csv").is_file()


def test_two_inputs_with_the_same_name_get_two_tables(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    run(
        "track", video(tmp_path / "a.mp4"), video(tmp_path / "x" / "a.mp4"), "--out", tmp_path / "o"
    )
    assert sorted(p.name for p in (tmp_path / "o").iterdir()) == ["a-2.csv", "a.csv", "index.csv"]


def test_folders_are_searched_recursively(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in" / "deep"
    folder.mkdir(parents=True)
    video(folder / "ümläut 二.mp4")
    video(tmp_path / "in" / "b.mp4")
    assert run("track", tmp_path / "in", "--out", tmp_path / "o").exit_code == 0
    assert sorted(p.name for p in (tmp_path / "o").iterdir()) == [
        "b.csv",
        "index.csv",
        "ümläut 二.csv",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"plain text, no video\n" * 50, "not a video"),
    ],
    ids=["zero bytes", "text"],
)
def test_a_file_without_a_video_is_refused(
    run: Run, tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "x.mp4").write_bytes(content)
    assert_reply(run("track", tmp_path / "x.mp4", "--out", tmp_path / "o"), 2, "x.mp4", words)


def test_a_folder_without_videos_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert_reply(run("track", tmp_path / "empty", "--out", tmp_path / "o"), 2, "empty")


def test_a_truncated_video_is_refused(run: Run, tmp_path: Path) -> None:
    whole = video(tmp_path / "a.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    assert_reply(run("track", tmp_path / "cut.mp4", "--out", tmp_path / "o"), 2, "cut.mp4")


def test_a_file_with_only_sound_is_refused(run: Run, tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "s.m4a"), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        sound.sample_rate = 44100
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    assert_reply(run("track", tmp_path / "s.m4a", "--out", tmp_path / "o"), 2, "s.m4a", "sound")


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 2), (4320, 7680)], ids=str)
@pytest.mark.parametrize("pixel_format", ["grey", "16-bit", "alpha"])
def test_images_of_any_size_and_pixel_format_are_tracked(
    run: Run, tmp_path: Path, size: tuple[int, int], pixel_format: str
) -> None:
    import cv2

    shape, dtype = {
        "grey": (size, np.uint8),
        "16-bit": ((*size, 3), np.uint16),
        "alpha": ((*size, 4), np.uint8),
    }[pixel_format]
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(2 if size[0] < 1000 else 1):
        image = np.full(shape, 40, dtype)
        cv2.imwrite(str(folder / f"p{i}.png"), image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    result = run("track", folder, "--out", tmp_path / "o")
    assert result.exit_code == 0, result.output
    assert len(read_landmarks(tmp_path / "o" / "pictures.csv").frame) >= 1


def test_damage_in_the_middle_is_skipped_and_counted(run: Run, tmp_path: Path) -> None:
    clip = video(tmp_path / "a.avi", 60)
    content = bytearray(clip.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1500] = os.urandom(1500)
    clip.write_bytes(content)
    result = run("track", clip, "--out", tmp_path / "o")
    assert result.exit_code in (0, 1), result.output
    assert "Traceback" not in result.output
    table = read_landmarks(next((tmp_path / "o").glob("a*.csv")))
    assert len(table.frame) > 20


def test_an_output_folder_that_cannot_be_created_is_reported(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("track", video(tmp_path / "a.mp4"), "--out", tmp_path / "file" / "out")
    assert_reply(result, 2, "cannot be created", "--out")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_reported(run: Run, tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "a.csv.part").symlink_to("/dev/full")
    result = run("track", video(tmp_path / "a.mp4"), "--out", tmp_path / "o")
    assert_reply(result, 2, "disk is full")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--csv", "xml"], "unknown table format 'xml'"),
        (["--start", "abc"], "'abc' is no time"),
        (["--start", "00:00:01:12"], "'00:00:01:12' has frames, as a timecode has"),
        (["--start", "5", "--end", "2"], "not after"),
        (["--end", "0"], "not after"),
        (["--camera-mode", "big"], "1280x720@30"),
        (["--max-faces", "0"], "1 to 64"),
        (["--look-every", "0"], "--look-every"),
        (["--focal", "0"], "--focal must be 1 pixel or more"),
        (["--focal", "nan"], "--focal must be 1 pixel or more"),
        (["--recentre", "nose"], "fit or eyes"),
    ],
)
def test_invalid_options_are_reported(
    run: Run, tmp_path: Path, arguments: list[str], words: str
) -> None:
    clip = video(tmp_path / "a.mp4", 2)
    result = run("track", clip, "--out", tmp_path / "o", *arguments)
    assert_reply(result, 2, words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "nothing"], "unknown model 'nothing'"),
        (["--detector", "nothing"], "unknown model 'nothing'"),
        (["--stabilizer", "magic"], "unknown stabilizer 'magic'"),
        (["--model", "dan-lite", "--stabilizer", "convlstm"], "no convlstm stabilizer for"),
        (["--video", "--stabilizer", "butterworth"], "butterworth needs future frames"),
        (["--min-cutoff", "0"], "one-euro's min_cutoff_hz must be 1e-06 or more, not 0"),
        (["--beta", "nan"], "one-euro's beta must be 0 or more, not nan"),
        (["--cutoff", "-3"], "butterworth's cutoff_hz must be 1e-06 or more, not -3"),
        (["--device", "tpu"], "unknown device 'tpu'"),
        (["--detector", "mediapipe:none.tflite"], "no MediaPipe model file"),
    ],
)
def test_unknown_models_and_devices_are_reported(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    clip = video(tmp_path / "a.mp4", 2)
    result = CliRunner().invoke(
        cli.app, ["track", str(clip), "--out", str(tmp_path / "o"), *arguments]
    )
    assert_reply(result, 2, words)


@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_missing_or_altered_weights_are_reported(tmp_path: Path, damage: str) -> None:
    for suffix in (".onnx", ".json"):
        shutil.copy(weights_folder() / f"heatmap1d-lite{suffix}", tmp_path)
    weights = tmp_path / "heatmap1d-lite.onnx"
    if damage == "missing":
        weights.unlink()
    else:
        weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    clip = video(tmp_path / "a.mp4", 2)
    result = CliRunner().invoke(
        cli.app, ["track", str(clip), "--out", str(tmp_path / "o"), "--model", str(weights)]
    )
    assert_reply(result, 2, "heatmap1d-lite.onnx", "install Steadymark again")


def test_missing_cuda_is_reported(tmp_path: Path) -> None:
    clip = video(tmp_path / "a.mp4", 2)
    result = CliRunner().invoke(
        cli.app, ["track", str(clip), "--out", str(tmp_path / "o"), "--device", "cuda"]
    )
    if result.exit_code == 0:
        pytest.skip("CUDA works here")
    assert_reply(result, 2, "CUDA", "--device cpu")


def test_a_missing_camera_is_reported(run: Run, tmp_path: Path) -> None:
    if Path("/dev/video77").exists():
        pytest.skip("there is a camera 77 here")
    assert_reply(run("track", "camera:77", "--out", tmp_path / "o"), 2, "77")


def test_probe_prints_codec_size_and_frame_rate(run: Run, tmp_path: Path) -> None:
    result = run("probe", video(tmp_path / "a.mp4"))
    assert_reply(result, 0, "mpeg4", "320", "240", "25")


def test_probe_reports_a_file_that_is_not_a_video(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_text("text")
    assert_reply(run("probe", tmp_path / "x.mp4"), 2, "x.mp4")


def test_check_finds_a_truncated_row(run: Run, tmp_path: Path) -> None:
    run("track", video(tmp_path / "a.mp4"), "--out", tmp_path / "o")
    table = tmp_path / "o" / "a.csv"
    index = table.with_name("index.csv")
    index.write_text("input\n")
    assert_reply(run("check", table, index), 0, "valid", "the index of the other tables")
    lines = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([*lines[:8], lines[8][:50]]), encoding="utf-8")
    assert_reply(run("check", table), 1, "a.csv:9")


def test_models_lists_the_shipped_models(run: Run) -> None:
    listed = run("models")
    assert_reply(listed, 0, "heatmap1d-lite", "face_net", "licence")
    assert re.search(r"flow-cell +stabilizer +any .+ landmarks and optical flow", listed.output)
