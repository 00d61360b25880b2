"""Machines of the sandbox: what user data would do on the instances of the AWS emulator, as far as Rancher is concerned.

No user data are ever run. They are read: assignments, and the `docker run` of a Rancher agent (`reading.py`). A machine that
runs joins the simulated Rancher with them, and takes itself out of it, or is lost, when it goes (`world.py`).
"""
