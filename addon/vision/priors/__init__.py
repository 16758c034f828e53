"""What is known of photos without looking at them, and helps a small network out: the ground, the sky, faces, clear subjects.

Each file is one of them: functions on arrays, which leave everything as it is where they do not apply.
"""
