"""Describe an export in Croissant: metadata for loaders and catalogues of data sets. Pure.

Croissant 1.0, https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

from collections.abc import Sequence
from typing import Any

from tasks.export.request import Format
from tasks.values.columns import ArrayType, StructType, TableColumn

_TYPES = {
    "boolean": "sc:Boolean",
    "date": "sc:Date",
    "double": "sc:Float",
    "integer": "sc:Integer",
    "long": "sc:Integer",
    "string": "sc:Text",
    "timestamp": "sc:DateTime",
}
_ENCODINGS = {
    Format.JSONL: "application/jsonlines",
    Format.CSV: "text/csv",
    Format.PARQUET: "application/x-parquet",
    Format.WARC: "application/warc",
}
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_DESCRIPTION = (
    "News articles from a Presslake lake: one row per {row}, with text, metadata and the location of the page. "
    "The texts belong to their publishers; the columns tdm_reserved, noarchive and rights record what these say about use."
)


def croissant(
    form: Format,
    columns: Sequence[TableColumn],
    *,
    file: str,
    size: int,
    sha256: str,
    version: int,
    published: str | None,
    is_latest: bool,
) -> dict[str, Any]:
    """Return the metadata of an export of one file; `version` is the Delta table's, `published` a day."""
    node: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "presslake-articles",
        "description": _DESCRIPTION.format(row="article (its newest revision)" if is_latest else "revision"),
        "version": f"1.0.{version}",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": file,
                "name": file,
                "contentUrl": file,
                "contentSize": f"{size} B",
                "encodingFormat": _ENCODINGS[form],
                "sha256": sha256,
            }
        ],
    }
    if published is not None:
        node["datePublished"] = published
    if form is not Format.WARC:
        node["recordSet"] = [
            {
                "@type": "cr:RecordSet",
                "@id": "articles",
                "name": "articles",
                "field": [_field(column, file, form) for column in columns],
            }
        ]
    return node


def _field(column: TableColumn, file: str, form: Format) -> dict[str, Any]:
    # CSV has lists as JSON in one cell
    is_list = isinstance(column.type, ArrayType) and form is not Format.CSV
    element = column.type.element if isinstance(column.type, ArrayType) else column.type
    node: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"articles/{column.name}",
        "name": column.name,
        "description": column.meaning,
        "dataType": "sc:Text" if isinstance(column.type, ArrayType | StructType) else _TYPES[str(element)],
        "source": {"fileObject": {"@id": file}, "extract": {"column": column.name}},
    }
    return {**node, "repeated": True} if is_list else node
