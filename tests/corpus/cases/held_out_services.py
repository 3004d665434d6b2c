"""Services outside that refused, limited or did not answer, by authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import crashed, job, looping

CASES = [
    # --- outside services ---------------------------------------------------------------------------------------------
    case(
        "held-s3-expired-token",
        "credential_rejected",
        "dask/s3fs 500, boto/boto 898: a 13 hour job, ExpiredToken on UploadPart",
        crashed(
            1,
            """
            2026-03-01 02:40:10,311 INFO botocore.credentials Found credentials in environment variables.
            2026-03-01 02:44:51,100 INFO train step=88000 loss=2.31
            2026-03-01 02:54:02,667 INFO train uploading checkpoint s3://ml-ckpt/llama/step88000/ (41.2 GiB)
            Traceback (most recent call last):
              File "/opt/venv/lib/python3.10/site-packages/s3fs/core.py", line 113, in _error_wrapper
                return await func(*args, **kwargs)
              File "/opt/venv/lib/python3.10/site-packages/aiobotocore/client.py", line 411, in _make_api_call
                raise error_class(parsed_response, operation_name)
            botocore.exceptions.ClientError: An error occurred (ExpiredToken) when calling the UploadPart operation: The provided token has expired.

            The above exception was the direct cause of the following exception:

            Traceback (most recent call last):
              File "/workspace/train.py", line 402, in <module>
                save_remote(state, cfg.ckpt_url)
              File "/opt/venv/lib/python3.10/site-packages/s3fs/core.py", line 140, in _error_wrapper
                raise err
            PermissionError: The provided token has expired.
            """,
        ),
        never=("permission_denied", "python_exception"),
    ),
    case(
        "held-hub-gated-403",
        "credential_rejected",
        "huggingface_hub GatedRepoError: 403 for a model whose licence the token's owner has not accepted",
        crashed(
            1,
            """
            `torch_dtype` is deprecated! Use `dtype` instead!
            Traceback (most recent call last):
              File "/usr/local/lib/python3.10/dist-packages/huggingface_hub/utils/_http.py", line 409, in hf_raise_for_status
                response.raise_for_status()
            requests.exceptions.HTTPError: 403 Client Error: Forbidden for url: https://huggingface.co/meta-llama/Llama-3.1-8B/resolve/main/config.json

            The above exception was the direct cause of the following exception:

            huggingface_hub.errors.GatedRepoError: 403 Client Error. (Request ID: Root=1-67c2;7a11)

            Cannot access gated repo for url https://huggingface.co/meta-llama/Llama-3.1-8B/resolve/main/config.json.
            Access to model meta-llama/Llama-3.1-8B is restricted and you are not in the authorized list. Visit https://huggingface.co/meta-llama/Llama-3.1-8B to ask for access.

            The above exception was the direct cause of the following exception:

            Traceback (most recent call last):
              File "/workspace/eval.py", line 31, in <module>
                model = AutoModelForCausalLM.from_pretrained(args.model)
              File "/usr/local/lib/python3.10/dist-packages/transformers/utils/hub.py", line 533, in cached_files
                raise OSError(
            OSError: You are trying to access a gated repo.
            Make sure to have access to it at https://huggingface.co/meta-llama/Llama-3.1-8B.
            """,
        ),
        never=("missing_file", "python_exception", "permission_denied"),
    ),
    case(
        "held-wandb-403-upsert",
        "credential_rejected",
        "wandb/wandb 6905 and 8609: 403 on the first call, wandb.init raises CommError",
        crashed(
            1,
            """
            wandb: Using wandb-core as the SDK backend.  Please refer to https://wandb.me/wandb-core for more information.
            wandb: Currently logged in as: ml-robot to https://wandb.example.com. Use `wandb login --relogin` to force relogin
            wandb: ERROR Error while calling W&B API: permission denied (<Response [403]>)
            Problem at: /workspace/main.py 85 main
            wandb: ERROR It appears that you do not have permission to access the requested resource. Please reach out to the project owner to grant you access. If you have the correct permissions, verify that there are no issues with your networking setup.(Error 403: Forbidden)
            Traceback (most recent call last):
              File "/workspace/main.py", line 121, in <module>
                main(0, conf)
              File "/workspace/main.py", line 85, in main
                wandb.init(project=conf["project"], entity="vision-prod")
              File "/opt/conda/lib/python3.9/site-packages/wandb/sdk/wandb_init.py", line 1185, in init
                raise e
            wandb.errors.CommError: It appears that you do not have permission to access the requested resource. Please reach out to the project owner to grant you access. If you have the correct permissions, verify that there are no issues with your networking setup.(Error 403: Forbidden)
            """,
        ),
        never=("permission_denied", "connection_refused", "python_exception"),
    ),
    case(
        "held-hub-429",
        "rate_limited",
        "huggingface/datasets issues on 429: many ranks resolve the same files; retries used up",
        crashed(
            1,
            """
            Resolving data files:  61%|██████    | 2511/4118 [00:38<00:24, 65.70it/s]
            '(MaxRetryError) HTTPSConnectionPool' thrown while requesting GET https://huggingface.co/datasets/allenai/c4/resolve/main/en/c4-train.00101-of-01024.json.gz
            Retrying in 8s [Retry 5/5].
            Traceback (most recent call last):
              File "/usr/local/lib/python3.11/site-packages/huggingface_hub/utils/_http.py", line 409, in hf_raise_for_status
                response.raise_for_status()
            requests.exceptions.HTTPError: 429 Client Error: Too Many Requests for url: https://huggingface.co/api/datasets/allenai/c4/paths-info/main

            The above exception was the direct cause of the following exception:

            Traceback (most recent call last):
              File "/workspace/prepare.py", line 27, in <module>
                ds = load_dataset("allenai/c4", "en", streaming=True)
            huggingface_hub.errors.HfHubHTTPError: 429 Client Error: Too Many Requests for url: https://huggingface.co/api/datasets/allenai/c4/paths-info/main (Request ID: Root=1-67c2a;9d)

            We had to rate limit you. To increase your limits, please authenticate with a token.
            """,
        ),
        never=("credential_rejected", "registry_rate_limited", "connection_timeout"),
    ),
    case(
        "held-go-minio-no-such-host",
        "dns_failure",
        "logrus Go puller: lookup of the object store's name fails",
        looping(
            1,
            """
            time="2026-03-01T02:57:10Z" level=info msg="storage initializer v0.13" model=s3://models/bge-m3
            time="2026-03-01T02:57:10Z" level=info msg="using region us-east-1, path style"
            time="2026-03-01T02:57:20Z" level=warning msg="list objects failed, retry 1 of 3" error="dial tcp: lookup minio.storage.svc.cluster.local on 10.96.0.10:53: no such host"
            time="2026-03-01T02:57:40Z" level=warning msg="list objects failed, retry 2 of 3" error="dial tcp: lookup minio.storage.svc.cluster.local on 10.96.0.10:53: no such host"
            time="2026-03-01T02:57:59Z" level=fatal msg="download failed" error="RequestError: send request failed\\ncaused by: Get \\"http://minio.storage.svc.cluster.local:9000/models?list-type=2&prefix=bge-m3\\": dial tcp: lookup minio.storage.svc.cluster.local on 10.96.0.10:53: no such host"
            """,
            gpus=0,
        ),
        job=job("Degraded", since=-12, created=-20, kind="Inference"),
        never=("connection_refused", "application_error"),
    ),
    case(
        "held-mlflow-refused",
        "connection_refused",
        "mlflow/mlflow 12154: the tracking server refuses, set_experiment ends the job",
        crashed(
            1,
            """
            2026/03/01 02:51:07 WARNING mlflow.utils.autologging_utils: MLflow autologging encountered a warning: "/opt/conda/lib/python3.11/site-packages/mlflow/types/utils.py:407: UserWarning: Hint: Inferred schema contains integer column(s)."
            WARNING:urllib3.connectionpool:Retrying (Retry(total=4, connect=4, read=5, redirect=5, status=5)) after connection broken by 'NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7e710e575310>: Failed to establish a new connection: [Errno 111] Connection refused')': /api/2.0/mlflow/experiments/get-by-name?experiment_name=churn
            WARNING:urllib3.connectionpool:Retrying (Retry(total=0, connect=0, read=5, redirect=5, status=5)) after connection broken by 'NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7e710e5761d0>: Failed to establish a new connection: [Errno 111] Connection refused')': /api/2.0/mlflow/experiments/get-by-name?experiment_name=churn
            Traceback (most recent call last):
              File "/workspace/train_xgb.py", line 43, in <module>
                mlflow.set_experiment("churn")
              File "/opt/conda/lib/python3.11/site-packages/mlflow/utils/rest_utils.py", line 206, in http_request
                raise MlflowException(f"API request to {url} failed with exception {e}")
            mlflow.exceptions.MlflowException: API request to http://mlflow.mlops.svc:5000/api/2.0/mlflow/experiments/get-by-name failed with exception HTTPConnectionPool(host='mlflow.mlops.svc', port=5000): Max retries exceeded with url: /api/2.0/mlflow/experiments/get-by-name?experiment_name=churn (Caused by NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7e710e577090>: Failed to establish a new connection: [Errno 111] Connection refused'))
            """,
        ),
        never=("connection_timeout", "dns_failure", "python_exception"),
    ),
    case(
        "held-postgres-timeout",
        "connection_timeout",
        "psycopg2/SQLAlchemy (Stack Overflow): feature store's database does not answer, 'Is the server running' is libpq's wording",
        crashed(
            1,
            """
            {"event": "feature pull started", "entities": 120, "level": "info", "timestamp": "2026-03-01T02:50:01Z"}
            {"event": "pool created", "size": 5, "level": "info", "timestamp": "2026-03-01T02:50:01Z"}
            Traceback (most recent call last):
              File "/usr/local/lib/python3.10/site-packages/sqlalchemy/pool/base.py", line 896, in __connect
                self.dbapi_connection = connection = pool._invoke_creator(self)
              File "/usr/local/lib/python3.10/site-packages/psycopg2/__init__.py", line 122, in connect
                conn = _connect(dsn, connection_factory=connection_factory, **kwasync)
            psycopg2.OperationalError: connection to server at "pg-features.example.internal" (10.31.4.18), port 5432 failed: Connection timed out
            \tIs the server running on that host and accepting TCP/IP connections?

            The above exception was the direct cause of the following exception:

            Traceback (most recent call last):
              File "/workspace/pull.py", line 38, in <module>
                df = pd.read_sql(QUERY, engine)
            sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server at "pg-features.example.internal" (10.31.4.18), port 5432 failed: Connection timed out
            \tIs the server running on that host and accepting TCP/IP connections?

            (Background on this error at: https://sqlalche.me/e/20/e3q8)
            """,
            gpus=0,
        ),
        never=("connection_refused", "python_exception"),
    ),
    case(
        "held-java-pkix",
        "tls_error",
        "JVM behind a TLS-inspecting proxy: PKIX path building failed (Stack Overflow)",
        crashed(
            1,
            """
            26/03/01 02:48:01 WARN NativeCodeLoader: Unable to load native-hadoop library for your platform... using builtin-java classes where applicable
            26/03/01 02:48:03 INFO SparkContext: Running Spark version 3.5.1
            26/03/01 02:48:20 WARN S3AInstrumentation: stream statistics disabled
            Exception in thread "main" org.apache.hadoop.fs.s3a.AWSClientIOException: getFileStatus on s3a://lake/raw/clicks: software.amazon.awssdk.core.exception.SdkClientException: Unable to execute HTTP request: PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target
            \tat org.apache.hadoop.fs.s3a.S3AUtils.translateException(S3AUtils.java:221)
            \tat org.apache.hadoop.fs.s3a.S3AFileSystem.s3GetFileStatus(S3AFileSystem.java:3796)
            \tat org.apache.spark.sql.execution.datasources.DataSource$.checkAndGlobPathIfNecessary(DataSource.scala:730)
            Caused by: javax.net.ssl.SSLHandshakeException: PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target
            \tat java.base/sun.security.ssl.Alert.createSSLException(Alert.java:131)
            \t... 52 more
            26/03/01 02:48:22 INFO ShutdownHookManager: Shutdown hook called
            """,
            gpus=0,
        ),
        never=("application_error", "missing_file", "credential_rejected"),
    ),
    case(
        "held-flexlm-refused",
        "connection_refused",
        "ansys/pyfluent 230: FlexNet -15, the licence manager's port refuses",
        crashed(
            1,
            """
            /ansys_inc/v241/fluent/fluent24.1.0/bin/fluent -r24.1.0 3ddp -g -t32 -gpu=2 -i run.jou
            Build Time: Nov 24 2025 13:56:51 EST  Build Id: 10184
            Connected License Server List:\t

            ANSYS LICENSE MANAGER ERROR:
            Could not connect to any license server.
            The server is down or is not responsive.
              ANSYSLI_SERVERS: 2325@lic01.example.internal
              FLEXlm Servers: 1055@lic01.example.internal
            Cannot connect to license server system.
             The license server manager (lmgrd) has not been started yet,
             the wrong port@host or license file is being used, or the
             port or hostname in the license file has been changed.
            Feature:       cfd_solve_level2
            Server name:   10.100.2.76
            License path:  1055@lic01.example.internal;
            FlexNet Licensing error:-15,578.  System Error: 111 "Connection refused"

            Unexpected license problem; exiting.
            """,
            image="registry.example.com/ansys/fluent:24.1",
        ),
        never=("missing_file", "credential_rejected"),
        pair="held-licence",
    ),
    case(
        "held-matlab-licences-used-up",
        "application_error",
        "MathWorks License Manager Error -4: the server answered, all seats are taken; no identifier is more specific",
        crashed(
            1,
            """
            MATLAB is selecting SOFTWARE OPENGL rendering.
            License checkout failed.
            License Manager Error -4
            Maximum number of users for Parallel_Computing_Toolbox reached.
            Try again later.
            To see a list of current users use the lmstat utility or contact your License Administrator.

            Troubleshoot this issue by visiting:
            https://www.mathworks.com/support/lme/4

            Diagnostic Information:
            Feature: Distrib_Computing_Toolbox
            License path: 27000@lic02.example.internal:/home/matlab/.matlab/R2023b_licenses:/usr/local/MATLAB/licenses
            Licensing error: -4,132.
            """,
            image="mathworks/matlab:r2023b",
        ),
        never=("connection_refused", "rate_limited", "project_over_quota"),
        pair="held-licence",
    ),
]
