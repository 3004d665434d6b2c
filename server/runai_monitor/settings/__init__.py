"""Every setting: command line, then environment, then `.env`, then the YAML file, then the defaults.

`fields` says what there is (`channels` and `routes` in modules of their own), `loading` where it comes from.
"""

from runai_monitor.settings.addresses import LOOPBACK_HOSTS
from runai_monitor.settings.fields import SHARED_NAMES, Settings
from runai_monitor.settings.loading import load_settings, variable_of

__all__ = ["LOOPBACK_HOSTS", "SHARED_NAMES", "Settings", "load_settings", "variable_of"]
