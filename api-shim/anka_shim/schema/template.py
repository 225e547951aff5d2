"""/api/v1/registry, as documented."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from anka_shim.schema.envelope import Answer, Failed, Succeeded


class Version(Answer):
    number: int = Field(ge=0)
    tag: str
    config_file: str
    nvram: str
    images: list[str]
    state_files: list[str]
    description: str
    state_file: str
    size: int = Field(ge=0, description="Bytes.")
    arch: str = Field(description="Empty: the template's.")
    last_pull: int = Field(ge=0, description="Seconds since 1970; 0 for never.")
    last_push: int = Field(ge=0)


class TemplateRowV1(Answer):
    """With apiVer=v1."""

    id: str
    name: str


class TemplateRow(Answer):
    id: str = Field(examples=["0bf1a7e8-be95-43d9-a0c8-68c6aed0f2dd"])
    name: str = Field(examples=["jenkins"])
    size: int = Field(ge=0, description="Bytes.", examples=[16427892736])
    arch: str = Field(examples=["amd64"])
    last_pull: int = Field(ge=0, description="Seconds since 1970; 0 for never.", examples=[1727209082])
    last_push: int = Field(ge=0, examples=[1721141574])


class Template(TemplateRow):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "d937553f-ab5f-405a-8d91-198f5001794e",
                    "name": "14.5-arm64-teamcity",
                    "versions": [
                        {
                            "number": 0,
                            "tag": "v1",
                            "config_file": "d937553f-ab5f-405a-8d91-198f5001794e.yaml",
                            "nvram": "nvram",
                            "images": ["ac34d3acee6549b2bf4822a82546d04d.ank"],
                            "state_files": ["a5058396218943858021cb37b31c718c.ank"],
                            "description": "",
                            "state_file": "a5058396218943858021cb37b31c718c.ank",
                            "size": 28655484928,
                            "arch": "",
                            "last_pull": 1727208044,
                            "last_push": 1725265564,
                        }
                    ],
                    "size": 28655484928,
                    "arch": "arm64",
                    "last_pull": 1727208044,
                    "last_push": 1725265564,
                }
            ]
        }
    )

    versions: list[Version] = Field(description="In the order of pushes: the last is the latest.")


class TemplateListOk(Succeeded):
    body: list[TemplateRow] | list[TemplateRowV1]


class OneTemplateOk(Succeeded):
    body: Template


class Disk(Answer):
    model_config = ConfigDict(json_schema_extra={"examples": [{"total": 994662584320, "free": 306762862592}]})

    total: int = Field(ge=0, description="Bytes.")
    free: int = Field(ge=0, description="Bytes.")


class DiskOk(Succeeded):
    body: Disk


class RevertTemplate(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"tag": "p120190904183122"}]})

    tag: str | None = Field(default=None, description="Tag, if not in the query.")


class RevertedOk(Succeeded):
    body: None


TemplateList = TemplateListOk
Reverted = RevertedOk | Failed
OneTemplate = OneTemplateOk | Failed
DiskAnswer = DiskOk | Failed
