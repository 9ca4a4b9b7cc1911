"""Vex beside other libraries, whole searches: see ../README.md."""
