"""An AnkaTemplate as a row. Pure."""

from anka_crds.api.template import AnkaTemplate
from anka_shim.catalog import Catalog, group_id
from anka_shim.portal.rows.row import Row, compact, time, why_not_ready


def template_row(template: AnkaTemplate, ids: Catalog) -> Row:
    metadata, spec, status = template.metadata, template.spec, template.status
    return compact(
        id=metadata.name,
        name=status.name or metadata.name,
        displayName=spec.display_name,
        deleted=time(metadata.deletion_timestamp),
        arch=status.arch,
        sizeBytes=status.size_bytes,
        lastPull=time(status.last_pull),
        lastPush=time(status.last_push),
        latestTag=status.latest_tag,
        versions=[
            compact(
                number=one.number,
                tag=one.tag,
                description=one.description,
                sizeBytes=one.size_bytes,
                lastPull=time(one.last_pull),
                lastPush=time(one.last_push),
                created=time(one.creation_date),
            )
            for one in status.versions
        ],
        nodes=[compact(node=one.node_name, tag=one.tag) for one in status.nodes],
        rules=[
            compact(
                tag=rule.tag,
                version=rule.version,
                groups=[group_id(word, ids) for word in rule.groups],
                nodes=rule.nodes,
            )
            for rule in spec.distribution
        ],
        **why_not_ready(template),
    )
