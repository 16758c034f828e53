"""Rigs a drawn face in a real window of Blender with a real (virtual) mouse; exits 0 when every check has passed.

    python3 tests/install/window_subject.py drive FOLDER [--blender COMMAND] [--package NAME] [--path FOLDER ...]

Needs what window_paint.py needs and works as that does: five clicks place the face, a landmark is dragged, the face is rigged, posed,
animated, rebuilt and let go again. Pictures of the screen are left in FOLDER.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))  # Blender does not do that for a script

from window_hand import HEIGHT, WIDTH, Window, arguments, drive, expect, given, inside  # noqa: E402

SIZE = (360, 400)
EYES, MOUTH, CHIN = ((0.40, 0.43), (0.60, 0.43)), ((0.42, 0.63), (0.58, 0.63)), (0.50, 0.76)
"""Shares of the photo from its left and top."""
CLICKS = (*EYES, *MOUTH, CHIN)


def draw_face(folder: Path) -> None:
    """A face before a wall, face.png, and its distances in metres, depth.npy."""
    import cv2
    import numpy as np

    width, height = SIZE
    v, u = np.mgrid[0:height, 0:width]
    u, v = (u + 0.5) / width, (v + 0.5) / height
    photo = np.dstack([150 + 60 * v, 120 + 40 * u, 90 + 30 * v]).astype(np.uint8)
    metres = np.full((height, width), 3.0, np.float32)

    def at(place: tuple[float, float]) -> tuple[int, int]:
        return round(place[0] * width), round(place[1] * height)

    body = ((u - 0.5) / 0.42) ** 2 + ((v - 1.1) / 0.3) ** 2 < 1
    neck = (abs(u - 0.5) < 0.1) & (v > 0.6)
    head = ((u - 0.5) / 0.21) ** 2 + ((v - 0.47) / 0.29) ** 2
    photo[body], metres[body] = (90, 60, 40), 1.05
    photo[neck & ~body], metres[neck & ~body] = (120, 150, 190), 1.02
    photo[head < 1] = (130, 165, 215)
    metres[head < 1] = 1.0 - 0.09 * np.sqrt(1 - head[head < 1])
    photo[(head < 1) & (v < 0.3)] = (30, 40, 60)
    for eye in EYES:
        cv2.ellipse(photo, at(eye), (18, 9), 0, 0, 360, (240, 240, 240), -1, cv2.LINE_AA)
        cv2.circle(photo, at(eye), 8, (90, 60, 30), -1, cv2.LINE_AA)
        cv2.line(photo, at((eye[0] - 0.06, eye[1] - 0.06)), at((eye[0] + 0.06, eye[1] - 0.06)), (30, 40, 60), 5, cv2.LINE_AA)
    cv2.line(photo, at((0.5, 0.46)), at((0.5, 0.54)), (100, 130, 180), 5, cv2.LINE_AA)
    cv2.ellipse(photo, at((0.5, 0.63)), (29, 9), 0, 0, 360, (70, 70, 180), -1, cv2.LINE_AA)
    assert cv2.imwrite(str(folder / "face.png"), photo)
    np.save(folder / "depth.npy", metres)


class Rigging(Window):
    """The steps, as a generator: it yields what the hand should do, or a number of seconds to wait."""

    def __init__(self, folder: Path, package: str) -> None:
        self.folder = folder
        self.focus, self.scenery, self.tasks = (importlib.import_module(f"{package}.ui.{name}") for name in ("focus", "scenery", "tasks"))
        scene = ("landmark_handles", "notes", "rig", "compat")
        self.landmark_handles, self.notes, self.rig, self.compat = (importlib.import_module(f"{package}.scene.{name}") for name in scene)
        self.job, self.spec, self.landmarks = (
            importlib.import_module(f"{package}.{name}") for name in ("output.job", "spec", "vision.landmarks")
        )

    def build(self) -> None:
        import bpy

        draw_face(self.folder)
        depth = self.spec.DepthSpec(file=str(self.folder / "depth.npy"), kind="depth")
        spec = self.spec.SceneSpec(depth=depth, relief=self.spec.ReliefSpec(max_vertices=20_000))
        for thing in list(bpy.data.objects):
            bpy.data.objects.remove(thing)
        built = self.job.make_scene(self.folder / "face.png", spec, bpy.context.scene, lambda share, text: None, film=True)
        bpy.context.scene.stillscape.relief.max_vertices = 20_000
        bpy.context.view_layer.objects.active = built.layers[0]

    # Looking

    @property
    def photo(self):
        import bpy

        with self.override():
            found = self.scenery.active_scenery(bpy.context)
        assert found is not None
        return found

    @property
    def rigged(self) -> Any:
        found = self.rig.rigs_of(self.photo.root)
        return found[0] if found else None

    @property
    def face(self):
        """The points of the one person, N×2."""
        (person,) = self.notes.people_of(self.photo.root)
        return person.face.points

    def handle(self, index: int):
        return next(o for o in self.landmark_handles.handles(self.photo.root) if o["stillscape_landmark"] == index)

    def vertices(self):
        """The rigged mesh as posed, N×3 metres."""
        import bpy
        import numpy as np

        mesh = self.rigged.mesh.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
        found = np.empty(len(mesh.vertices) * 3, np.float32)
        mesh.vertices.foreach_get("co", found)
        return found.reshape(-1, 3)

    def on_screen(self, point) -> tuple[int, int]:
        """A point of the world as a point of the screen, y down."""
        from bpy_extras.view3d_utils import location_3d_to_region_2d

        region = self.region()
        at = location_3d_to_region_2d(region, self.area().spaces.active.region_3d, point)
        return round(region.x + at.x), HEIGHT - 1 - round(region.y + at.y)

    def shown_at(self, place: tuple[float, float]) -> tuple[int, int]:
        """Where the screen shows a place of the photo."""
        import bpy

        with self.override():
            point = self.focus.point_at(bpy.context, self.photo, place)
        return self.on_screen(self.photo.root.matrix_world @ point)

    # Doing

    def call(self, name: str, how: str = "EXEC_DEFAULT", **more: object) -> set[str]:
        import bpy

        with self.override():
            return getattr(bpy.ops.stillscape, name)(how, True, **more)

    def worked(self, name: str) -> Iterator:
        """Start one of the operators that work beside the window, and wait for its end."""
        expect(self.call(name) == {"FINISHED"} or self.tasks.current() is not None, f"{name} goes on beside the window")
        yield from self.until(lambda: self.tasks.current() is None, f"{name} comes to an end")
        yield 0.5

    def move(self, index: int, to: tuple[float, float]) -> Iterator:
        """Drag a landmark with the mouse to a place of the photo, as an artist does: click, G, move, click."""
        import bpy

        o = self.handle(index)
        start = self.on_screen(o.matrix_world.translation)
        yield {"do": "drag", "points": [start], "hold": 0.1}
        yield from self.until(lambda: self.handle(index).select_get(), "the click selects the landmark", 10)
        expect(self.window.view_layer.objects.active == self.handle(index), f"{self.handle(index).name} is picked with a click")
        here = self.landmark_handles.place_of(self.handle(index), self.photo.notes)
        ends = [self.shown_at(place) for place in (here, to)]
        yield {"do": "key", "key": "g", "at": start}
        yield from self.until(lambda: any(m.bl_idname == "TRANSFORM_OT_translate" for m in self.window.modal_operators), "G moves it", 10)
        goal = tuple(s + b - a for s, a, b in zip(start, *ends))
        yield {"do": "drag", "points": [goal], "hold": 0.1}
        yield from self.until(lambda: not self.window.modal_operators, "the click puts it down", 10)
        bpy.context.view_layer.update()
        now = self.landmark_handles.place_of(self.handle(index), self.photo.notes)
        away = max(abs(a - b) for a, b in zip(now, to))
        expect(away < 0.01, f"it stands where it was dragged to (within {away:.4f} of the photo)")

    def steps(self) -> Iterator:
        import bpy
        import numpy as np

        chin, pupils = self.landmarks.CHIN, (self.landmarks.RIGHT_PUPIL, self.landmarks.LEFT_PUPIL)
        yield 1.0
        yield {"do": "key", "key": "Escape", "at": (WIDTH // 2, HEIGHT // 2)}  # the splash screen
        self.build()
        view = self.area().spaces.active
        view.show_region_ui = True
        view.shading.type, view.shading.color_type = "SOLID", "TEXTURE"
        view.region_3d.view_perspective = "CAMERA"
        yield 1.0
        self.region("UI").active_panel_category = "Stillscape"
        with self.override():
            bpy.ops.view3d.view_center_camera()
        yield 1.0

        # Five clicks, one of which is taken back.
        expect(self.call("place_face", "INVOKE_DEFAULT", kind="person") == {"RUNNING_MODAL"}, "Place by Clicks waits for clicks")
        yield 0.3
        yield {"do": "drag", "points": [self.shown_at((0.3, 0.9))], "hold": 0.1}
        yield 0.3
        yield {"do": "key", "key": "BackSpace", "at": self.shown_at(CLICKS[0])}
        yield 0.3
        for place in CLICKS:
            expect(not self.notes.people_of(self.photo.root), "there is no face before the last click")
            yield {"do": "drag", "points": [self.shown_at(place)], "hold": 0.1}
            yield 0.3
        yield from self.until(lambda: self.notes.people_of(self.photo.root), "five clicks place a face", 10)
        found = self.face[[*pupils, chin]]
        away = np.abs(found - (*EYES, CHIN)).max()
        expect(away < 0.01, f"its eyes and chin are where the clicks went (within {away:.4f} of the photo)")

        expect(self.call("show_landmarks") == {"FINISHED"}, "Show Landmarks")
        yield 0.5
        yield {"do": "picture", "name": "0-landmarks"}
        to = (float(self.face[chin][0]), float(self.face[chin][1]) + 0.02)
        yield from self.move(chin, to)
        expect(self.call("apply_landmarks") == {"FINISHED"}, "Apply Landmarks")
        expect(np.abs(self.face[chin] - to).max() < 0.01, "the face's chin has moved along")

        # Rigged, beside the window.
        expect(self.call("confirm_rights") == {"FINISHED"}, "the right is confirmed")
        layers = [o.name for o in self.photo.layers]
        yield from self.worked("rig_face")
        expect(self.rigged is not None, "the face is rigged")
        sheet = self.rig.layer_of(self.rigged)
        expect(sheet.hide_viewport and not self.rigged.mesh.hide_viewport, f"{self.rigged.mesh.name} is seen in place of {sheet.name}")
        print(f"layers before {layers}, now {[o.name for o in self.photo.layers]}", flush=True)
        armature, rest = self.rigged.armature, self.vertices()
        yield {"do": "picture", "name": "1-rigged"}

        # A bone turned with R and the mouse, in pose mode.
        self.window.view_layer.objects.active = armature
        with self.override():
            bpy.ops.object.mode_set(mode="POSE")
            bpy.ops.pose.select_all(action="DESELECT")
        head = armature.pose.bones["head"]
        armature.data.bones.active = head.bone
        (head if bpy.app.version >= (5, 0) else head.bone).select = True
        yield 0.5
        x, y = self.on_screen(armature.matrix_world @ head.head)
        yield {"do": "key", "key": "r", "at": (x + 150, y)}
        yield from self.until(lambda: self.window.modal_operators, "R turns the bone", 10)
        yield {"do": "drag", "points": [(x + 148, y + 25)], "hold": 0.1}
        yield from self.until(lambda: not self.window.modal_operators, "the click ends the turn", 10)
        moved = np.abs(self.vertices() - rest).max(1)
        expect(moved.max() > 0.01, f"{(moved > 0.001).sum()} vertices go along with the head, by {moved.max():.3f} m at most")
        yield {"do": "picture", "name": "2-turned"}
        with self.override():
            bpy.ops.pose.rot_clear()
            bpy.ops.object.mode_set(mode="OBJECT")
        expect(np.abs(self.vertices() - rest).max() < 1e-5, "at rest it is as it was")

        armature["jawOpen"] = 1.0
        armature.update_tag()
        yield 0.3
        expect(np.abs(self.vertices() - rest).max() > 0.01, "the slider jawOpen opens the mouth")
        yield {"do": "picture", "name": "3-jaw"}
        armature["jawOpen"] = 0.0
        armature.update_tag()

        expect(self.call("add_action", action="blink") == {"FINISHED"}, "Add Action: blink")
        curves = {c.data_path: c for c in self.compat.fcurves(armature)}
        shut = max(curves['["eyeBlinkLeft"]'].keyframe_points, key=lambda p: p.co[1])
        bpy.context.scene.frame_set(round(shut.co[0]))
        yield 0.3
        expect(np.abs(self.vertices() - rest).max() > 0.002, f"the eyes are shut in frame {shut.co[0]:.0f}")
        yield {"do": "picture", "name": "4-blink"}
        bpy.context.scene.frame_set(1)

        # A landmark corrected afterwards: the rig follows and goes on moving.
        self.window.view_layer.objects.active = self.photo.root
        self.call("show_landmarks")
        yield 0.5
        yield from self.move(chin, CHIN)
        expect(self.call("apply_landmarks") == {"FINISHED"}, "Apply Landmarks")
        jaw = armature.data.bones["jaw"].tail_local.copy()
        yield from self.worked("rebuild_subject")
        expect(self.rigged is not None and self.rigged.armature == armature, "Rebuild Subject keeps the armature")
        expect((armature.data.bones["jaw"].tail_local - jaw).length > 0.001, "its jaw follows the landmark")
        expect({c.data_path for c in self.compat.fcurves(armature)} == set(curves), "and the blink stays")

        name = armature.name
        expect(self.call("remove_rig") == {"FINISHED"} and self.rigged is None, "Remove Rig")
        owned = [o for o in self.photo.layers if "stillscape_owner" in o]
        expect(owned and not any(o.hide_viewport for o in self.photo.layers), "and the person's layer is seen again")
        yield 0.5
        region = self.region()
        yield {"do": "key", "key": "ctrl+z", "at": (region.x + 300, HEIGHT - region.y - 100)}
        yield from self.until(lambda: self.rigged is not None and self.rigged.armature.name == name, "Ctrl-Z brings the rig back", 20)
        expect(self.rig.layer_of(self.rigged).hide_viewport, "with the layer hidden behind it")
        yield {"do": "picture", "name": "5-undone"}


def main() -> int:
    options = arguments(__doc__).parse_args(given())
    if options.part == "drive":
        return drive(options, Path(__file__))
    inside(options, lambda folder, package: Rigging(folder, package).steps())
    return 0


if __name__ == "__main__":
    status = main()
    if status:
        sys.exit(status)
