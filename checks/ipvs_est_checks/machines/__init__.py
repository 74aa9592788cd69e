"""State machines: random histories, a deliberately naive model and the system side by side.

    from ipvs_est_checks.machines.run import run_machines

Each machine is also a test: `TestX = XMachine.TestCase`.
"""
