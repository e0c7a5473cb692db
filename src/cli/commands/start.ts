/** `start`: runs the service in the background and says where to find it, or in the foreground. */
import { spawn } from 'node:child_process';
import type { Config } from '../../config.ts';
import { EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { dockerFlag } from '../docker/flag.ts';
import { reportStack } from '../docker/report.ts';
import { runStackInForeground, startStack } from '../docker/stack.ts';
import { type Launch, launch } from '../launch.ts';
import { prettyLines } from '../pretty-log.ts';
import { baseUrl, logFile, NODE_FLAGS, PROJECT_ROOT, readConfig, SERVICE_ENTRY } from '../project.ts';
import { waitForExit } from '../run.ts';
import { printJson } from '../terminal.ts';
import { welcome } from '../welcome.ts';

export const start = defineCommand({
  name: 'start',
  summary: 'Start the bank and print where to find it.',
  details: `The service runs in the background, with its log and databases in the data directory
(see ./openbank help config). Starting a bank that runs already changes nothing.

With --docker, API, worker, KurrentDB, MongoDB and Mongo Express run as containers, and the first start downloads
their images. Exit code 4 when Docker cannot be used.`,
  options: {
    foreground: { type: 'boolean', short: 'f', help: 'Run in this terminal until Ctrl-C' },
    json: { type: 'boolean', help: 'Print the result as JSON' },
    ...dockerFlag,
  },
  async run({ foreground, json, docker }) {
    const config = readConfig();
    if (docker) return startInDocker(foreground === true, json === true);
    if (foreground) return runInForeground(config);
    report(config, await launch(config), json === true);
    return EXIT.ok;
  },
});

async function startInDocker(foreground: boolean, json: boolean): Promise<number> {
  if (foreground) return runStackInForeground();
  reportStack(await startStack(), json);
  return EXIT.ok;
}

interface Places {
  readonly url: string;
  readonly docs_url: string;
  readonly streams_url: string;
  readonly health_url: string;
  readonly log_file: string;
}

/** Prints how a start went. */
export function report(config: Config, result: Launch, json: boolean): void {
  const url = baseUrl(config);
  const places: Places = {
    url,
    docs_url: `${url}/api/docs`,
    streams_url: `${url}/admin/streams`,
    health_url: `${url}/health/ready`,
    log_file: logFile(config),
  };
  if (json) printJson({ outcome: result.outcome, pid: result.pid, ...places });
  else {
    const what = result.outcome === 'already' ? 'runs already' : 'is ready';
    welcome(`OpenBank ${what} (process ${result.pid}).`, [
      ['API documentation', places.docs_url],
      ['Stream browser', places.streams_url],
      ['Health', places.health_url],
      ['Log', places.log_file],
    ]);
  }
}

/** The log is pretty on a terminal and JSON lines elsewhere. */
async function runInForeground(config: Config): Promise<number> {
  const pretty = process.stdout.isTTY === true && config.logFile === undefined;
  const child = spawn(process.execPath, [...NODE_FLAGS, SERVICE_ENTRY], {
    cwd: PROJECT_ROOT,
    stdio: ['inherit', pretty ? 'pipe' : 'inherit', 'inherit'],
  });
  const exit = waitForExit(child);
  if (child.stdout) for await (const line of prettyLines(child.stdout)) process.stdout.write(line);
  return exit;
}
