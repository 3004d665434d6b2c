"""Requests: token, retries, deadline, refusals, and no secret anywhere."""

from __future__ import annotations

import logging
import traceback
from datetime import timedelta
from email.utils import format_datetime

import anyio
import httpx2
import pytest

from runai_monitor.errors import (
    RunaiAuthError,
    RunaiError,
    RunaiNotFoundError,
    RunaiPayloadError,
    RunaiRejectedError,
    RunaiUnavailableError,
    SettingsError,
)
from runai_monitor.runai.transport import RunaiTransport
from tests.fakes import FakeClock
from tests.runai.fake_runai import (
    PLANTED,
    SECRET,
    TOKEN_PATH,
    WORKLOADS,
    Answer,
    FakeRunai,
    json_answer,
    make_transport,
    settle,
)

pytestmark = pytest.mark.anyio

OK = json_answer({"workloads": []})
SUSPEND = "/api/v1/workloads/trainings/1/suspend"
LOGIN_PAGE = httpx2.Response(
    200, content=b"<!doctype html><title>Sign in</title>", headers={"content-type": "text/html"}
)


async def get(transport: RunaiTransport) -> bytes:
    return await transport.call_api(resource_path=WORKLOADS, method="GET")


async def post(transport: RunaiTransport) -> bytes:
    return await transport.call_api(resource_path=SUSPEND, method="POST")


async def test_the_grant_has_the_published_field_names() -> None:
    """`app_token` is deprecated, and `clientId` is spelled so in prose only."""
    fake = FakeRunai({WORKLOADS: [OK]})
    await get(make_transport(fake, FakeClock()))
    [grant] = fake.asked(TOKEN_PATH)
    assert grant.content == (
        b'{"grantType":"client_credentials","clientID":"client-7","clientSecret":"' + SECRET.encode() + b'"}'
    )
    assert fake.asked(WORKLOADS)[0].headers["authorization"] == "Bearer token-1"


async def test_many_cold_requests_ask_for_one_token() -> None:
    """A start with several loops must not look like an attack on the token endpoint."""
    fake = FakeRunai({WORKLOADS: [OK]})
    transport = make_transport(fake, FakeClock())
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(get, transport)
    assert len(fake.asked(TOKEN_PATH)) == 1
    assert len(fake.asked(WORKLOADS)) == 20


async def test_waiters_share_the_failure_of_one_token_request() -> None:
    """With a revoked key, ten waiting calls are one refused login and not ten: accounts get locked."""
    fake = FakeRunai({TOKEN_PATH: [json_answer({"code": 401, "message": "no"}, 401)], WORKLOADS: [OK]})
    transport = make_transport(fake, FakeClock())
    refused = 0

    async def expect_refusal() -> None:
        nonlocal refused
        with pytest.raises(RunaiAuthError):
            await get(transport)
        refused += 1

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(expect_refusal)
    assert refused == 10
    assert len(fake.asked(TOKEN_PATH)) == 1


async def test_a_token_is_renewed_before_it_ends() -> None:
    """The vendor's client used a dead token for ever after the first refresh failed."""
    clock, fake = FakeClock(), FakeRunai({WORKLOADS: [OK]})
    transport = make_transport(fake, clock)
    await get(transport)
    await clock.advance(3539)
    await get(transport)
    await clock.advance(2)
    await get(transport)
    assert [request.headers["authorization"] for request in fake.asked(WORKLOADS)] == [
        "Bearer token-1",
        "Bearer token-1",
        "Bearer token-2",
    ]


async def test_a_revoked_token_is_renewed_once_for_all() -> None:
    """Ten calls in flight when the token is revoked: one renewal, and every call succeeds."""
    fake = FakeRunai()

    def check(request: httpx2.Request) -> httpx2.Response:
        valid = request.headers["authorization"] != "Bearer token-1"
        return OK if valid else json_answer({"code": 401, "message": "expired"}, 401)

    fake.scripts[WORKLOADS] = [check]
    transport = make_transport(fake, FakeClock())
    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(get, transport)
    assert len(fake.asked(TOKEN_PATH)) == 2


