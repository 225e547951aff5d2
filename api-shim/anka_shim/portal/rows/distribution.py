"""A TemplateDistribution as a row. Pure."""

from anka_crds.api.distribution import TemplateDistribution
from anka_shim.catalog import Catalog, group_id, template_id
from anka_shim.portal.rows.row import Row, compact, requester, time, why_not_ready


def distribution_row(obj: TemplateDistribution, ids: Catalog) -> Row:
    spec, status, template = obj.spec, obj.status, obj.status.template
    id_ = template.id if template is not None else template_id(spec.template, ids)
    known = ids.template(id_)
    return compact(
        id=obj.metadata.name,
        name=obj.metadata.name,
        created=time(obj.metadata.creation_timestamp),
        template=compact(
            id=id_,
            name=(template.name if template is not None else None)
            or (known.status.name if known is not None else None),
            tag=(template.tag if template is not None else None) or spec.tag,
            version=template.version if template is not None and template.version is not None else spec.version,
        ),
        action=spec.action,
        phase=status.phase,
        nodes=[
            compact(node=one.node_name, percent=one.progress_percent, done=one.done, message=one.message)
            for one in status.nodes
        ],
        wantedNodes=spec.nodes,
        group=group_id(spec.group, ids) if spec.group is not None else None,
        permissionGroup=spec.permission_group,
        finished=status.finished or 0,
        waiting=status.waiting or 0,
        progress=status.progress or "",
        cancelled=spec.cancelled,
        finishedAt=time(status.finished_at),
        requestedBy=requester(obj.metadata),
        **why_not_ready(obj),
    )
