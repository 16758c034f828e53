"""Imports photos in a real window of Blender, with real (virtual) keys; exits 0 when every check has passed.

    python3 tests/install/window_import.py drive FOLDER [--blender COMMAND] [--package NAME] [--path FOLDER ...]
    python3 tests/install/window_import.py drive FOLDER --picture PHOTO
    python3 tests/install/window_import.py drive FOLDER --network NETWORK --worker-python PYTHON

Needs what window_paint.py needs and works as that does. While the work goes on, a timer counts how often Blender's window
gets its turn. With --picture it only imports that photo and leaves a picture of the screen, which docs/window.png is made of. With --network
it imports photos whose depth that network finds in that Python, which must have torch.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # Blender does not do that for a script

from window_hand import EXTENSION, Window, arguments, drive, expect, given, inside  # noqa: E402

LARGE = (6000, 4000)
"""Size of the photos of the tests, in pixels: what a camera of today makes, and some seconds of work."""
SLOW = 20.0
"""Seconds after which the window counts as stuck. The figures themselves are printed and not judged: machines are shared."""


class Pulse:
    """Notes when Blender's window gets its turn."""

    INTERVAL = 0.02  # seconds

    def __init__(self, doing: Callable[[], str]) -> None:
        """doing: says what is going on at the moment."""
        import bpy

        self._doing = doing
        self._beats: list[tuple[float, str]] = []
        bpy.app.timers.register(self._beat, persistent=True)

    def _beat(self) -> float:
        self._beats.append((time.monotonic(), self._doing()))
        return self.INTERVAL

    def since(self, began: float) -> tuple[float, float, str]:
        """Beats per second, and the longest time between two of them in seconds with what was going on, from `began` to now."""
        now = time.monotonic()
        beats = [(began, "before"), *(b for b in self._beats if b[0] > began), (now, "")]
        longest = max((b[0] - a[0], a[1]) for a, b in zip(beats, beats[1:]))
        return (len(beats) - 2) / (now - began), *longest


def contents() -> dict[str, list[str]]:
    """What the file holds, by name."""
    import bpy

    kinds = ("objects", "meshes", "images", "materials", "collections", "scenes", "cameras", "node_groups", "actions", "worlds")
    return {kind: sorted(x.name for x in getattr(bpy.data, kind) if x.name != "Render Result") for kind in kinds}


def settings() -> dict[str, object]:
    """The scene's own settings."""
    import bpy

    scene = bpy.context.window_manager.windows[0].scene
    found: dict[str, object] = {"camera": scene.camera.name, "world": scene.world.name, "frame": scene.frame_current}
    for name in ("render", "cycles", "eevee", "view_settings", "display_settings"):
        group = getattr(scene, name)
        for p in group.bl_rna.properties:
            if p.type in ("BOOLEAN", "INT", "FLOAT", "STRING", "ENUM") and not getattr(p, "is_array", False):
                found[f"{name}.{p.identifier}"] = getattr(group, p.identifier)
    return found | {name: getattr(scene, name) for name in ("name", "frame_start", "frame_end")}


def difference(a: dict, b: dict) -> dict:
    return {key: (a[key], b[key]) for key in a if a[key] != b[key]}