async def test_a_second_401_is_an_auth_error() -> None:
    """A new token that is refused too will not get better by asking again."""
    fake = FakeRunai({WORKLOADS: [json_answer({"code": 401, "message": "no"}, 401)]})
    with pytest.raises(RunaiAuthError) as caught:
        await get(make_transport(fake, FakeClock()))
    assert caught.value.status == 401
    assert len(fake.asked(WORKLOADS)) == 2


async def test_a_403_is_an_auth_error_without_renewal() -> None:
    """A missing role is not a bad token: the person must add an access rule."""
    fake = FakeRunai({WORKLOADS: [json_answer({"code": 403, "message": "no access"}, 403)]})
    with pytest.raises(RunaiAuthError, match="access rule") as caught:
        await get(make_transport(fake, FakeClock()))
    assert (caught.value.status, caught.value.endpoint) == (403, WORKLOADS)
    assert len(fake.requests) == 2


async def test_retry_after_seconds_are_obeyed() -> None:
    """Coming back earlier than told keeps the limiter closed."""
    clock = FakeClock()
    fake = FakeRunai({WORKLOADS: [json_answer({}, 429, {"retry-after": "7"}), OK]})
    await settle(clock, lambda: get(make_transport(fake, clock)))
    assert len(fake.asked(WORKLOADS)) == 2
    assert clock.monotonic() == 7


async def test_a_retry_after_date_is_obeyed() -> None:
    """The header may be a date; it is measured with the injected clock."""
    clock = FakeClock()
    at = format_datetime(clock.now() + timedelta(seconds=12), usegmt=True)
    fake = FakeRunai({WORKLOADS: [json_answer({}, 503, {"retry-after": at}), OK]})
    await settle(clock, lambda: get(make_transport(fake, clock)))
    assert clock.monotonic() == 12


async def test_a_retry_after_beyond_the_deadline_fails_at_once() -> None:
    """The caller may plan with the wish of the server instead of hanging for a minute in vain."""
    fake = FakeRunai({WORKLOADS: [json_answer({}, 429, {"retry-after": "300"})]})
    with pytest.raises(RunaiUnavailableError) as caught:
        await get(make_transport(fake, FakeClock()))
    assert (caught.value.status, caught.value.retry_after_seconds) == (429, 300)
    assert len(fake.asked(WORKLOADS)) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_get_is_repeated_after_a_server_error(status: int) -> None:
    """Rolling updates of the control plane answer so for a moment."""
    clock = FakeClock()
    fake = FakeRunai({WORKLOADS: [httpx2.Response(status), httpx2.Response(status), OK]})
    assert await settle(clock, lambda: get(make_transport(fake, clock))) == OK.content
    assert len(fake.asked(WORKLOADS)) == 3


@pytest.mark.parametrize(
    "error", [httpx2.ConnectError("refused"), httpx2.ReadTimeout("slow"), httpx2.RemoteProtocolError("cut")]
)
async def test_a_get_is_repeated_after_a_network_error(error: Exception) -> None:
    """No vendor error leaves this package, and one lost packet is no outage."""
    clock = FakeClock()
    fake = FakeRunai({WORKLOADS: [error, OK]})
    assert await settle(clock, lambda: get(make_transport(fake, clock))) == OK.content


