"""A SaveImage as a row. Pure."""

from anka_crds.api.save_image import SaveImage
from anka_shim.annotations import INSTANCE_ID
from anka_shim.catalog import Catalog, template_id
from anka_shim.portal.rows.row import Row, compact, requester, time


def save_row(save: SaveImage, id_: str, instance: str, ids: Catalog) -> Row:
    """`id_`, `instance`: ids in the REST API, of the request and of what it saves."""
    spec, status = save.spec, save.status
    script = status.script_result
    return compact(
        id=id_,
        name=save.metadata.name,
        namespace=save.metadata.namespace,
        created=time(save.metadata.creation_timestamp),
        instance=save.metadata.labels.get(INSTANCE_ID) or instance,
        phase=status.phase,
        node=status.node_name,
        tag=spec.tag,
        targetTemplate=template_id(save.target, ids) if save.target is not None else None,
        newTemplateName=spec.new_template_name,
        description=spec.description,
        error=status.error.message if status.error is not None else None,
        script=None if script is None else {"code": script.return_code, "timedOut": script.did_timeout},
        pushedAt=time(status.pushed_at),
        requestedBy=requester(save.metadata),
    )
