"""The routers of all resources: a new one is a word in this list."""

from fastapi import APIRouter

from anka_shim.api_key import endpoints as api_key
from anka_shim.auth_config import endpoints as auth_config
from anka_shim.browser_login import endpoints as browser_login
from anka_shim.devices import endpoints as devices
from anka_shim.distribution import endpoints as distribution
from anka_shim.group import endpoints as group
from anka_shim.http import docs, health
from anka_shim.http.application import combine
from anka_shim.image import endpoints as image
from anka_shim.logs import endpoints as logs
from anka_shim.mac_pool import endpoints as mac_pool
from anka_shim.node import endpoints as node
from anka_shim.package import endpoints as package
from anka_shim.permission import endpoints as permission
from anka_shim.portal.detail import endpoints as detail
from anka_shim.portal.event_log import endpoints as event_log
from anka_shim.portal.explain import endpoints as explain
from anka_shim.portal.history import endpoints as history
from anka_shim.portal.join import endpoints as join
from anka_shim.portal.pages import endpoints as portal_pages
from anka_shim.portal.session import endpoints as portal_session
from anka_shim.portal.stream import endpoints as portal_stream
from anka_shim.replicas import endpoints as replicas
from anka_shim.stats import endpoints as stats
from anka_shim.status import endpoints as status
from anka_shim.tap import endpoints as tap
from anka_shim.template import endpoints as template
from anka_shim.vm import endpoints as vm

_RESOURCES = (
    vm, node, group, template, distribution, image, logs, devices, status, stats, api_key, mac_pool, permission,
    auth_config, tap, health, replicas, package, docs,
)  # fmt: skip
_PORTAL = (portal_pages, portal_stream, portal_session, explain, detail, history, event_log, join)
ROUTERS: tuple[APIRouter, ...] = tuple(resource.router for resource in (*_RESOURCES, browser_login, *_PORTAL))

ROUTER = combine(ROUTERS)
