"""The object store in S3 or a compatible server. boto3's errors are translated here.

While a store is opened, a configuration mistake raises ConfigError with a one-line message. Later, every failure raises
LakeUnavailable.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from typing import Any

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as S3ConnectionError
from botocore.parsers import ResponseParserError

from tasks.errors import ConfigError, LakeUnavailable
from tasks.lake.objects.address import S3Config
from tasks.lake.objects.port import OCTETS, Body, MissingObject, ObjectInfo, check_range, checked_key, one_line
from tasks.values.display import without_userinfo

_BUCKET_AND_PREFIX = re.compile(r"[A-Za-z0-9._-]+(/(?!\.{1,2}(/|$))[A-Za-z0-9._=+-]+)*")
_S3_ERRORS = (BotoCoreError, Boto3Error, ClientError, ResponseParserError)
_ABSENT = {"NoSuchKey", "404", "NotFound"}
_REFUSED = {
    "NoSuchBucket": "the bucket does not exist",
    "InvalidBucketName": "not a valid bucket name",
    "AccessDenied": "the credentials may not list this bucket",
    "InvalidAccessKeyId": "unknown access key: see AWS_ACCESS_KEY_ID or AWS_PROFILE",
    "SignatureDoesNotMatch": "the secret key is wrong: see AWS_SECRET_ACCESS_KEY or AWS_PROFILE",
    "InvalidToken": "the session token is not valid: see AWS_SESSION_TOKEN",
    "ExpiredToken": "the session token has expired: see AWS_SESSION_TOKEN",
    "RequestTimeTooSkewed": "this machine's clock is wrong",
    "PermanentRedirect": "the bucket is in another region: set PRESSLAKE_S3_REGION",
    "AuthorizationHeaderMalformed": "the bucket is in another region: set PRESSLAKE_S3_REGION",
}


class S3Store:
    """Objects in one bucket below a prefix. One client, which threads may share."""

    def __init__(self, session: boto3.Session, bucket: str, prefix: str, config: S3Config) -> None:
        self._session = session
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._endpoint_url = config.endpoint_url
        self._region = config.region
        self._attempts = config.attempts
        self._client = _s3_client(session, config)

    @property
    def uri(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def put(self, key: str, body: Body, *, content_type: str = OCTETS) -> None:
        if not isinstance(body, bytes):
            body.seek(0)
        with self._errors("write", key):
            self._client.put_object(**self._address(key), Body=body, ContentType=content_type)

    def put_new(self, key: str, body: bytes) -> bool:
        with self._errors("write", key):
            try:
                self._client.put_object(**self._address(key), Body=body, IfNoneMatch="*")
            except ClientError as error:
                # 409: another conditional write was in progress; the one that ends first wins (S3, PutObject)
                if _code(error) in {"PreconditionFailed", "412"}:
                    return False
                if _code(error) == "ConditionalRequestConflict" and self.exists(key):
                    return False
                raise
            return True

    def get(self, key: str) -> bytes:
        with self._errors("read", key):
            content: bytes = self._client.get_object(**self._address(key))["Body"].read()
            return content

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        check_range(offset, length)
        wanted = f"bytes={offset}-{offset + length - 1}"
        with self._errors("read", key):
            try:
                content: bytes = self._client.get_object(**self._address(key), Range=wanted)["Body"].read()
            except ClientError as error:
                if _code(error) == "InvalidRange":
                    return b""
                raise
            return content

    def exists(self, key: str) -> bool:
        try:
            with self._errors("look at", key):
                self._client.head_object(**self._address(key))
        except MissingObject:
            return False
        return True

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        pages = self._client.get_paginator("list_objects_v2")
        with self._errors("list", prefix):
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                for found in page.get("Contents", ()):
                    key = found["Key"].removeprefix(self._prefix)
                    yield ObjectInfo(key=key, size=found["Size"], modified_at=found["LastModified"].astimezone(UTC))

    def delete(self, key: str) -> None:
        with self._errors("delete", key):
            self._client.delete_object(**self._address(key))

    def keeps_versions(self) -> bool | None:
        with self._errors("ask about", ""):
            try:
                answer = self._client.get_bucket_versioning(Bucket=self._bucket)
            except ClientError:  # this needs its own permission, and some servers do not support it
                return None
            return "Status" in answer  # a bucket with suspended versioning still has its old versions

    def delta_uri(self, table: str) -> str:
        return f"{self.uri}/{checked_key(table)}"

    def storage_options(self) -> dict[str, str] | None:
        """Return delta-rs's options, with boto3's current credentials; these expire, so call this for each table."""
        with self._errors("reach", ""):
            credentials = self._session.get_credentials().get_frozen_credentials()
        options = {
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "AWS_SESSION_TOKEN": credentials.token,
            "AWS_REGION": self._region,
            "AWS_ENDPOINT_URL": self._endpoint_url,
            "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false" if self._endpoint_url else None,
            "AWS_ALLOW_HTTP": "true" if (self._endpoint_url or "").startswith("http://") else None,
            "aws_conditional_put": "etag",  # a commit is a PUT that only one writer wins
            "connect_timeout": "3s",
            "timeout": "20s",
            "max_retries": str(self._attempts - 1),
            "retry_timeout": "60s",
        }
        return {name: value for name, value in options.items() if value is not None}

    def _address(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + checked_key(key)}

    @contextmanager
    def _errors(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except _S3_ERRORS as error:
            if isinstance(error, ClientError) and _code(error) in _ABSENT:
                raise MissingObject(key) from error
            raise LakeUnavailable(f"cannot {verb} {self.uri}/{key}: {one_line(error)}") from error


def open_s3(bucket: str, prefix: str, config: S3Config) -> S3Store:
    """Open a bucket below a prefix (or none); raises ConfigError when it cannot be used."""
    where = f"s3://{bucket}/{prefix}".rstrip("/")
    if not _BUCKET_AND_PREFIX.fullmatch(f"{bucket}/{prefix}".rstrip("/")):
        raise ConfigError(
            f"{without_userinfo(where)}: should be s3://bucket/prefix with only letters, digits and . _ = + -"
        )
    try:
        session = boto3.Session(region_name=config.region)
        endpoint_url = config.endpoint_url or _named_endpoint(session)
        # few attempts: a person is waiting, and a wrong address does not become right
        hasty = replace(config, endpoint_url=endpoint_url, attempts=min(config.attempts, 2))
        answer = _s3_client(session, hasty).list_objects_v2(Bucket=bucket, MaxKeys=1)
    except (*_S3_ERRORS, ValueError) as error:
        raise _opening_error(error, where, config) from error
    said = answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
    region = said or config.region or session.region_name or "us-east-1"
    return S3Store(session, bucket, prefix, replace(config, endpoint_url=endpoint_url, region=region))


def _named_endpoint(session: boto3.Session) -> str | None:
    """Return the endpoint that boto3's own configuration names (AWS_ENDPOINT_URL, a profile), if it is not AWS's."""
    url: str = session.client("s3").meta.endpoint_url
    return None if ".amazonaws.com" in url else url


def _s3_client(session: boto3.Session, config: S3Config) -> Any:  # noqa: ANN401 - boto3 has no types
    own: dict[str, Any] = {}
    if config.endpoint_url:
        # other servers may not support virtual-hosted buckets or the newer checksums
        own = {
            "s3": {"addressing_style": "path"},
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
        }
    options = Config(
        max_pool_connections=config.threads,
        retries={"mode": "standard", "total_max_attempts": config.attempts},
        connect_timeout=3,
        read_timeout=20,
        tcp_keepalive=True,
        **own,
    )
    return session.client("s3", endpoint_url=config.endpoint_url, region_name=config.region, config=options)


def _opening_error(error: Exception, where: str, config: S3Config) -> ConfigError | LakeUnavailable:
    if isinstance(error, ClientError):
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            return LakeUnavailable(f"{where}: {one_line(error)}")
        return ConfigError(f"{where}: {_REFUSED.get(_code(error), one_line(error))}")
    if isinstance(error, (HTTPClientError, S3ConnectionError)):
        at = f" at {config.endpoint_url}" if config.endpoint_url else ""
        return ConfigError(f"{where}: no response{at}: {one_line(error)}")
    return ConfigError(f"{where}: {one_line(error)}")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
