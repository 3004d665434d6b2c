// What every TypeScript client does at the server, and the report of what it saw; `visit.py` is the same for
// Python. `test_clients.py` judges the report.
//
// The two SDK generations differ in how things are said, not in what is done: each passes its own words in `speak`.

const PATIENCE_MS = 30_000;

/** A list that can be waited for: `seen.first()` resolves with the first item, or fails after `PATIENCE_MS`. */
export function heard() {
  const items = [];
  const waiting = [];
  return {
    items,
    push(item) {
      items.push(item);
      for (const wake of waiting.splice(0)) wake();
    },
    async first(what) {
      const deadline = AbortSignal.timeout(PATIENCE_MS);
      while (items.length === 0) {
        await new Promise((resolve, reject) => {
          waiting.push(resolve);
          deadline.addEventListener("abort", () => reject(new Error(`no ${what} within ${PATIENCE_MS} ms`)));
        });
      }
      return items[0];
    },
  };
}

/** Every page of a list. */
async function pages(list, key) {
  const found = [];
  let cursor;
  do {
    const page = await list(cursor === undefined ? undefined : { cursor });
    found.push(...page[key]);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return found;
}

/**
 * Visits the server.
 *
 * @param client a connected client of either SDK
 * @param speak `modern`: whether it negotiated 2026-07-28; `call(name, arguments, onprogress)`; `logs` and `updated`:
 *   lists made by `heard()` that its notification handlers fill; `listen(uris)`: opens a listen stream (modern);
 *   `answers`: what the elicitation handler is to answer, in turn; `asked`: the questions it got.
 */
export async function visit(client, speak) {
  const report = {
    server: client.getServerVersion(),
    capabilities: client.getServerCapabilities(),
    instructions: client.getInstructions(),
    modern: speak.modern,
    progress: [],
    results: {},
  };
  const call = async (name, given = {}) => {
    const onprogress = (progress) => report.progress.push({ tool: name, ...progress });
    report.results[name] = await speak.call(name, given, onprogress);
    return report.results[name].structuredContent;
  };

  report.tools = await pages((params) => client.listTools(params), "tools");
  report.resources = await pages((params) => client.listResources(params), "resources");
  report.templates = await pages((params) => client.listResourceTemplates(params), "resourceTemplates");
  report.prompts = await pages((params) => client.listPrompts(params), "prompts");
  report.prompt = await client.getPrompt({ name: "investigate_failure", arguments: { job_name: "train-a" } });

  if (speak.modern) {
    await speak.listen(["runai://alerts"]);
  } else {
    await client.setLoggingLevel("info");
    await client.subscribeResource({ uri: "runai://alerts" });
  }
  // Nothing is monitored yet: this one waits in vain, and says so while it does.
  await call("wait_for_alerts", { timeout_seconds: 0.5 });
  const started = await call("start_monitoring", { poll_interval_seconds: 1 });
  const waited = await call("wait_for_alerts", { after_cursor: started.cursor, timeout_seconds: 30 });
  report.updated = [await speak.updated.first("resources/updated")];
  report.log = speak.modern ? [] : [await speak.logs.first("log message")];

  await call("monitoring_status");
  await call("list_alerts");
  await call("get_alert", { alert_id: waited.alerts[0].alert_id });
  const { workloads } = await call("list_workloads", { phase: "Running", limit: 20 });
  const job = { job_name: workloads[0].id };
  await call("job_status", job);
  await call("troubleshoot_job", job);
  report.misspelt = await speak.call("job_status", { job_name: `${workloads[0].name}x` });
  report.no_channel = await speak.call("send_test_notification", {});

  await call("manage_workload", { action: "suspend", ...job });
  speak.answers.push({ action: "decline" }, { action: "accept", content: { confirm: true } });
  report.declined = await speak.call("manage_workload", { action: "suspend", dry_run: false, ...job });
  report.accepted = await speak.call("manage_workload", { action: "suspend", dry_run: false, ...job });
  report.asked = speak.asked;

  report.read = {};
  for (const uri of [...report.resources.map((resource) => resource.uri), `runai://alerts/${waited.alerts[0].alert_id}`]) {
    report.read[uri] = (await client.readResource({ uri })).contents;
  }
  await call("replay_deliveries");
  await call("stop_monitoring");
  return report;
}