async def test_an_untrusted_certificate_is_named() -> None:
    """Behind a company's own authority this is the first error everyone sees; "unreachable" would mislead."""
    clock = FakeClock()
    fake = FakeRunai({WORKLOADS: [httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate")]})
    with pytest.raises(RunaiUnavailableError, match=r"certificate that is not trusted.*SSL_CERT_FILE"):
        await settle(clock, lambda: get(make_transport(fake, clock)))


async def test_an_unreachable_control_plane_is_named_with_the_reason() -> None:
    """A mistyped address and a network that is down look alike otherwise."""
    clock = FakeClock()
    fake = FakeRunai({WORKLOADS: [httpx2.ConnectError("[Errno -2] Name or service not known")]})
    with pytest.raises(RunaiUnavailableError) as caught:
        await settle(clock, lambda: get(make_transport(fake, clock)))
    assert "cannot be reached at runai.example ([Errno -2] Name or service not known)" in str(caught.value)


async def test_an_outage_ends_within_the_deadline() -> None:
    """A poll that never returns is a monitor that never says it is blind."""
    clock = FakeClock()
    fake = FakeRunai({WORKLOADS: [httpx2.Response(503)]})
    with pytest.raises(RunaiUnavailableError):
        await settle(clock, lambda: get(make_transport(fake, clock, timeout_seconds=10)))
    assert clock.monotonic() <= 10
    assert len(fake.asked(WORKLOADS)) == 5  # at 0, 0.5, 1.5, 3.5, 7.5 s


@pytest.mark.parametrize(
    "failure", [httpx2.Response(503), httpx2.Response(500), httpx2.ReadTimeout("slow"), httpx2.ReadError("cut")]
)
async def test_a_post_that_may_have_been_applied_is_never_repeated(failure: httpx2.Response | Exception) -> None:
    """A suspend sent twice could undo a person's resume in between."""
    fake = FakeRunai({SUSPEND: [failure]})
    with pytest.raises(RunaiUnavailableError, match="may have been done"):
        await post(make_transport(fake, FakeClock()))
    assert len(fake.asked(SUSPEND)) == 1


@pytest.mark.parametrize("failure", [httpx2.ConnectError("refused"), httpx2.Response(429)])
async def test_a_post_that_was_never_accepted_is_repeated(failure: httpx2.Response | Exception) -> None:
    """Nothing was applied: no connection, or turned away at the door."""
    clock = FakeClock()
    fake = FakeRunai({SUSPEND: [failure, httpx2.Response(202)]})
    await settle(clock, lambda: post(make_transport(fake, clock)))
    assert len(fake.asked(SUSPEND)) == 2


async def test_a_post_follows_a_renewed_token() -> None:
    """A 401 was not acted upon, so a person's suspend must not fail for an expired token."""
    fake = FakeRunai({SUSPEND: [httpx2.Response(401), httpx2.Response(202)]})
    await post(make_transport(fake, FakeClock()))
    assert [request.headers["authorization"] for request in fake.asked(SUSPEND)] == ["Bearer token-1", "Bearer token-2"]


async def test_the_token_request_is_repeated() -> None:
    """It is a POST by name only: asking twice for a token harms nobody."""
    clock = FakeClock()
    fake = FakeRunai({WORKLOADS: [OK]})
    fake.scripts[TOKEN_PATH] = [httpx2.Response(503), LOGIN_PAGE, fake.grant]
    await settle(clock, lambda: get(make_transport(fake, clock)))
    assert len(fake.asked(TOKEN_PATH)) == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"<html>sign in</html>", ""),
        (b"{}", "accessToken"),
        (b"[]", "accessToken"),
        (b'{"accessToken": null}', "accessToken"),
        (b'{"accessToken": "two\\nlines"}', "accessToken"),
    ],
)
async def test_a_useless_token_answer_is_a_payload_error(body: bytes, field: str) -> None:
    """A 200 of a proxy is no token, and must not become a header."""
    clock = FakeClock()
    fake = FakeRunai({TOKEN_PATH: [httpx2.Response(200, content=body)]})
    with pytest.raises(RunaiPayloadError) as caught:
        await settle(clock, lambda: get(make_transport(fake, clock)))
    assert (caught.value.endpoint, caught.value.field) == (TOKEN_PATH, field)
    assert fake.asked(WORKLOADS) == []


async def test_a_missing_token_endpoint_is_not_a_missing_workload() -> None:
    """A 404 from a wrong base address would otherwise read as "this workload does not exist"."""
    fake = FakeRunai({TOKEN_PATH: [httpx2.Response(404)]})
    with pytest.raises(RunaiError, match="RUNAI_BASE_URL") as caught:
        await get(make_transport(fake, FakeClock()))
    assert not isinstance(caught.value, RunaiNotFoundError)


