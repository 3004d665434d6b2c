"""What processes say of services outside: refused credentials, limits, names, certificates, connections.

The words are those of requests, urllib3, huggingface_hub, botocore, Azure's and Google's clients, database drivers, and
the tools of an image (curl, wget, pip, apt, git, BusyBox).
"""

from __future__ import annotations

from runai_monitor.diagnosis.rules.log_sign import LogSign, log_sign

_OF_RANKS = r"\bNCCL (?:WARN|INFO|error)|\bibv_\w+|\bmlx5"
"""The words of the transports between ranks: no service is meant."""
SERVICES: tuple[LogSign, ...] = (
    log_sign(
        "credential_rejected", "an outside service refused the credentials",
        "renew the credential, and pass it as a Run:ai credential or secret (environmentVariables); for a gated model, ask for access with that account",
        both=r"\b(?:401|403) Client Error|\bERROR 40[13]: |returned error: 40[13]\b|\b40[13] (?:GET|POST|PUT|HEAD) https?://|access a gated repo|HTTP Error 40[13]|\bHTTP/[\d.]+ 40[13]\b|status(?: code|_code|Code)?[ :=]{1,3}40[13]\b|GatedRepoError|"
        r"Access to model (?P<detail>[\w./-]+) is restricted|\(Access ?Denied\)|\bAccessDenied: |\(InvalidAccessKeyId\)|\(SignatureDoesNotMatch\)|\(RequestTimeTooSkewed\)|\(Expired ?Token\w*\)|\((?:403|401)\) when calling|"
        r"\((?:Unauthorized|Forbidden)\)|password authentication failed for user|[Aa]uthentication failed for 'https?://|could not read Username for|Permission denied \(publickey|"
        r"API key is invalid|[Ii]ncorrect API key|[Ii]nvalid (?:API key|credentials|user token)|UNAUTHENTICATED|PERMISSION_DENIED:|Access denied for user|"
        r"user is not logged in|do not have permission to access the requested resource|[Bb]ad credentials|[Ff]ailed to authenticate the request|"
        r"ErrorCode: ?Auth(?:entication|orization)\w*|not authorized to perform|WRONGPASS|NOAUTH |[Aa]uthentication failed\.|denied: requested access to the resource",
        unless=r"\[Errno 13\]|\bEACCES\b|\(?os error 13\b|OS error 13",
        raised=r"^(?:\w+\.)*(?:\w*AuthenticationError|GatedRepoError|AccessDenied\w*|AuthenticationFailed\w*|Unauthorized\w*|RefreshError)\b", confidence=0.9, through=True,
    ),
    log_sign(
        "rate_limited", "an outside service limits the requests",
        "ask less often (cache, mirror, fewer ranks that download), or authenticate for a higher limit",
        both=r"\b429 Client Error|HTTP Error 429|\bERROR 429: |returned error: 429\b|Too Many Requests|\(SlowDown\w{0,12}\)|\(Throttling\w*\)|\(TooManyRequests\w*\)|[Rr]ate limit (?:exceeded|reached)",
        raised=r"^(?:\w+\.)*(?:RateLimitError|TooManyRequests)\b|status(?: code|_code)?[ :=]{1,3}429\b", confidence=0.9, through=True,
    ),
    log_sign(
        "dns_failure", "a host name could not be resolved",
        "check the name, and the cluster's DNS from a pod of this namespace (nslookup)",
        both=r"\[Errno -[235]\]|Name or service not known|Temporary failure in name resolution|NameResolutionError|Failed to resolve '(?P<detail>[\w.-]+)'|"
        r"getaddrinfo (?:failed|ENOTFOUND|EAI_AGAIN)|[Cc]ould not resolve host(?:name)?|[Cc]ould not resolve '|Temporary failure resolving|unable to resolve host|\bbad address '|DNS resolution failed|ENOTFOUND|EAI_AGAIN|"
        r"Error -[235] connecting to|ClientConnectorDNSError|no such host|\blookup \S+(?: on \S+)?: [^\n]{0,160}(?:i/o timeout|server misbehaving)|server can't find |no servers could be reached|host not found in upstream|UnknownHostException|nodename nor servname",
        confidence=0.9, through=True,
    ),
    log_sign(
        "tls_error", "a TLS connection could not be trusted or made",
        "check the certificate and the clock; add the company's CA to the image (SSL_CERT_FILE, REQUESTS_CA_BUNDLE)",
        both=r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|SSLCertVerificationError|SSLError|x509: |SSLHandshakeException|PKIX path building failed|"
        r"TLSV1_ALERT\w*|WRONG_VERSION_NUMBER|SSL certificate problem|certificate has expired|tls: (?:handshake failure|failed to verify)",
        confidence=0.9, through=True,
    ),
    log_sign(
        "connection_refused", "a connection was refused",
        "check that the service runs and listens on that host and port, and that no network policy is in between",
        both=r"\[Errno 111\]|\b[Cc]onnection refused\b|ConnectionRefusedError|ECONNREFUSED|\bOs \{ code: 111\b|errno: 111|Error 111 connecting|couldn't connect to server|Couldn't connect to server",
        confidence=0.88, through=True, unless=_OF_RANKS,
    ),
    log_sign(
        "connection_timeout", "a connection timed out",
        "check the route to that host: proxy (HTTPS_PROXY), firewall, network policy",
        both=r"\[Errno 110\]|\b[Cc]onnection timed out\b|ConnectTimeout\w*|Read timed out|ReadTimeout\w*|ETIMEDOUT|[Oo]peration timed out|\bTimeout was reached|^curl: \(28\)|\bOs \{ code: 110\b|"
        r"client socket has timed out after|Connect timeout on endpoint|i/o timeout|timeout expired$|(?:read|connect|handshake|write) operation timed out|StatusCode\.DEADLINE_EXCEEDED|"
        r"Timeout connecting to server|timeout occurred after waiting \d+ seconds for|Timeout after \S+ waiting on dependencies"
        r"|^(?:\w+\.)*ServerSelectionTimeoutError\b|^socket\.timeout: |^TimeoutError: timed out",
        confidence=0.87, through=True, unless=rf"{_OF_RANKS}|\blookup \S+",
    ),
)  # fmt: skip
