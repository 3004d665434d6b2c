"""Services outside the job: names, connections, certificates, credentials and limits that ended a program."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import container, crashed, job, looping, pod, running

CASES = [
    # --- dns_failure -------------------------------------------------------------------------------------------------
    case(
        "dns-hub",
        "dns_failure",
        "requests and urllib3: the hub's name does not resolve",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 20, in <module>
                model = AutoModel.from_pretrained("bert-base-uncased")
            requests.exceptions.ConnectionError: (MaxRetryError('HTTPSConnectionPool(host=\\'huggingface.co\\', port=443): Max retries exceeded with url: /bert-base-uncased/resolve/main/config.json (Caused by NameResolutionError("<urllib3.connection.HTTPSConnection object at 0x7f2>: Failed to resolve \\'huggingface.co\\' ([Errno -3] Temporary failure in name resolution)"))'), '(Request ID: 9f)')
            """,
        ),
        never=("connection_refused", "connection_timeout", "python_exception"),
        pair="network-errors",
    ),
    case(
        "dns-curl",
        "dns_failure",
        "curl's exit 6",
        crashed(6, "curl: (6) Could not resolve host: data.acme.internal\n"),
        never=("application_error",),
    ),
    case(
        "dns-gaierror",
        "dns_failure",
        "Python's socket: Errno -2",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/fetch.py", line 8, in <module>
                s = socket.create_connection(("minio.data.svc", 9000))
            socket.gaierror: [Errno -2] Name or service not known
            """,
        ),
        never=("python_exception",),
    ),
    # --- connection_refused ------------------------------------------------------------------------------------------
    case(
        "refused-redis",
        "connection_refused",
        "redis-py names host and port",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/queue.py", line 14, in <module>
                r.ping()
            redis.exceptions.ConnectionError: Error 111 connecting to redis.data.svc:6379. Connection refused.
            """,
        ),
        never=("connection_timeout", "python_exception"),
        pair="network-errors",
    ),
    case(
        "refused-postgres",
        "connection_refused",
        "libpq's words",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/mlflow_setup.py", line 3, in <module>
                engine.connect()
            sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server at "postgres.mlflow.svc" (10.96.14.2), port 5432 failed: Connection refused
            \tIs the server running on that host and accepting TCP/IP connections?
            """,
        ),
    ),
    case(
        "refused-retried-and-reached",
        "python_exception",
        "the tracker was refused twice and then reached; the shape error ended the run",
        crashed(
            1,
            """
            WARNING: connect to mlflow:5000 failed: [Errno 111] Connection refused, retrying in 2 s
            WARNING: connect to mlflow:5000 failed: [Errno 111] Connection refused, retrying in 4 s
            INFO: connected to mlflow:5000, run id 8f21
            step 1 loss 9.71
            Traceback (most recent call last):
              File "/workspace/train.py", line 61, in <module>
                y = head(x)
            RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x768 and 1024x10)
            """,
        ),
        never=("connection_refused",),
        pair="refused",
    ),
    # --- connection_timeout ------------------------------------------------------------------------------------------
    case(
        "timeout-s3",
        "connection_timeout",
        "botocore names the endpoint",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/sync.py", line 19, in <module>
                s3.download_file("datasets", "imagenet.tar", "/scratch/imagenet.tar")
            botocore.exceptions.ConnectTimeoutError: Connect timeout on endpoint URL: "https://s3.acme.internal:9000/datasets/imagenet.tar"
            """,
        ),
        never=("dns_failure", "storage_unresponsive", "python_exception"),
        pair="network-errors",
    ),
    case(
        "timeout-hub",
        "connection_timeout",
        "requests: connect timeout",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 11, in <module>
                ds = load_dataset("tatsu-lab/alpaca")
            requests.exceptions.ConnectTimeout: HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded with url: /api/datasets/tatsu-lab/alpaca (Caused by ConnectTimeoutError(<urllib3.connection.HTTPSConnection object at 0x7f>, 'Connection to huggingface.co timed out. (connect timeout=10)'))
            """,
        ),
        never=("nccl_timeout",),
        pair="timeouts",
    ),
    # --- tls_error ---------------------------------------------------------------------------------------------------
    case(
        "tls-self-signed",
        "tls_error",
        "Python's ssl: a proxy's self-signed certificate in the chain",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 20, in <module>
                wandb.login()
            requests.exceptions.SSLError: HTTPSConnectionPool(host='api.wandb.ai', port=443): Max retries exceeded with url: /graphql (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate chain (_ssl.c:1006)')))
            """,
        ),
        never=("connection_refused", "credential_rejected", "python_exception"),
        pair="network-errors",
    ),
    case(
        "tls-curl-60",
        "tls_error",
        "curl's exit 60",
        crashed(
            60,
            "curl: (60) SSL certificate problem: unable to get local issuer certificate\nMore details here: https://curl.se/docs/sslcerts.html\n",
        ),
    ),
    # --- credential_rejected -----------------------------------------------------------------------------------------
    case(
        "credentials-gated-model",
        "credential_rejected",
        "a gated model: 403 from the hub",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 20, in <module>
                model = AutoModelForCausalLM.from_pretrained("meta-llama/Llama-3.1-8B")
            huggingface_hub.errors.GatedRepoError: 403 Client Error. (Request ID: Root=1-6)

            Cannot access gated repo for url https://huggingface.co/meta-llama/Llama-3.1-8B/resolve/main/config.json.
            Access to model meta-llama/Llama-3.1-8B is restricted and you are not in the authorized list. Visit https://huggingface.co/meta-llama/Llama-3.1-8B to ask for access.

            The above exception was the direct cause of the following exception:

            Traceback (most recent call last):
              File "/usr/local/lib/python3.10/dist-packages/transformers/utils/hub.py", line 426, in cached_file
                raise EnvironmentError(
            OSError: You are trying to access a gated repo.
            Make sure to have access to it at https://huggingface.co/meta-llama/Llama-3.1-8B.
            """,
        ),
        never=("permission_denied", "missing_file", "python_exception"),
        pair="denied",
    ),
    case(
        "credentials-s3",
        "credential_rejected",
        "S3: AccessDenied",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/sync.py", line 19, in <module>
                s3.download_file("datasets", "imagenet.tar", "/scratch/imagenet.tar")
            botocore.exceptions.ClientError: An error occurred (403) when calling the HeadObject operation: Forbidden
            """,
        ),
        never=("permission_denied", "python_exception"),
    ),
    case(
        "credentials-wandb",
        "credential_rejected",
        "wandb: 401 ends the run at its start",
        crashed(
            1,
            """
            wandb: ERROR Error while calling W&B API: user is not logged in (<Response [401]>)
            wandb: ERROR The API key you provided is either invalid or missing.
            Traceback (most recent call last):
              File "/workspace/train.py", line 33, in <module>
                run = wandb.init(project="llama")
            wandb.errors.errors.CommError: user is not logged in
            """,
        ),
        never=("python_exception",),
    ),
    case(
        "credentials-gcs",
        "credential_rejected",
        "GCS: the service account lacks the permission",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/load.py", line 12, in <module>
                blob.download_to_filename(path)
            google.api_core.exceptions.Forbidden: 403 GET https://storage.googleapis.com/download/storage/v1/b/acme-data/o/train.tar: train@acme.iam.gserviceaccount.com does not have storage.objects.get access to the Google Cloud Storage object. Permission 'storage.objects.get' denied on resource (or it may not exist).
            """,
        ),
        never=("permission_denied",),
    ),
    case(
        "credentials-wandb-offline-only-warned",
        "missing_file",
        "wandb was refused and went offline; the run ended on a missing checkpoint",
        crashed(
            1,
            """
            wandb: WARNING 401 unauthorized, switching to offline mode
            Traceback (most recent call last):
              File "/workspace/train.py", line 51, in <module>
                state = torch.load(args.resume)
            FileNotFoundError: [Errno 2] No such file or directory: '/ckpt/step-9000.pt'
            """,
        ),
        never=("credential_rejected",),
    ),
    # --- rate_limited ------------------------------------------------------------------------------------------------
    case(
        "rate-hub",
        "rate_limited",
        "429 from the hub ended the process",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 11, in <module>
                snapshot_download("tiiuae/falcon-40b")
            huggingface_hub.errors.HfHubHTTPError: 429 Client Error: Too Many Requests for url: https://huggingface.co/api/models/tiiuae/falcon-40b/revision/main
            """,
        ),
        never=("registry_rate_limited", "python_exception"),
        pair="limits",
    ),
    case(
        "rate-openai",
        "rate_limited",
        "an LLM API's 429 in a data generation job",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/generate.py", line 88, in <module>
                asyncio.run(main())
            openai.RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4o in organization on tokens per min (TPM): Limit 30000, Used 29888, Requested 412.', 'type': 'tokens', 'code': 'rate_limit_exceeded'}}
            """,
            gpus=0,
        ),
        never=("python_exception",),
    ),
    case(
        "rate-retried-in-a-running-job",
        "healthy",
        "429s are waited for; the job runs and its restarts are zero",
        pod(
            container(
                running(-180),
                log="""
                WARNING 429 Too Many Requests from huggingface.co, sleeping 30 s
                shard 118/400 done
                shard 119/400 done
                """,
            ),
            created=-185,
        ),
        job=job("Running", since=-180, created=-185, running=1),
        never=("rate_limited",),
        pair="limits",
    ),
    case(
        "refused-loop-of-a-server",
        "connection_refused",
        "an inference server that needs its database at the start and loops",
        looping(
            1,
            """
            panic: dial tcp 10.96.88.4:5432: connect: connection refused

            goroutine 1 [running]:
            main.main()
            """,
        ),
        job=job("Degraded", kind="Inference", since=-30),
        never=("application_error", "probe_failed"),
        pair="refused",
    ),
]
