"""Every exception this project raises on purpose.

    MonitorError
    ├── SettingsError              the configuration is unusable; the command line exits with 2
    ├── InputError                 an argument of a tool or command is not acceptable
    │   └── NotFoundError          it names something that does not exist, or may not be seen
    ├── RefusedError               the request is understood and not allowed here
    ├── RunaiError                 the Run:ai control plane could not answer
    │   ├── RunaiAuthError         the credentials were refused (401 after a refresh, 403, bad token answer)
    │   ├── RunaiNotFoundError     404
    │   ├── RunaiRejectedError     any other 4xx: the request itself is wrong for this server
    │   ├── RunaiUnavailableError  429, 5xx or the network, after the retries
    │   └── RunaiPayloadError      the answer is not what the API promises
    ├── KubeError                  the Kubernetes API could not answer
    │   ├── KubeForbiddenError     401 or 403
    │   ├── KubeNotFoundError      404
    │   ├── KubeUnavailableError   429, 5xx, the network, or no usable configuration
    │   │   └── KubeNotConfiguredError  there is no configuration at all: Kubernetes was never meant to be used
    │   └── WatchExpiredError      410: the resource version is too old, list again
    ├── StoreError                 the database could not be read or written
    └── DeliveryError              a channel did not take a message

The text of each is one sentence for a person and says what to do next; facts a program needs are attributes.
No message ever holds a secret.
"""

from __future__ import annotations


class MonitorError(Exception):
    """The root: whatever is raised on purpose is one of these."""


class SettingsError(MonitorError):
    """A setting is missing, unknown, of the wrong type or impossible."""


class InputError(MonitorError):
    """An argument is not acceptable; the text names it and the accepted range."""


class NotFoundError(InputError):
    """The named thing does not exist or may not be seen; the text names the nearest existing ones."""


class RefusedError(MonitorError):
    """The request was understood and is not allowed here; the text says what would allow it."""


class RunaiError(MonitorError):
    """The Run:ai control plane could not answer.

    Attributes:
        status: the HTTP status, or None when there was no answer.
        endpoint: the path that was asked, without query.
        retry_after_seconds: the pause the server asked for, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        endpoint: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.endpoint = endpoint
        self.retry_after_seconds = retry_after_seconds


class RunaiAuthError(RunaiError):
    """Credentials refused: by the token endpoint, by 401 after one refresh, or by 403."""


class RunaiNotFoundError(RunaiError):
    """Run:ai says 404."""


class RunaiRejectedError(RunaiError):
    """Run:ai rejects the request itself (a 4xx that is none of 401, 403, 404, 429)."""


class RunaiUnavailableError(RunaiError):
    """Run:ai could not be reached, was too busy or broke, and the retries are used up."""


class RunaiPayloadError(RunaiError):
    """The answer is not JSON or lacks what the API promises.

    Attributes:
        field: the missing or wrong field, or "" when the body is not JSON at all.
    """

    def __init__(self, message: str, *, endpoint: str, field: str = "", status: int | None = None) -> None:
        super().__init__(message, status=status, endpoint=endpoint)
        self.field = field


class KubeError(MonitorError):
    """The Kubernetes API could not answer.

    Attributes:
        status: the HTTP status, or None when there was no answer.
        resource: what was asked for, such as `pods` or `pods/log`.
        namespace: where, or None for cluster-wide requests.
        retry_after_seconds: the pause the server asked for, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        resource: str = "",
        namespace: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.resource = resource
        self.namespace = namespace
        self.retry_after_seconds = retry_after_seconds


class KubeForbiddenError(KubeError):
    """Not authenticated, or RBAC does not allow it."""


class KubeNotFoundError(KubeError):
    """The object does not exist (any more)."""


class KubeUnavailableError(KubeError):
    """The API server could not be reached, is overloaded, or no usable configuration was found."""


class KubeNotConfiguredError(KubeUnavailableError):
    """There is no configuration at all, so Kubernetes is not lost: it was never there."""


class WatchExpiredError(KubeError):
    """The resource version is too old (410 Gone): the watch must start again from a list."""


class StoreError(MonitorError):
    """The database could not be opened, read or written; nothing was stored."""


class DeliveryError(MonitorError):
    """A channel did not take a message.

    Attributes:
        retryable: whether the same message may succeed later.
        retry_after_seconds: the pause the channel asked for, or None.
    """

    def __init__(self, message: str, *, retryable: bool, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds
