"""Paints depth in a real window of Blender with a real (virtual) mouse; exits 0 when every check has passed.

    python3 tests/install/window_paint.py drive FOLDER [--blender COMMAND] [--package NAME] [--path FOLDER ...]

The extension must be installed (BLENDER_USER_RESOURCES may name where), or --package addon --path REPOSITORY uses the
source as it is, with a further --path for a folder that holds cv2 if Blender's Python has none.

`drive` is plain Python: it opens a virtual screen, starts Blender in it with this same file, and does with xdotool what
Blender's part asks for. Blender's part builds a scene, asks for strokes and keys, and looks at the mesh in between.
Pictures of the screen are left in FOLDER. Needs Xvfb, xdotool and ffmpeg.
"""

from __future__ import annotations

import argparse
import importlib
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # Blender does not do that for a script

from window_hand import HEIGHT, arguments, emptied, expect, follow, given, in_window, inside, virtual_screen  # noqa: E402

NEAR, FAR = 1.0, 8.0


# Outside Blender -------------------------------------------------------------------------------------------------------


def drive(options: argparse.Namespace) -> int:
    """Run Blender on a virtual screen and be its hand."""
    folder = emptied(options.folder)
    with virtual_screen(options.display) as env:
        if env is None:
            return 1
        script = Path(__file__)
        status = follow(in_window(options, script, "paint", folder), env, folder)
        if status:
            return status
        # Again from the file, in a Blender that has never heard of the extension.
        check = [*shlex.split(options.blender), "-b", "--factory-startup", "--offline-mode", "--python-exit-code", "4"]
        env = {name: value for name, value in env.items() if name not in ("BLENDER_USER_RESOURCES", "PYTHONPATH")}
        reopen = ["-P", str(script.resolve()), "--", "reopened", str(folder)]
        return subprocess.run([*check, str(folder / "painted.blend"), *reopen], env=env).returncode


# Inside Blender --------------------------------------------------------------------------------------------------------