class Importing(Window):
    """The steps, as a generator: it yields what the hand should do, or a number of seconds to wait."""

    WAIT = 0.01

    def __init__(self, folder: Path, package: str, picture: Path | None, network: Path | None, python: str) -> None:
        self.folder, self.picture, self.network, self.python = folder, picture, network, python
        self.process, self.tasks, self.results, self.scenery = (
            importlib.import_module(f"{package}.ui.{name}") for name in ("process", "tasks", "results", "scenery")
        )
        self.preferences = importlib.import_module(f"{package}.ui.preferences")
        self.live = importlib.import_module(f"{package}.ui.live")
        self.pulse = Pulse(lambda: getattr(self.tasks.current(), "message", "nothing of ours"))

    # Looking

    def middle(self, kind: str = "VIEW_3D") -> tuple[int, int]:
        """The middle of an editor, as a point of the screen, y down."""
        area = self.area(kind)
        return area.x + area.width // 2, self.window.height - 1 - (area.y + area.height // 2)

    def photo(self):
        import bpy

        with self.override():
            return self.scenery.active_scenery(bpy.context)

    def relief(self):
        """N distances of the evaluated vertices of the photo's first layer."""
        import bpy
        import numpy as np

        mesh = self.photo().layers[0].evaluated_get(bpy.context.evaluated_depsgraph_get()).data
        found = np.empty(len(mesh.vertices) * 3, np.float32)
        mesh.vertices.foreach_get("co", found)
        return found.reshape(-1, 3)[:, 1]

    def brightness(self) -> dict[str, float]:
        """Mean of the pixels of every image of ours."""
        import bpy
        import numpy as np

        found = {}
        for image in bpy.data.images:
            if "stillscape_role" in image:
                values = np.empty(len(image.pixels), np.float32)
                image.pixels.foreach_get(values)
                found[image.name] = round(float(values.reshape(-1, 4)[:, :3].mean()), 4)
        return found

    # Doing

    def key(self, key: str, kind: str = "VIEW_3D") -> Iterator:
        yield {"do": "key", "key": key, "at": self.middle(kind)}

    def make_photo(self, name: str, seed: int) -> Path:
        import cv2
        import numpy as np

        random = np.random.default_rng(seed)
        small = random.integers(30, 225, (40, 60, 3), np.uint8)
        path = self.folder / name
        assert cv2.imwrite(str(path), cv2.resize(small, LARGE, interpolation=cv2.INTER_CUBIC), [cv2.IMWRITE_JPEG_QUALITY, 90])
        return path

    def start(self, photo: Path, **more: object) -> None:
        import bpy

        with self.override():
            result = bpy.ops.stillscape.import_photo("INVOKE_DEFAULT", True, filepath=str(photo), **more)
        expect(result == {"FINISHED"} and self.tasks.current() is not None, "the import goes on beside the window")

    def alive(self, pid: int) -> bool:
        """Whether a process is there; one that has ended and was not yet waited for is not."""
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    def watched(self, what: str, least: float) -> Iterator[float]:
        """Go through an import to its end, and see how often the window has its turn; least: turns a second beside the worker."""
        began = time.monotonic()
        yield from self.until(lambda: self.tasks.current() is None or self.tasks.current().share >= 0.95, f"{what}: the layers")
        rate, longest, doing = self.pulse.since(began)
        seconds = time.monotonic() - began
        expect(rate >= least, f"{what}: the window had {rate:.0f} turns a second in the {seconds:.1f} s of the worker")
        expect(longest < SLOW, f"{what}: it waited for {longest:.2f} s at most ({doing})")
        began = time.monotonic()
        yield from self.until(lambda: self.tasks.current() is None, f"{what}: the scene")
        built = time.monotonic() - began
        yield 1.0
        _, longest, doing = self.pulse.since(began)
        expect(longest < SLOW, f"{what}: the scene was built in {built:.2f} s; the window waited for {longest:.2f} s at most ({doing})")

    def sidebar(self) -> Iterator[float]:
        area = self.area("VIEW_3D")
        area.spaces.active.show_region_ui = True
        yield 0.5
        region = next(r for r in area.regions if r.type == "UI")
        region.active_panel_category = "Stillscape"
        yield 0.5

    def steps(self) -> Iterator:
        import bpy

        bpy.context.preferences.view.show_splash = False
        yield 2.0
        yield from self.key("Escape")  # the splash screen, if it is there
        yield 1.0
        if self.picture is not None:
            yield from self.take_picture()
            return
        yield from self.sidebar()
        if self.network is not None:
            yield from self.networks()
            return
        self.window.scene.stillscape.depth.estimator = "plane"  # whose layers are known
        bpy.ops.ed.undo_push(message="Depth Source")
        yield 0.5
        yield from self.import_and_undo()
        yield from self.cancel()
        yield from self.browse()
        yield from self.film()
        yield from self.rebuild()
        yield from self.load()

    def import_and_undo(self) -> Iterator:
        import bpy
        import numpy as np

        before, own = contents(), settings()
        self.start(self.make_photo("first.jpg", 1), strength=0.5)
        expect(contents() == before, "nothing is in the file yet")
        yield from self.until(lambda: self.tasks.current().share > 0, "progress")
        yield {"do": "picture", "name": "1-progress"}
        yield from self.watched("import", 1)
        yield {"do": "picture", "name": "2-imported"}
        after, bright, relief = contents(), self.brightness(), self.relief()
        expect("first" in after["collections"] and {"first Depth", "first Film Texture"} <= set(bright), f"the scene is there: {bright}")
        expect(np.ptp(relief) > 1, f"its relief goes from {relief.min():.2f} to {relief.max():.2f} m at {len(relief)} vertices")
        expect(settings() == own, "the scene's own settings are untouched")

        yield from self.key("ctrl+z")
        yield from self.until(lambda: contents() != after, "Ctrl-Z")
        yield 0.5
        expect(contents() == before, f"one Ctrl-Z takes everything back {difference(before, contents())}")
        yield {"do": "picture", "name": "3-undone"}
        yield from self.key("ctrl+shift+z")
        yield from self.until(lambda: contents() != before, "Ctrl-Shift-Z")
        yield 1.0
        expect(contents() == after, f"Ctrl-Shift-Z brings everything back {difference(after, contents())}")
        expect(self.brightness() == bright, f"with its textures: {self.brightness()}")
        expect(np.allclose(self.relief(), relief), "and with its relief")
        expect(all(i.packed_file is not None for i in bpy.data.images if "stillscape_role" in i), "which are packed")
        yield {"do": "picture", "name": "4-redone"}

    def cancel(self) -> Iterator:
        before = contents()
        photo = self.make_photo("second.jpg", 2)
        yield 5.0  # what was redone is drawn in several passes
        self.start(photo)
        began = time.monotonic()
        yield from self.until(lambda: self.tasks.current().share > 0.1, "progress")
        yield 1.0
        rate = self.pulse.since(began)[0]
        expect(rate >= 1, f"with a photo in view the window had {rate:.0f} turns a second beside the worker")
        worker = self.process._busy[0]
        pid = worker._process.pid
        expect(self.alive(pid), "the worker works")
        pressed = [self.folder / f"done-{n}" for n in range(200)]
        seen = {p for p in pressed if p.exists()}
        yield from self.key("Escape")
        at = min(p.stat().st_mtime for p in pressed if p.exists() and p not in seen)
        if self.tasks.current() is None:
            noticed = "before the hand had let go of the key"
        else:
            yield from self.until(lambda: self.tasks.current() is None, "Esc is heard", 30)
            noticed = f"{time.time() - at:.2f} s after the key"
        yield from self.until(lambda: not self.alive(pid), "the worker is gone", 30)
        expect(not self.alive(pid), f"Esc was heard {noticed}, and the worker was gone after {time.time() - at:.2f} s")
        yield from self.until(lambda: not self.process._ending and not worker.folder.exists(), "its files are gone", 30)
        expect(contents() == before, "nothing was built")
        left = [p.name for p in self.results._session().iterdir()]
        expect(len(left) == 1, f"no half-made layers are left, only those of the first photo: {left}")
        yield {"do": "picture", "name": "5-cancelled"}

    def browse(self) -> Iterator:
        """As an artist does it: through the file browser."""
        import bpy

        before = contents()
        photo = self.make_photo("third.jpg", 3)
        bpy.context.preferences.view.filebrowser_display_type = "SCREEN"
        with self.override():
            bpy.ops.stillscape.import_photo("INVOKE_DEFAULT", True)
        yield 1.5
        params = self.area("FILE_BROWSER").spaces.active.params
        params.directory = str(photo.parent).encode()
        params.filename = photo.name
        yield 1.5
        yield {"do": "picture", "name": "6-browser"}
        yield from self.key("Return", "FILE_BROWSER")
        yield from self.until(lambda: self.tasks.current() is not None, "the import has started", 10)
        expect(contents() == before, "the file browser leaves it to the worker")
        # Where OpenGL is software, Blender draws the first photo's million vertices meanwhile, anew after the browser.
        yield from self.watched("import through the file browser", 1)
        after = contents()
        expect("third" in after["collections"], "the chosen photo is there")
        yield from self.key("ctrl+z")
        yield from self.until(lambda: contents() != after, "Ctrl-Z")
        yield 0.5
        expect(contents() == before, f"one Ctrl-Z takes it back {difference(before, contents())}")

    def film(self) -> Iterator:
        import bpy

        yield 1.0
        scene = self.window.scene
        scene.stillscape.render.use_size, scene.stillscape.render.size = True, (640, 426)
        scene.stillscape.render.samples = 1
        scene.stillscape.render.frame_range = "1-4"
        before, own = contents(), settings()
        target = self.folder / "film.mp4"
        with self.override():
            expect(bpy.ops.stillscape.render_film("INVOKE_DEFAULT", True, filepath=str(target)) == {"RUNNING_MODAL"}, "a film begins")
        began = time.monotonic()
        yield from self.until(lambda: self.tasks.current() is None, "the film")
        seconds = time.monotonic() - began
        rate, longest, _ = self.pulse.since(began)
        yield 0.5
        expect(target.stat().st_size > 1000, f"the film is there after {seconds:.1f} s; {rate:.0f} turns a second")
        expect(longest < SLOW, f"the window waited for {longest:.2f} s at most")
        expect(settings() == own and contents() == before, "and everything else is as it was")
        yield {"do": "picture", "name": "7-film"}

        scene.stillscape.render.frame_range = ""
        target = self.folder / "cancelled.mp4"
        with self.override():
            bpy.ops.stillscape.render_film("INVOKE_DEFAULT", True, filepath=str(target))
        yield from self.until(lambda: self.tasks.current().share > 0.02, "a frame of the film")
        yield from self.key("Escape")
        at = time.monotonic()
        yield from self.until(lambda: self.tasks.current() is None, "Esc is heard", 10)
        expect(True, f"Esc has ended the film {time.monotonic() - at:.2f} s after the key")
        yield 0.5
        expect(settings() == own and contents() == before and not target.exists(), "and everything is as it was")

    def rebuild(self) -> Iterator:
        """The depth is changed, and the layers are cut anew."""
        import bpy
        import numpy as np

        image = self.live.depth_of(self.photo().layers[0])
        width, height = image.size
        values = np.empty(width * height * 4, np.float32)
        image.pixels.foreach_get(values)
        values.reshape(height, width, 4)[height // 3 : height // 2, width // 3 : width // 2, :3] = 0.9
        image.pixels.foreach_set(values)
        image.update()
        bpy.ops.ed.undo_push(message="Paint")
        yield 2.0
        before, count = contents(), len(self.photo().layers)
        with self.override():
            result = bpy.ops.stillscape.rebuild_layers("INVOKE_DEFAULT", True)
        expect(result == {"RUNNING_MODAL"} and self.tasks.current() is not None, "Rebuild Layers goes on beside the window")
        yield from self.watched("rebuild", 1)
        after = contents()
        expect(len(self.photo().layers) == count + 1, f"there is a layer more: {[o.name for o in self.photo().layers]}")
        yield {"do": "picture", "name": "8-rebuilt"}
        yield from self.key("ctrl+z")
        yield from self.until(lambda: contents() != after, "Ctrl-Z")
        yield 0.5
        expect(contents() == before, f"one Ctrl-Z takes it back {difference(before, contents())}")

    def load(self) -> Iterator:
        """Another file is opened while the worker works."""
        import bpy

        self.start(self.make_photo("fourth.jpg", 4))
        yield from self.until(lambda: self.tasks.current().share > 0, "progress")
        pid = self.process._busy[0]._process.pid
        bpy.ops.wm.read_homefile(use_factory_startup=True)
        yield from self.until(lambda: not self.alive(pid) and not self.process._ending, "the worker is gone", 30)
        expect(self.tasks.current() is None, "opening another file ends the import and its worker")
        expect("fourth" not in contents()["collections"], "and builds nothing in it")

    def networks(self) -> Iterator:
        """A depth network in a Python of the user's: checked, used, still warm for the second photo, cancelled."""
        import bpy

        machine = self.preferences.machine()
        machine.worker_python = self.python
        with self.override():
            bpy.ops.stillscape.check_python("INVOKE_DEFAULT")
        yield from self.until(lambda: self.tasks.current() is None, "the check")
        found = machine.python_found
        expect("torch" in found and "transformers" in found and "Missing" not in found, f"the check says: {found}")
        depth = self.window.scene.stillscape.depth
        depth.estimator, depth.network = "network", str(self.network)
        yield 0.5
        workers = set()
        for number, name in enumerate(("first.jpg", "second.jpg"), 1):
            self.start(self.make_photo(name, number))
            yield from self.until(lambda: self.process._busy, "a worker")
            workers.add(self.process._busy[0]._process.pid)
            expect(self.process._busy[0].python == self.python, "it runs in the chosen Python")
            if number == 1:
                yield from self.until(lambda: self.tasks.current().share > 0.1, "progress")
                yield {"do": "picture", "name": "n1-progress"}
            yield from self.watched(name, 10)
            expect(name.removesuffix(".jpg") in contents()["collections"], "the scene is there")
        expect(len(workers) == 1, "one worker made both")
        yield {"do": "picture", "name": "n2-imported"}
        self.start(self.make_photo("third.jpg", 3))
        yield from self.until(lambda: self.tasks.current().share > 0.1, "progress")
        worker = self.process._busy[0]
        pid = worker._process.pid
        asked = time.monotonic()
        yield from self.key("Escape")
        yield from self.until(lambda: not self.alive(pid), "the worker is gone", 30)
        expect(
            "third" not in contents()["collections"],
            f"Esc ended it, the worker was gone {time.monotonic() - asked:.1f} s after the hand set out",
        )
        bpy.ops.screen.userpref_show("INVOKE_DEFAULT")
        yield 1.0
        bpy.context.preferences.active_section = "ADDONS"
        bpy.context.window_manager.addon_search = "Stillscape"
        with bpy.context.temp_override(window=bpy.context.window_manager.windows[-1]):
            bpy.ops.preferences.addon_expand(module=EXTENSION)
        yield 2.0
        yield {"do": "picture", "name": "n3-preferences"}

    def take_picture(self) -> Iterator:
        import bpy

        assert self.picture is not None
        for name in ("Cube", "Light", "Camera"):
            bpy.data.objects.remove(bpy.data.objects[name])
        self.start(self.picture, move="orbit")
        yield from self.until(lambda: self.tasks.current() is None, "the scene")
        photo = self.photo()
        scene, space = self.window.scene, self.area("VIEW_3D").spaces.active
        # As "Use for Render" does it, so that the viewport shows the colors of the film.
        with self.override():
            bpy.ops.stillscape.set_up_render("EXEC_DEFAULT", True)
        scene.frame_set(60)
        space.region_3d.view_perspective = "CAMERA"
        space.show_region_toolbar = False
        space.overlay.show_overlays = False
        space.show_gizmo = False
        photo.camera.data.passepartout_alpha = 0.9
        yield from self.sidebar()
        space.shading.type = "RENDERED"
        space.region_3d.view_camera_zoom, space.region_3d.view_camera_offset = 2, (0.1, 0)  # beside the sidebar
        yield 15.0
        yield {"do": "picture", "name": "window"}


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--picture", type=Path, help="import this photo and take a picture of the window, nothing else")
    parser.add_argument("--network", type=Path, help="import photos with this depth network, nothing else")
    parser.add_argument("--worker-python", default="", help="the Python that it runs in")
    options = parser.parse_args(given())
    picture, network = options.picture, options.network
    if options.part == "drive":
        more: list[object] = [] if network is None else ["--network", network.resolve(), "--worker-python", options.worker_python]
        more += [] if picture is None else ["--picture", picture.resolve()]
        return drive(options, Path(__file__), tuple(more))
    inside(options, lambda folder, package: Importing(folder, package, picture, network, options.worker_python).steps())
    return 0


if __name__ == "__main__":
    status = main()
    if status:
        sys.exit(status)
