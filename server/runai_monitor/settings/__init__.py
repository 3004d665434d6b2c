"""Every setting: command line, then environment, then `.env`, then the YAML file, then the defaults.

`fields` says what there is, `loading` where it comes from.
"""

from runai_monitor.settings.fields import LOOPBACK_HOSTS, SHARED_NAMES, Settings
from runai_monitor.settings.loading import load_settings, variable_of

__all__ = ["LOOPBACK_HOSTS", "SHARED_NAMES", "Settings", "load_settings", "variable_of"]