class Painting:
    """The steps, as a generator: it yields what the hand should do, or a number of seconds to wait."""

    def __init__(self, folder: Path, package: str) -> None:
        self.folder = folder
        self.live = importlib.import_module(package + ".ui.live")
        self.job = importlib.import_module(package + ".output.job")
        self.spec = importlib.import_module(package + ".spec")

    def build(self) -> None:
        import bpy
        import cv2
        import numpy as np

        rows, columns = np.mgrid[0:160, 0:240]
        photo = np.dstack([columns, rows, 255 - columns]).astype(np.uint8)
        photo[(rows // 20 + columns // 20) % 2 == 0] //= 2
        assert cv2.imwrite(str(self.folder / "paint.png"), photo)
        np.save(self.folder / "depth.npy", np.select([columns < 20, columns < 120], [1.0, 0.6], 0.0).astype(np.float32))
        depth = self.spec.DepthSpec(file=str(self.folder / "depth.npy"), kind="disparity", near=NEAR, far=FAR)
        # One sheet: strokes over near and far must all meet it.
        spec = self.spec.SceneSpec(depth=depth, layers=self.spec.LayersSpec(mode="off"), relief=self.spec.ReliefSpec(max_vertices=10_000))
        for thing in list(bpy.data.objects):
            bpy.data.objects.remove(thing)
        built = self.job.make_scene(self.folder / "paint.png", spec, bpy.context.scene, lambda share, text: None, film=True)
        self.layer_name = built.layers[0].name

    # Looking

    @property
    def layer(self):
        import bpy

        return bpy.data.objects[self.layer_name]

    @property
    def depth(self):
        return self.live.depth_of(self.layer)

    def pixels(self):
        import numpy as np

        values = np.empty(len(self.depth.pixels), np.float32)
        self.depth.pixels.foreach_get(values)
        return values.reshape(self.depth.size[1], self.depth.size[0], 4)

    def vertices(self):
        """N×3 evaluated vertices in the layer's own axes, y being the distance."""
        import bpy
        import numpy as np

        evaluated = self.layer.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found = np.empty(len(evaluated.data.vertices) * 3, np.float32)
        evaluated.data.vertices.foreach_get("co", found)
        return found.reshape(-1, 3)

    def uv(self):
        """N×2 UV of every vertex."""
        import numpy as np

        mesh = self.layer.data
        corner, vertex = np.empty(len(mesh.loops) * 2, np.float32), np.empty(len(mesh.loops), np.int32)
        mesh.uv_layers["Photo"].data.foreach_get("uv", corner)
        mesh.loops.foreach_get("vertex_index", vertex)
        found = np.empty((len(mesh.vertices), 2), np.float32)
        found[vertex] = corner.reshape(-1, 2)
        return found

    def fits(self) -> float:
        """Largest relative difference between the mesh as it is and what the pixels ask for."""
        import numpy as np

        pixels, uv = self.pixels(), self.uv()
        h, w = pixels.shape[:2]
        lookup = np.empty(len(uv) * 3, np.float32)
        self.layer.data.attributes["stillscape_lookup"].data.foreach_get("vector", lookup)
        lookup = lookup.reshape(-1, 3)
        found = self.vertices()[:, 1]
        best = np.full(len(found), np.inf)
        for x, y in ((-0.01, -0.01), (-0.01, 0.01), (0.01, -0.01), (0.01, 0.01)):  # on a texel's border either one will do
            texel = np.clip(np.floor(lookup[:, :2] * (w, h) + (x, y)).astype(int), 0, (w - 1, h - 1))
            d = np.clip(pixels[texel[:, 1], texel[:, 0], 0], 0, 1)
            z = 1 / (d * (1 / NEAR - 1 / FAR) + 1 / FAR)
            best = np.minimum(best, np.abs(found / z - 1))
        inside = ((uv > 0) & (uv < 1)).all(1) & (lookup[:, 2] == 0)  # what the layer shows of the photo
        return float(best[inside].max())

    # Where things are

    def area(self, kind: str):
        import bpy

        areas = [a for a in bpy.context.window_manager.windows[0].screen.areas if a.type == kind]
        return max(areas, key=lambda a: a.width * a.height)

    def region(self, kind: str):
        return next(r for r in self.area(kind).regions if r.type == "WINDOW")

    def screen(self, kind: str, point) -> tuple[int, int]:
        """A point of a region, y up, as a point of the screen, y down."""
        region = self.region(kind)
        return round(region.x + point[0]), HEIGHT - 1 - round(region.y + point[1])

    def nearest(self, uv) -> int:
        """The vertex nearest to a UV."""
        import numpy as np

        return int(np.abs(self.uv() - uv).sum(1).argmin())

    def in_view(self, uv) -> tuple[int, int]:
        """Where the viewport shows the displaced vertex nearest to a UV, on the screen."""
        from bpy_extras.view3d_utils import location_3d_to_region_2d
        from mathutils import Vector

        vertex = self.layer.matrix_world @ Vector(self.vertices()[self.nearest(uv)].tolist())
        point = location_3d_to_region_2d(self.region("VIEW_3D"), self.area("VIEW_3D").spaces.active.region_3d, vertex)
        return self.screen("VIEW_3D", point)

    def flat_uv_under(self, place: tuple[int, int]):
        """The UV of the point of the undisplaced sheet that the viewport would show at a point of the screen."""
        import numpy as np
        from bpy_extras.view3d_utils import region_2d_to_origin_3d, region_2d_to_vector_3d

        region, view = self.region("VIEW_3D"), self.area("VIEW_3D").spaces.active.region_3d
        at = (place[0] - region.x, HEIGHT - 1 - place[1] - region.y)
        inverse = self.layer.matrix_world.inverted()
        origin = inverse @ region_2d_to_origin_3d(region, view, at)
        towards = inverse.to_3x3() @ region_2d_to_vector_3d(region, view, at)
        hit = origin + towards * ((1 - origin.y) / towards.y)
        base = np.array([v.co for v in self.layer.data.vertices])
        return self.uv()[np.abs(base - np.array(hit)).sum(1).argmin()]

    # Doing

    def until(self, true: Callable[[], object]) -> Iterator[float]:
        """Wait until something is true, at most half a minute: the machine may have other things to do."""
        began = time.monotonic()
        while not true() and time.monotonic() - began < 30:
            yield 0.05

    def follow(self, what: str) -> Iterator[float]:
        """Wait until the mesh agrees with the pixels."""
        began = time.monotonic()
        yield from self.until(lambda: self.fits() <= 1e-4)
        expect(self.fits() <= 1e-4, f"{what}: the mesh followed within {time.monotonic() - began:.2f} s ({self.fits():.3g})")

    def stroke(self, what: str, points: list, hold: float = 0.1) -> Iterator:
        """A stroke, after which pixels must have changed and the mesh must have followed; leaves the change in `self.change`."""
        import numpy as np

        before, mesh = self.pixels(), self.vertices()
        yield {"do": "drag", "points": points, "hold": hold}
        yield 0.3
        yield from self.until(lambda: not self.live._stroke_is_running() and not np.array_equal(self.pixels(), before))
        self.change = np.abs(self.pixels() - before)[..., 0]
        touched = self.change > 0.02
        expect(touched.any(), f"{what}: the stroke from {points[0]} to {points[-1]} painted {touched.sum()} pixels")
        rows, columns = np.nonzero(touched)
        print(f"{what}: u {columns.min()}..{columns.max()}, v {rows.min()}..{rows.max()} of {touched.shape[::-1]}", flush=True)
        yield from self.follow(what)
        moved = np.abs(self.vertices()[:, 1] - mesh[:, 1])
        most = int(moved.argmax())
        then, now = mesh[most, 1], self.vertices()[most, 1]
        expect(moved.max() > 0.05, f"{what}: {(moved > 0.01).sum()} vertices moved, one from {then:.3f} m to {now:.3f} m")
        yield {"do": "picture", "name": what.replace(" ", "-")}

    def pick_focus(self, window) -> Iterator:  # noqa: ANN001
        """Click at what the camera should aim at."""
        import bpy
        import numpy as np

        view = self.area("VIEW_3D").spaces.active
        view.region_3d.view_perspective = "CAMERA"
        yield 1.0
        aim = next(o for o in bpy.data.objects if o.get("stillscape_role") == "aim")
        before = aim.matrix_world.translation.copy()
        uv = np.array((0.3, 0.6))
        with bpy.context.temp_override(window=window, area=self.area("VIEW_3D"), region=self.region("VIEW_3D")):
            expect(bpy.ops.stillscape.pick_focus("INVOKE_DEFAULT") == {"RUNNING_MODAL"}, "Pick Focus waits for a click")
        yield 0.5
        yield {"do": "picture", "name": "8-pick"}
        yield {"do": "drag", "points": [self.in_view(uv)], "hold": 0.1}
        yield from self.until(lambda: aim.matrix_world.translation != before)
        there = self.layer.matrix_world.inverted() @ aim.matrix_world.translation
        vertex = self.vertices()[self.nearest(uv)]
        away = float(np.abs(np.array(there) - vertex).max() / vertex[1])
        expect(away < 0.05, f"the aim stands where the photo was clicked at (within {away:.3f} of the distance)")
        camera = next(o for o in bpy.data.objects if o.type == "CAMERA")
        focused = camera.data.dof.focus_object
        expect(focused == aim or abs(camera.data.dof.focus_distance - there[1]) < 0.05 * there[1], "and the camera is focused on it")
        yield {"do": "picture", "name": "9-picked"}

    def steps(self) -> Iterator:
        import bpy
        import numpy as np

        window = bpy.context.window_manager.windows[0]
        yield 2.0
        window.workspace = bpy.data.workspaces["Texture Paint"]
        yield 2.0
        self.build()
        if not bpy.app.timers.is_registered(self.live.watch):
            self.live.register()
        with bpy.context.temp_override(window=window, area=self.area("VIEW_3D"), region=self.region("VIEW_3D")):
            window.view_layer.objects.active = self.layer
            # First the image editor, in a scene in which nothing was ever painted.
            expect(bpy.ops.stillscape.edit_depth_image() == {"FINISHED"}, "the Image Editor shows the depth map")
            expect(self.area("IMAGE_EDITOR").spaces.active.image == self.depth, "its image is the depth map")
            expect(bpy.ops.stillscape.paint_depth.poll(), "Paint Depth can be started")
            # What was built from this timer is no step of the undo history, unlike what an artist does with a button.
            bpy.ops.ed.undo_push(message="Build")
            expect(bpy.ops.stillscape.paint_depth("EXEC_DEFAULT", True) == {"FINISHED"}, "Paint Depth is started")
            tool = bpy.context.scene.tool_settings.image_paint
        unified = getattr(tool, "unified_paint_settings", None) or bpy.context.scene.tool_settings.unified_paint_settings
        unified.strength, unified.size = 1.0, 40
        print(f"brush: {tool.brush.name}, canvas: {tool.canvas.name}", flush=True)
        view = self.area("VIEW_3D").spaces.active
        view.shading.type = "MATERIAL"
        view.region_3d.view_perspective = "CAMERA"
        bpy.ops.wm.save_as_mainfile(filepath=str(self.folder / "painted.blend"))
        yield 3.0
        with bpy.context.temp_override(window=window, area=self.area("IMAGE_EDITOR"), region=self.region("IMAGE_EDITOR")):
            bpy.ops.image.view_all(fit_view=True)
        yield 1.0
        expect(self.fits() < 1e-4, f"the mesh is what the depth map says (within {self.fits():.1g})")
        yield {"do": "picture", "name": "0-before"}

        # Whether this Blender lets the mesh follow by itself.
        bpy.app.timers.unregister(self.live.watch)
        before = self.pixels()
        yield {"do": "drag", "points": [self.in_view((0.7, 0.4))], "hold": 0.1}
        yield 1.0
        expect(not np.array_equal(self.pixels(), before), "a dab is painted without the watcher")
        print(f"without the watcher the mesh is off by {self.fits():.2g}", flush=True)
        bpy.app.timers.register(self.live.watch, persistent=True)
        yield from self.follow("watching again")

        # What surely needs the watcher: in 5.2.2 Blender lets the mesh follow a stroke by itself, but not this.
        before, mesh = self.pixels(), self.vertices()
        for what in ("inverted", "inverted back"):
            with bpy.context.temp_override(window=window, area=self.area("IMAGE_EDITOR"), region=self.region("IMAGE_EDITOR")):
                bpy.ops.image.invert("EXEC_DEFAULT", True, invert_r=True, invert_g=True, invert_b=True)
            yield 0.1
            yield from self.follow(what)
            if what == "inverted":
                expect(np.abs(self.vertices() - mesh).max() > 1, "the mesh follows Image > Invert")
        expect(np.abs(self.pixels() - before).max() < 1e-5, "and comes back")

        yield from self.stroke("1 viewport", [self.in_view((0.2, 0.3)), self.in_view((0.35, 0.7))])
        expect(bpy.context.window_manager.windows[0].view_layer.objects.active.mode == "TEXTURE_PAINT", "painting goes on")
        painted = self.pixels()
        middle = self.in_view((0.5, 0.5))
        yield {"do": "key", "key": "ctrl+z", "at": middle}
        yield from self.until(lambda: not np.array_equal(self.pixels(), painted))
        expect(not np.array_equal(self.pixels(), painted), "Ctrl-Z takes the stroke back")
        yield from self.follow("undo")
        yield {"do": "key", "key": "ctrl+shift+z", "at": middle}
        yield from self.until(lambda: np.array_equal(self.pixels(), painted))
        expect(np.array_equal(self.pixels(), painted), "Ctrl-Shift-Z brings the stroke back")
        yield from self.follow("redo")

        yield from self.stroke("2 dab", [self.in_view((0.8, 0.75))], hold=0.05)

        # Past the photo's border the sheet goes on; UV that leave the image would come in again on its other side.
        yield from self.stroke("3 border", [self.in_view((0.7, 0.93)), self.in_view((0.7, 1.04))])
        rows = np.nonzero((self.change > 0.02).any(1))[0]
        expect(rows.max() == 159 and rows.min() > 80, f"a stroke over the border paints rows {rows.min()}..{rows.max()}, up to it")

        # From the side the displaced surface and the flat sheet are in different places.
        from mathutils import Quaternion

        view.region_3d.view_perspective = "PERSP"
        view.region_3d.view_rotation = Quaternion((0, 0, 1), -0.7) @ view.region_3d.view_rotation
        view.region_3d.view_location = (0.0, 3.0, 1.6)
        view.region_3d.view_distance = 4.0
        yield 1.0
        aim = np.array((0.12, 0.8))
        place = self.in_view(aim)
        flat = self.flat_uv_under(place)
        yield {"do": "picture", "name": "4-view"}
        print(f"view: matrix {[list(map(lambda x: round(x, 2), r)) for r in view.region_3d.view_matrix.inverted()]}", flush=True)
        yield from self.stroke("4 from the side", [place])
        rows, columns = np.nonzero(self.change > 0.5 * self.change.max())
        found = np.array((columns.mean() + 0.5, rows.mean() + 0.5)) / self.change.shape[::-1]
        print(f"aimed at uv {aim}, painted around uv {found.round(3)}; the flat sheet has uv {flat} there", flush=True)
        expect(np.abs(found - aim).max() < 0.04 < np.abs(found - flat).max(), "painting hits the surface that is seen, not the flat sheet")

        to_region = self.region("IMAGE_EDITOR").view2d.view_to_region
        ends = [self.screen("IMAGE_EDITOR", to_region(*uv, clip=False)) for uv in ((0.6, 0.2), (0.9, 0.35))]
        yield from self.stroke("5 image editor", ends)

        stamp = (self.folder / "painted.blend").stat().st_mtime_ns
        expect(self.depth.is_dirty, "the strokes are not saved yet")
        place = self.screen("VIEW_3D", (200, 200))
        yield {"do": "key", "key": "ctrl+s", "at": place}
        for _ in range(5):
            yield 2.0
            if (self.folder / "painted.blend").stat().st_mtime_ns != stamp:
                break
            # Blender 5.2 asks whether to save the modified images too, and Save is the button that Return presses.
            yield {"do": "picture", "name": "6-question"}
            yield {"do": "key", "key": "Return", "at": place}
        yield {"do": "picture", "name": "6-saved"}
        expect((self.folder / "painted.blend").stat().st_mtime_ns != stamp, "Ctrl-S has saved the file")
        expect(not self.depth.is_dirty and not bpy.data.is_dirty, "nothing unsaved is left")

        yield from self.stroke("7 after saving", ends[::-1][:1] + [self.screen("IMAGE_EDITOR", to_region(0.95, 0.9, clip=False))])
        expect(self.depth.is_dirty, "the last stroke is not saved yet")
        last = self.pixels()
        np.save(self.folder / "stroke.npy", last)
        np.save(self.folder / "mesh.npy", self.vertices())
        bpy.ops.wm.save_mainfile()  # asks nothing, so only the handler keeps the stroke
        expect(not self.depth.is_dirty and np.array_equal(self.pixels(), last), "saving without a question packs the stroke")

        with bpy.context.temp_override(window=window, area=self.area("VIEW_3D"), region=self.region("VIEW_3D")):
            expect(bpy.ops.stillscape.stop_painting() == {"FINISHED"}, "painting can be stopped")
        yield 1.5
        expect(self.layer.mode == "OBJECT" and np.array_equal(self.pixels(), last) and self.fits() < 1e-4, "everything stays as it is")
        yield from self.pick_focus(window)


def reopened(folder: Path) -> None:
    """In a Blender without the extension: the file holds the strokes, and the mesh follows them."""
    import bpy
    import numpy as np

    expect(not hasattr(bpy.types, "STILLSCAPE_OT_paint_depth"), "this Blender runs without the extension")
    image = next(i for i in bpy.data.images if i.get("stillscape_role") == "depth")
    values = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(values)
    expect(np.array_equal(values, np.load(folder / "stroke.npy").ravel()), "the reopened file holds every stroke, exactly")
    layer = next(o for o in bpy.data.objects if o.get("stillscape_role") == "layer")
    mesh = layer.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    found = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", found)
    expect(np.abs(found - np.load(folder / "mesh.npy").ravel()).max() < 1e-5, "its mesh is the painted one")
    scene = bpy.context.scene
    scene.cycles.samples = 1
    for name in ("rest", "side"):
        scene.render.filepath = str(folder / f"7-{name}.png")
        bpy.ops.render.render(write_still=True)
        frame = bpy.data.images.load(scene.render.filepath)
        values = np.empty(len(frame.pixels), np.float32)
        frame.pixels.foreach_get(values)
        picture = values.reshape(frame.size[1], frame.size[0], 4)[..., :3]
        if name == "rest":
            photo = picture
        scene.camera.animation_data_clear()
        scene.camera.location.x += 0.3
    expect(photo.std() > 0.1, "it renders")
    expect(np.abs(picture - photo).max() > 0.1, "and another view of it is another picture")


def main() -> int:
    options = arguments(__doc__, ("drive", "paint", "reopened")).parse_args(given())
    if options.part == "drive":
        return drive(options)
    if options.part == "paint":
        inside(options, lambda folder, package: Painting(folder, package).steps())
    else:
        reopened(options.folder)
    return 0


if __name__ == "__main__":
    status = main()
    if status:
        sys.exit(status)