async def test_garbage_then_a_good_answer_is_a_good_answer() -> None:
    """Proxies answer 200 with their own page while they restart."""
    clock = FakeClock()
    fake = FakeRunai({WORKLOADS: [LOGIN_PAGE, httpx2.Response(200, content=OK.content[:-3]), OK]})
    assert await settle(clock, lambda: get(make_transport(fake, clock))) == OK.content


async def test_garbage_for_ever_is_a_payload_error_soon() -> None:
    """A login page stays one: three looks are enough, and its text is not quoted."""
    clock = FakeClock()
    fake = FakeRunai({WORKLOADS: [LOGIN_PAGE]})
    with pytest.raises(RunaiPayloadError, match=WORKLOADS) as caught:
        await settle(clock, lambda: get(make_transport(fake, clock)))
    assert len(fake.asked(WORKLOADS)) == 3
    assert "Sign in" not in str(caught.value)


async def test_garbage_after_other_failures_is_looked_at_again() -> None:
    """A restarting control plane says 503 a few times and then serves its proxy's page: one page is not three."""
    clock = FakeClock()
    busy = httpx2.Response(503)
    fake = FakeRunai({WORKLOADS: [busy, busy, busy, LOGIN_PAGE, OK]})
    assert await settle(clock, lambda: get(make_transport(fake, clock))) == OK.content


async def test_failures_of_every_kind_end_after_six_attempts() -> None:
    """Kinds that take turns must not keep one request going until its deadline."""
    clock = FakeClock()
    busy = httpx2.Response(503)
    fake = FakeRunai({WORKLOADS: [busy, LOGIN_PAGE, busy, LOGIN_PAGE, busy, busy, OK]})
    with pytest.raises(RunaiError):
        await settle(clock, lambda: get(make_transport(fake, clock)))
    assert len(fake.asked(WORKLOADS)) == 6


async def test_a_redirect_is_not_followed() -> None:
    """Following it would carry the bearer token to whoever sent it."""
    fake = FakeRunai({WORKLOADS: [httpx2.Response(302, headers={"location": "https://evil.example/login?x=1"})]})
    with pytest.raises(RunaiPayloadError, match="redirected") as caught:
        await get(make_transport(fake, FakeClock()))
    assert caught.value.status == 302
    assert {request.url.host for request in fake.requests} == {"runai.example"}


@pytest.mark.parametrize(
    ("status", "kind"), [(400, RunaiRejectedError), (404, RunaiNotFoundError), (409, RunaiRejectedError)]
)
async def test_a_refused_request_says_what_run_ai_said(status: int, kind: type[RunaiError]) -> None:
    """The reason is quoted on one line, bounded, and is not asked for again."""
    message = 'bad "filter"\n\x1b[31m' + "x" * 5000
    fake = FakeRunai({WORKLOADS: [json_answer({"code": status, "message": message}, status)]})
    with pytest.raises(kind) as caught:
        await get(make_transport(fake, FakeClock()))
    text = str(caught.value)
    assert "bad 'filter'" in text
    assert len(text) < 500
    assert text.isprintable()
    assert len(fake.asked(WORKLOADS)) == 1


@pytest.mark.parametrize(
    "base_url",
    [
        "http://runai.example",
        "http://127.0.0.1.evil.example",
        "ftp://runai.example",
        "runai.example",
        "https://user:hunter2@runai.example",
        "https://runai.example/?token=hunter2",
        "https://[broken",
        "",
    ],
)
def test_an_address_that_would_leak_the_secret_is_refused(base_url: str) -> None:
    """Plain http to anything but this machine; and the address is not repeated, as it may hold a password."""
    with pytest.raises(SettingsError, match="RUNAI_BASE_URL") as caught:
        make_transport(FakeRunai(), FakeClock(), base_url=base_url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "base_url", ["http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:5", "https://runai.example/prefix/"]
)
async def test_https_and_loopback_are_accepted(base_url: str) -> None:
    """The demo tenant speaks http on this machine."""
    fake = FakeRunai({"/prefix" + TOKEN_PATH: [httpx2.Response(503)]})
    make_transport(fake, FakeClock(), base_url=base_url)


