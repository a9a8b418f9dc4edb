"""Passes the paths that only Keystone-NG has on to it, from inside Python Keystone's web server.

``Forward(app)`` is a WSGI application: requests for its paths go to Keystone-NG, all others to
``app``. ``keystone_ng_forward.keystone:application`` is Python Keystone wrapped in it, and
``filter_factory`` is for pipelines of Paste.
"""

from .forward import Forward
from .settings import Settings

__all__ = ["Forward", "Settings", "filter_factory"]


def filter_factory(global_conf, **local_conf):
    """A filter for Paste; options are those of :class:`Settings`, in lower case."""
    settings = Settings.from_options(local_conf)
    return lambda app: Forward(app, settings)
