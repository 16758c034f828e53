"""People in the photo: found or placed, rigged, moved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from bpy_extras.io_utils import ImportHelper
from mathutils import Vector
from numpy.typing import NDArray

from ..errors import StillscapeError, UsageError
from ..output import people as acting
from ..output import render
from ..rig_actions import ACTIONS, natural_frames
from ..rig_capture import capture_clip, read_capture
from ..scene import landmark_handles, notes, rig_play, rig_retarget
from ..scene.build import Built
from ..scene.rebuild import Rebuilt, photo_colour
from ..scene.rig import build_rigs, refit_rigs, remove_rig
from ..spec import RigSpec
from ..vision.face_edit import KINDS, from_clicks, snap_to_edge
from ..vision.files import shown, write_atomically
from ..vision.landmarks import Person, to_json
from ..vision.layered import read_layered
from ..vision.layering import grid_size
from ..vision.people import files_of
from ..vision.subject import find_people, read_people
from . import clicking, focus, scenery, setup
from .clicking import Clicking
from .layers import Recutting, owners, rigged_people, write_as_it_is
from .layout import draw_section, draw_text
from .preferences import machine
from .properties import to_spec
from .scenery import Scenery
from .setup import OnPhoto, has_photo
from .tasks import in_object_mode

_LOOKED_AT = 4_000_000  # pixels in which people are looked for
_PUT_AWAY = "stillscape_put_away"  # of an armature: hidden while landmarks are shown
_SNAP = 0.06  # how far a point may snap, in distances of the eyes
_CLICKS = ("the eye on the left of the picture", "the other eye", "the corner of the mouth on the left", "the other corner", "the chin")
_RIGHTS = "I have the right to animate the people in this photo"


# What the photo holds


def colour_of(photo: Scenery) -> NDArray[np.uint8]:
    """The photo as the scene has it, uint8 sRGB H×W×3, large enough to find people in. Raises a StillscapeError."""
    texture = scenery.texture(photo)
    if texture is None or texture.source == "SEQUENCE":
        raise StillscapeError(f"{photo.collection.name} has no photo to look into; people are rigged in photos, not in films.")
    return photo_colour(texture, grid_size(photo.notes.size, _LOOKED_AT))


def people_in(photo: Scenery) -> tuple[Person, ...]:
    """The people whose faces or bodies are known. Raises a StillscapeError where there are none."""
    found = notes.people_of(photo.root)
    if not found:
        raise UsageError("Nobody is known in this photo yet; choose Find People, or Place by Clicks.")
    return found


def rigs_meant(context: bpy.types.Context, photo: Scenery) -> list[bpy.types.Object]:
    """The rigs that an operator works on: the active one, else all of the photo. Raises a StillscapeError if there is none."""
    rigs = rig_play.rigs_under(photo.root)
    active = context.active_object
    if active is not None and active in rigs:
        return [active]
    if not rigs:
        raise UsageError("Nobody is rigged in this photo yet; choose Rig Face first.")
    return rigs


class STILLSCAPE_OT_confirm_rights(OnPhoto, bpy.types.Operator):
    bl_idname = "stillscape.confirm_rights"
    bl_label = "Confirm Rights"
    bl_description = (
        "Confirm that you have the right to let the people in this photo move: they agreed, or the law allows it. "
        "It is kept in this file for this photo, and films of rigged people say that a person was animated"
    )
    bl_options = {"REGISTER", "UNDO"}

    given: bpy.props.BoolProperty(name="I Have the Right", default=True, options={"SKIP_SAVE"})

    def on_photo(self, context: bpy.types.Context, photo: Scenery) -> set[str]:
        notes.set_consent(photo.root, self.given)
        return {"FINISHED"}


class STILLSCAPE_OT_find_people(OnPhoto, bpy.types.Operator):
    bl_idname = "stillscape.find_people"
    bl_label = "Find People"
    bl_description = "Look for faces in the photo and mark their eyes, brows, nose, mouth and chin"
    bl_options = {"REGISTER", "UNDO"}

    bodies: bpy.props.BoolProperty(name="Bodies", description="Look for shoulders, arms and legs, too", default=False)

    def on_photo(self, context: bpy.types.Context, photo: Scenery) -> set[str]:
        files = files_of(to_spec(context.scene.stillscape, machine()).rig)
        found = find_people(colour_of(photo), files, body=self.bodies)
        if not found:
            return self.refuse("No face was found in the photo; choose Place by Clicks and click at one.")
        notes.note_people(photo.root, found)
        _show_again(context, photo)
        self.report({"INFO"}, f"{len(found)} {'person' if len(found) == 1 else 'people'}: {', '.join(p.name for p in found)}")
        return {"FINISHED"}


class STILLSCAPE_OT_place_face(Clicking, bpy.types.Operator):
    bl_idname = "stillscape.place_face"
    bl_label = "Place by Clicks"
    bl_description = (
        "Click at both eyes, both corners of the mouth and the chin of a face that was not found: a person's, an animal's, a painted one"
    )
    bl_options = {"REGISTER", "UNDO"}

    kind: bpy.props.EnumProperty(
        name="Kind", description="Whose face it is", items=[(name, name.title(), f"The proportions of a {name}") for name in KINDS]
    )
    clicks: bpy.props.FloatVectorProperty(
        name="Clicks",
        description="Both eyes, both corners of the mouth and the chin: each from the left and from the top, in shares of the photo",
        size=10,
        options={"SKIP_SAVE"},
    )
    person: bpy.props.StringProperty(name="Person", description="Whose face is placed; a new person's if left empty", options={"SKIP_SAVE"})

    _places: list[tuple[float, float]]

    def begin(self, context: bpy.types.Context) -> None:
        self._places = []
        self._ask(context)

    def _ask(self, context: bpy.types.Context) -> None:
        number = len(self._places)
        context.workspace.status_text_set(f"Click {number + 1} of 5: {_CLICKS[number]}.  Backspace: one back.  Right-click or Esc: cancel")

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type == "BACK_SPACE" and event.value == "PRESS":
            self._places = self._places[:-1]
            self._ask(context)
            return {"RUNNING_MODAL"}
        return super().modal(context, event)

    def clicked(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        photo = scenery.active_scenery(context)
        point = None if photo is None else clicking.under_mouse(context, photo, event)
        if photo is None or point is None or point.y <= 1e-6:
            self.report({"WARNING"}, "There is nothing of the photo there; click at the photo")
            return {"RUNNING_MODAL"}
        self._places.append(clicking.share_of(photo, point))
        if len(self._places) < len(_CLICKS):
            self._ask(context)
            return {"RUNNING_MODAL"}
        self.end(context)
        self.clicks = [n for place in self._places for n in place]
        return self.execute(context)

    def on_photo(self, context: bpy.types.Context, photo: Scenery) -> set[str]:
        numbers = list(self.clicks)
        pairs = list(zip(numbers[::2], numbers[1::2]))
        face = from_clicks(photo.notes.size, *pairs, kind=self.kind)
        people = list(notes.people_of(photo.root))
        at = next((i for i, p in enumerate(people) if p.name == self.person), None)
        if at is None:
            taken = {p.name for p in people}
            name = self.person or next(name for n in range(1, len(people) + 2) if (name := f"Person {n}") not in taken)
            people.append(Person(name, face))
        else:
            people[at] = replace(people[at], face=face)
        notes.note_people(photo.root, tuple(people))
        _show_again(context, photo)
        return {"FINISHED"}


# Landmarks


def _point_finder(context: bpy.types.Context, photo: Scenery) -> Any:
    def point_at(place: tuple[float, float]) -> Vector | None:
        try:
            return focus.point_at(context, photo, place)
        except StillscapeError:
            return None

    return point_at


def _show_again(context: bpy.types.Context, photo: Scenery) -> None:
    """Make the handles anew, if they are shown."""
    if landmark_handles.handles(photo.root):
        _show_handles(context, photo)


def _show_handles(context: bpy.types.Context, photo: Scenery) -> int:
    distance = scenery.stage(photo).focus
    people = people_in(photo)
    made = landmark_handles.show(photo.root, photo.collection, photo.notes, people, _point_finder(context, photo), distance)
    for armature in rig_play.rigs_under(photo.root):  # its bones lie on the points, and would be picked instead
        if made and armature.visible_get():
            if context.view_layer.objects.active == armature:
                context.view_layer.objects.active = made[0]
            armature[_PUT_AWAY] = True
            armature.hide_set(True)
    return len(made)


def _hide_handles(context: bpy.types.Context, photo: Scenery) -> int:
    """Take the handles away and show the rigs again; return how many there were."""
    for armature in rig_play.rigs_under(photo.root):
        if _PUT_AWAY in armature:
            del armature[_PUT_AWAY]
            if armature.name in context.view_layer.objects:
                armature.hide_set(False)
    return landmark_handles.hide(photo.root)


class STILLSCAPE_OT_show_landmarks(OnPhoto, bpy.types.Operator):
    bl_idname = "stillscape.show_landmarks"
    bl_label = "Show Landmarks"
    bl_description = (
        "Show the points of the faces as small spheres that can be dragged; once more hides them. Rigs are out of the way meanwhile"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_photo(cls, context) and in_object_mode(cls, context)

    def on_photo(self, context: bpy.types.Context, photo: Scenery) -> set[str]:
        if not _hide_handles(context, photo) and not _show_handles(context, photo):
            return self.refuse("No face is known in this photo yet; choose Find People, or Place by Clicks.")
        return {"FINISHED"}


class STILLSCAPE_OT_apply_landmarks(OnPhoto, bpy.types.Operator):
    bl_idname = "stillscape.apply_landmarks"
    bl_label = "Apply Landmarks"
    bl_description = "Take over the points that were dragged. Rebuild Subject then fits the rig to them and keeps the animation"
    bl_options = {"REGISTER", "UNDO"}

    mirror: bpy.props.BoolProperty(name="X Mirror", description="Move the point on the other side of the face along", default=False)
    snap: bpy.props.BoolProperty(name="Snap to Edge", description="Move dragged points onto the nearest edge of the photo", default=False)

    def on_photo(self, context: bpy.types.Context, photo: Scenery) -> set[str]:
        people = people_in(photo)
        if not landmark_handles.handles(photo.root):
            return self.refuse("There are no landmarks to apply; choose Show Landmarks and drag them first.")
        if self.snap:
            colour = colour_of(photo)
            eyes = [p.face.eye_distance((colour.shape[1], colour.shape[0])) for p in people if p.face is not None]
            radius = _SNAP * min(eyes)
            found, count = landmark_handles.read(
                photo.root, photo.notes, people, mirror=self.mirror, snap=lambda place: snap_to_edge(colour, place, radius)
            )
        else:
            found, count = landmark_handles.read(photo.root, photo.notes, people, mirror=self.mirror)
        if not count:
            return self.refuse("No landmark was dragged; move some of the small spheres first.")
        notes.note_people(photo.root, found)
        _show_handles(context, photo)
        rigged = " Rebuild Subject fits the rig to them." if rig_play.rigs_under(photo.root) else ""
        self.report({"INFO"}, f"{count} {'landmark' if count == 1 else 'landmarks'} moved.{rigged}")
        return {"FINISHED"}


class STILLSCAPE_OT_save_landmarks(OnPhoto, bpy.types.Operator):
    bl_idname = "stillscape.save_landmarks"
    bl_label = "Save Landmarks"
    bl_description = "Write the landmarks to a file that the command line takes with --landmarks"
    bl_options = {"REGISTER"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        photo = scenery.active_scenery(context)
        self.filepath = f"{'landmarks' if photo is None else photo.collection.name}.json"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def on_photo(self, context: bpy.types.Context, photo: Scenery) -> set[str]:
        text = to_json(people_in(photo))
        path = Path(bpy.path.abspath(self.filepath))
        path = path if path.suffix.lower() == ".json" else path.with_name(f"{path.name}.json")
        write_atomically(path, lambda target: target.write_text(text, encoding="utf-8") and None)
        self.report({"INFO"}, f"Landmarks: {shown(path)}")
        return {"FINISHED"}


class STILLSCAPE_OT_load_landmarks(OnPhoto, bpy.types.Operator, ImportHelper):
    bl_idname = "stillscape.load_landmarks"
    bl_label = "Load Landmarks"
    bl_description = "Take the landmarks of a file, such as the command line writes"
    bl_options = {"REGISTER", "UNDO"}
    filename_ext = ".json"

    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    def on_photo(self, context: bpy.types.Context, photo: Scenery) -> set[str]:
        path = Path(bpy.path.abspath(self.filepath))
        found = read_people(path)
        if not found:
            return self.refuse(f"{shown(path)}: there is nobody in this file of landmarks.")
        notes.note_people(photo.root, found)
        _show_again(context, photo)
        self.report({"INFO"}, f"{len(found)} {'person' if len(found) == 1 else 'people'}")
        return {"FINISHED"}


# Rigging


class _Rigging(Recutting):
    """Mixin: cut the people out of the photo, let the rigs that are there follow, and rig those who have none."""

    kind = "face"

    def write(self, context: bpy.types.Context, photo: Scenery, place: Path) -> None:
        people = self.who(photo)
        if not notes.consents(photo.root) and any(p.face is not None for p in people):
            raise UsageError(f"Confirm first, in the Subject panel: {_RIGHTS}.")
        self.check_layers()
        _hide_handles(context, photo)
        write_as_it_is(photo, place, people)

    def who(self, photo: Scenery) -> tuple[Person, ...]:
        """The people who get a layer. Raises a StillscapeError if there is nobody to be rigged."""
        people = people_in(photo)
        if self.kind == "face":
            people = tuple(p for p in people if p.face is not None)
            if not people:
                raise UsageError("No face is known in this photo yet; choose Find People, or Place by Clicks.")
        names = {p.name for p in people}
        if names <= set(rigged_people(photo)):
            raise UsageError("Everybody in this photo is rigged already; choose Rebuild Subject, or Remove Rig first.")
        names |= set(owners(photo))
        return tuple(p for p in people_in(photo) if p.name in names)

    def done(self, context: bpy.types.Context, photo: Scenery, rebuilt: Rebuilt, place: Path) -> str:
        spec = to_spec(context.scene.stillscape, machine())
        spec = replace(spec, rig=replace(spec.rig, kind=self.kind))
        built = Built(
            str(photo.root[scenery.ID]), photo.collection, photo.root, photo.camera, rebuilt.layers, setup.shot_of(photo), photo.notes.film,
            scenery.aim(photo),
        )  # fmt: skip
        text = self.rig(read_layered(place), spec, built)
        if context.scene.camera == photo.camera:  # then Render Animation is this film
            render.set_note(context.scene, acting.note_of(photo.root))
        return text

    def rig(self, layered: Any, spec: Any, built: Built) -> str:
        before = refit_rigs(layered, built.root, built.layers)
        made = build_rigs(layered, spec, built, without=(*before.done, *before.lost))
        if not made:
            raise StillscapeError("Nobody could be cut out of the photo to be rigged; correct the landmarks, or paint the depth.")
        for armature in made:
            armature.select_set(True)
        if len(made) == 1:  # ready for Pose Mode; actions go to all of several
            bpy.context.view_layer.objects.active = made[0]
        return f"Rigged: {', '.join(armature.name for armature in made)}"


class STILLSCAPE_OT_rig_face(_Rigging, bpy.types.Operator):
    bl_idname = "stillscape.rig_face"
    bl_label = "Rig Face"
    bl_description = "Give every face that is known bones for head, jaw, lids, eyes, brows and lips, and 52 sliders"
    bl_options = {"REGISTER", "UNDO"}
    title = "Rig Face"


class STILLSCAPE_OT_rig_body(_Rigging, bpy.types.Operator):
    bl_idname = "stillscape.rig_body"
    bl_label = "Rig Body"
    bl_description = "Rig the faces, and the bodies as far as the photo shows them"
    bl_options = {"REGISTER", "UNDO"}
    title = "Rig Body"
    kind = "body"


class STILLSCAPE_OT_rebuild_subject(_Rigging, bpy.types.Operator):
    bl_idname = "stillscape.rebuild_subject"
    bl_label = "Rebuild Subject"
    bl_description = "Fit the rigs to the depth and the landmarks as they are now; weights, shape keys and animation are kept"
    bl_options = {"REGISTER", "UNDO"}
    title = "Rebuild Subject"
    kind = "body"

    def who(self, photo: Scenery) -> tuple[Person, ...]:
        if not rig_play.rigs_under(photo.root):
            raise UsageError("Nobody is rigged in this photo yet; choose Rig Face first.")
        there = set(owners(photo))  # those who were found since get no layer by this
        return tuple(p for p in people_in(photo) if p.name in there)

    def rig(self, layered: Any, spec: Any, built: Built) -> str:
        done, kept, _ = refit_rigs(layered, built.root, built.layers)
        if not done:
            raise StillscapeError("None of the rigged people could be cut out again; correct the landmarks, or paint the depth.")
        return f"Rebuilt: {', '.join(done)}" + (f"; kept {', '.join(kept)}" if kept else "")


class STILLSCAPE_OT_remove_rig(OnPhoto, bpy.types.Operator):
    bl_idname = "stillscape.remove_rig"
    bl_label = "Remove Rig"
    bl_description = "Take the rig away, of the selected person or of all, and show the photo's layer again"
    bl_options = {"REGISTER", "UNDO"}

    def on_photo(self, context: bpy.types.Context, photo: Scenery) -> set[str]:
        for armature in rigs_meant(context, photo):
            remove_rig(armature)
        if context.scene.camera == photo.camera:
            render.set_note(context.scene, acting.note_of(photo.root))
        return {"FINISHED"}


# Moving


class STILLSCAPE_OT_add_action(OnPhoto, bpy.types.Operator):
    bl_idname = "stillscape.add_action"
    bl_label = "Add Action"
    bl_description = "Let the person do something from the current frame on: keyframes that can be edited, in place of what is there"
    bl_options = {"REGISTER", "UNDO"}

    action: bpy.props.EnumProperty(
        name="Action",
        items=[(name, action.label, f"{action.label}, {action.seconds:g} seconds") for name, action in ACTIONS.items()],
        default="blink",
    )
    amount: bpy.props.FloatProperty(
        name="Amount", description="How strongly; the bones' limits hold in any case", default=1.0, min=0, max=4
    )
    seconds: bpy.props.FloatProperty(
        name="Seconds",
        description="How long it takes; as long as is natural, or the film lasts for what goes on evenly, if 0",
        min=0,
        soft_max=60,
    )
    seed: bpy.props.IntProperty(name="Seed", description="Another number gives other times for blinks and the like", min=0)

    def on_photo(self, context: bpy.types.Context, photo: Scenery) -> set[str]:
        start, fps = context.scene.frame_current, photo.notes.fps
        if self.seconds > 0:
            frames = max(1, round(self.seconds * fps)) + 1
        elif ACTIONS[self.action].loops:
            frames = max(natural_frames(self.action, fps), photo.notes.frames - start + 1)
        else:
            frames = natural_frames(self.action, fps)
        spec = acting.with_action(to_spec(context.scene.stillscape, machine()), self.action, kind="face", amount=self.amount)
        for number, armature in enumerate(rigs_meant(context, photo)):
            one = acting.clip_of(spec, frames, fps, seed=self.seed + number)
            assert one is not None
            rig_play.play(armature, one, start=start)
        return {"FINISHED"}


class STILLSCAPE_OT_load_capture(OnPhoto, bpy.types.Operator, ImportHelper):
    bl_idname = "stillscape.load_capture"
    bl_label = "Load Face Capture"
    bl_description = "Key the sliders and the head from a recording of a face with ARKit's names (CSV), as Live Link Face writes it"
    bl_options = {"REGISTER", "UNDO"}
    filename_ext = ".csv"

    filter_glob: bpy.props.StringProperty(default="*.csv", options={"HIDDEN"})
    amount: bpy.props.FloatProperty(name="Amount", description="How strongly; 1 is as recorded", default=1.0, min=0, max=4)

    def on_photo(self, context: bpy.types.Context, photo: Scenery) -> set[str]:
        rigs = rigs_meant(context, photo)
        path = Path(bpy.path.abspath(self.filepath))
        capture = read_capture(path)
        one = capture_clip(capture, photo.notes.fps, amount=self.amount, name=path.stem)
        for armature in rigs:
            rig_play.play(armature, one, start=context.scene.frame_current)
        last = context.scene.frame_current + one.frames - 1
        more = f"; the film ends at {photo.notes.frames}, set Frames in Camera Move" if last > photo.notes.frames else ""
        self.report({"INFO"}, f"{one.frames} frames, up to {last}{more}")
        return {"FINISHED"}


class STILLSCAPE_OT_make_rig_assets(OnPhoto, bpy.types.Operator):
    bl_idname = "stillscape.make_rig_assets"
    bl_label = "Add to Asset Browser"
    bl_description = (
        "Put every ready action into the asset browser of this file, as a pose and as a clip; once for each file. "
        "Catalogs for them are added to the catalog file in the folder of the .blend file"
    )
    bl_options = {"REGISTER", "UNDO"}

    def on_photo(self, context: bpy.types.Context, photo: Scenery) -> set[str]:
        made = rig_play.make_assets(rigs_meant(context, photo)[0], photo.notes.fps)
        said = f"{len(made)} assets" if made else "They are in the asset browser already"
        folder = catalog_folder(context)
        if folder is None:
            said += "; save the file and choose this again to give them catalogs"
        elif rig_play.write_catalogs(folder):
            said += f"; catalogs in {shown(folder / rig_play.CATALOG_FILE)}, seen once the file is opened again"
        self.report({"INFO"}, said)
        return {"FINISHED"}


def catalog_folder(context: bpy.types.Context) -> Path | None:
    """Where Blender looks for the catalogs of this file: the asset library that it lies in, else its own folder; None if unsaved."""
    if not bpy.data.filepath:
        return None
    folder = Path(bpy.data.filepath).resolve().parent
    libraries = [Path(bpy.path.abspath(one.path)).resolve() for one in context.preferences.filepaths.asset_libraries if one.path]
    return max((p for p in libraries if p == folder or p in folder.parents), key=lambda p: len(p.parts), default=folder)


class STILLSCAPE_OT_follow_rigify(OnPhoto, bpy.types.Operator):
    bl_idname = "stillscape.follow_rigify"
    bl_label = "Follow Rigify"
    bl_description = "Let the person move as a Rigify rig does: select that rig, too, or name it"
    bl_options = {"REGISTER", "UNDO"}

    rig: bpy.props.StringProperty(name="Rigify Rig", description="The armature that Rigify has generated", options={"SKIP_SAVE"})

    def on_photo(self, context: bpy.types.Context, photo: Scenery) -> set[str]:
        ours = rigs_meant(context, photo)
        others = [o for o in context.selected_objects if o.type == "ARMATURE" and not rig_play.is_rig(o)]
        found = bpy.data.objects.get(self.rig) if self.rig else others[0] if len(others) == 1 else None
        if found is None:
            return self.refuse("Select the rig that Rigify has generated along with the person, one of them.")
        for armature in ours:
            done = rig_retarget.follow(armature, found)
            without = f"; Rigify has no control for {', '.join(done.missing)}" if done.missing else ""
            self.report({"INFO"}, f"{len(done.bones)} bones of {armature.name} follow {found.name}{without}")
        return {"FINISHED"}


class STILLSCAPE_OT_unfollow_rigify(OnPhoto, bpy.types.Operator):
    bl_idname = "stillscape.unfollow_rigify"
    bl_label = "Stop Following"
    bl_description = "Let the person move by itself again"
    bl_options = {"REGISTER", "UNDO"}

    def on_photo(self, context: bpy.types.Context, photo: Scenery) -> set[str]:
        if not sum(rig_retarget.unfollow(armature) for armature in rigs_meant(context, photo)):
            return self.refuse("This person does not follow another rig.")
        return {"FINISHED"}


# The panel


def draw_subject(layout: bpy.types.UILayout, context: bpy.types.Context, photo: Scenery) -> None:
    """People, their landmarks, rigs and actions."""
    people = notes.people_of(photo.root)
    rigs = rig_play.rigs_under(photo.root)
    column = layout.column(align=True)
    for person in people:
        seen = "face" if person.face is not None and not person.joints else "face and body" if person.face is not None else "body"
        rigged = any(person.name in rig.name or rig.get("stillscape_person") == person.name for rig in rigs)
        column.label(text=f"{person.name} ({seen})", icon="OUTLINER_OB_ARMATURE" if rigged else "USER", translate=False)
    if not people:
        column.label(text="Nobody found yet", icon="USER")
    column = layout.column(align=True)
    column.operator("stillscape.find_people", icon="VIEWZOOM")
    column.operator_menu_enum("stillscape.place_face", "kind", text="Place by Clicks", icon="EYEDROPPER")
    if people:
        column = layout.column(align=True)
        on = bool(landmark_handles.handles(photo.root))
        column.operator("stillscape.show_landmarks", icon="HIDE_OFF" if on else "HIDE_ON", depress=on)
        if on:
            settings = context.scene.stillscape
            row = column.row(align=True)
            row.prop(settings, "landmark_mirror", toggle=True)
            row.prop(settings, "landmark_snap", text="Snap", toggle=True)
            apply = column.operator("stillscape.apply_landmarks", icon="CHECKMARK")
            apply.mirror, apply.snap = settings.landmark_mirror, settings.landmark_snap
    row = column.row(align=True)
    row.operator("stillscape.load_landmarks", text="Load Landmarks" if not people else "Load")
    if people:
        row.operator("stillscape.save_landmarks", text="Save")
        given = notes.consents(photo.root)
        column = layout.column()
        icon = "CHECKBOX_HLT" if given else "CHECKBOX_DEHLT"
        column.operator("stillscape.confirm_rights", text="I Have the Right", icon=icon, depress=given).given = not given
        draw_text(column, f"{_RIGHTS}. Films will say that a person was animated.", width=38)
        column = layout.column(align=True)
        column.active = given
        column.operator("stillscape.rig_face", icon="ARMATURE_DATA")
        column.operator("stillscape.rig_body", icon="OUTLINER_OB_ARMATURE")
    if rigs:
        column.operator("stillscape.rebuild_subject", icon="FILE_REFRESH")
        column.operator("stillscape.remove_rig", icon="X")


def draw_actions(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """What rigged people can do."""
    column = layout.column(align=True)
    column.operator_context = "EXEC_DEFAULT"
    column.operator_menu_enum("stillscape.add_action", "action", icon="ACTION")
    column = layout.column(align=True)
    column.operator("stillscape.load_capture", icon="IMPORT")
    column.operator("stillscape.make_rig_assets", icon="ASSET_MANAGER")
    row = column.row(align=True)
    row.operator("stillscape.follow_rigify", icon="CONSTRAINT_BONE")
    row.operator("stillscape.unfollow_rigify", text="", icon="X")
    draw_section(layout.column(), context.scene.stillscape.rig, RigSpec, only=("voice",))


_CLASSES = (
    STILLSCAPE_OT_confirm_rights, STILLSCAPE_OT_find_people, STILLSCAPE_OT_place_face, STILLSCAPE_OT_show_landmarks,
    STILLSCAPE_OT_apply_landmarks, STILLSCAPE_OT_save_landmarks, STILLSCAPE_OT_load_landmarks, STILLSCAPE_OT_rig_face,
    STILLSCAPE_OT_rig_body, STILLSCAPE_OT_rebuild_subject, STILLSCAPE_OT_remove_rig, STILLSCAPE_OT_add_action,
    STILLSCAPE_OT_load_capture, STILLSCAPE_OT_make_rig_assets, STILLSCAPE_OT_follow_rigify, STILLSCAPE_OT_unfollow_rigify,
)  # fmt: skip
register, unregister = bpy.utils.register_classes_factory(_CLASSES)
