"""Python Keystone with the filter before it, configured by the environment.

For uWSGI: ``--module keystone_ng_forward.keystone:application``.
"""

from keystone.wsgi.api import application as _keystone

from .forward import Forward
from .settings import Settings

application = Forward(_keystone, Settings.from_environment())
