"""The switch of the portal."""

from anka_shim.http.feature_dependency import FeatureDependency
from anka_shim.settings import ShimSettings

PORTAL = FeatureDependency(ShimSettings, lambda settings: settings.portal, "the portal is off (--no-portal)")
