"""`python -m runai_monitor` is the command `runai-monitor`."""

from runai_monitor.cli import main

if __name__ == "__main__":
    main()