@pytest.mark.parametrize(
    "path", ["/api/v1/workloads/../x", "/api//x", "/api/v1/workloads/a?x=1", "/api/v1/%2e%2e/x", "api"]
)
async def test_an_unsafe_path_is_never_sent(path: str) -> None:
    """Ids are not quoted by runapy: one with slashes would reach another endpoint."""
    fake = FakeRunai()
    with pytest.raises(RunaiRejectedError):
        await make_transport(fake, FakeClock()).call_api(resource_path=path, method="DELETE")
    assert fake.requests == []


async def test_no_secret_reaches_errors_reprs_or_logs(caplog: pytest.LogCaptureFixture) -> None:
    """Servers quote what they were sent; neither the secret nor a token may come out again."""
    caplog.set_level(logging.DEBUG, logger="runai_monitor")
    clock = FakeClock()

    def quoting(status: int) -> Answer:
        def answer(request: httpx2.Request) -> httpx2.Response:
            said = f"{SECRET} {request.headers.get('authorization')} and token-1"
            return json_answer({"code": status, "message": said, "details": SECRET}, status)

        return answer

    seen: list[str] = []
    for status in (400, 401, 403, 404, 429, 503):
        for path in (WORKLOADS, TOKEN_PATH):
            fake = FakeRunai({WORKLOADS: [OK], path: [quoting(status)]})
            transport = make_transport(fake, clock)
            with pytest.raises(RunaiError) as caught:
                await settle(clock, lambda transport=transport: get(transport))  # type: ignore[misc]
            seen += [str(caught.value), repr(caught.value), repr(transport), repr(vars(caught.value))]
            seen += traceback.format_exception(caught.value)
    text = "\n".join([*seen, caplog.text])
    for secret in (SECRET, "token-1", "token-2"):
        assert secret not in text


@pytest.mark.parametrize("status", [400, 403, 404, 409, 429, 503])
async def test_secrets_of_others_in_what_a_server_says_are_redacted(status: int) -> None:
    """A control plane quotes what it failed on, connection strings included, and errors become alerts and messages."""
    clock = FakeClock()
    said = "upstream failed: " + "x" * 130 + f" postgresql://svc:{PLANTED}@db/meta"
    fake = FakeRunai({WORKLOADS: [json_answer({"code": status, "message": said}, status)]})
    with pytest.raises(RunaiError, match="upstream failed") as caught:
        await settle(clock, lambda: get(make_transport(fake, clock)))
    for half in (PLANTED[:8], PLANTED[-8:]):
        assert half not in str(caught.value)


async def test_a_missing_ca_file_is_a_setting_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    """SSL_CERT_FILE is honoured, so a wrong one must say so instead of ending in a traceback."""
    monkeypatch.setenv("SSL_CERT_FILE", "/does/not/exist.pem")
    transport = RunaiTransport(
        base_url="https://runai.invalid",
        client_id="a",
        client_secret="b",
        clock=FakeClock(),
        redact=str,
        timeout_seconds=5,
    )
    with pytest.raises(SettingsError, match="SSL_CERT_FILE"):
        await get(transport)


@pytest.mark.parametrize("proxy", ["socks5://me:s3cret@127.0.0.1:9", "://[s3cret"])
async def test_a_proxy_that_cannot_be_used_is_a_setting_to_mend(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """Companies set SOCKS proxies for everything; the library's error quotes the address with its password."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    transport = RunaiTransport(
        base_url="https://runai.invalid",
        client_id="a",
        client_secret="b",
        clock=FakeClock(),
        redact=str,
        timeout_seconds=5,
    )
    with pytest.raises(SettingsError, match="HTTPS_PROXY") as caught:
        await get(transport)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
