/** OpenBank with KurrentDB and MongoDB in containers: what the commands do on `--docker`. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from '../cli-error.ts';
import { baseUrl } from '../project.ts';
import { run } from '../run.ts';
import { type Probe, probe } from '../service-probe.ts';
import { type Address, ALL_PROFILES, addressOf, type Container, listContainers } from './containers.ts';
import { ask, requireDocker, show, stream } from './docker.ts';

/** The first start downloads the servers' images, which does not count; this is for starting. In seconds. */
const HEALTHY_S_MAX = 300;
const READY_MS_MAX = 60_000;
const POLL_MS = 250;

/** What is there, and what the API says where it is running. */
export interface StackView {
  readonly containers: readonly Container[];
  readonly api: Address | undefined;
  readonly probe: Probe;
}

/** Looks once. @throws CliError, exit code 4, when there is no Docker */
export async function findStack(): Promise<StackView> {
  await requireDocker();
  return look();
}

async function look(): Promise<StackView> {
  const containers = await listContainers();
  const api = addressOf(containers, 'api');
  return { containers, api, probe: api ? await probe(baseUrl(api)) : { kind: 'unreachable' } };
}

/**
 * Builds the image, starts all containers and waits until the API is ready.
 * @throws CliError when Docker is missing, a container does not get healthy, or the API not ready
 */
export async function startStack(): Promise<StackView> {
  await requireDocker();
  await show([
    'compose',
    'up',
    '--detach',
    '--remove-orphans',
    '--wait',
    '--wait-timeout',
    String(HEALTHY_S_MAX),
  ]);
  const deadline = performance.now() + READY_MS_MAX;
  for (;;) {
    const view = await look();
    if (view.probe.kind === 'openbank' && view.probe.ready) return view;
    if (performance.now() > deadline) {
      const seconds = READY_MS_MAX / 1000;
      throw new CliError(
        `The containers run, but OpenBank is not ready after ${seconds} s; see ./openbank status --docker.`,
      );
    }
    await delay(POLL_MS);
  }
}

/** Runs all containers in this terminal until Ctrl-C, and gives the exit code of compose. */
export async function runStackInForeground(): Promise<number> {
  await requireDocker();
  return run('docker', ['compose', 'up', '--remove-orphans']);
}

/** Ends and removes the containers; the data stays in its volumes. Tells whether there were any. */
export async function stopStack(): Promise<boolean> {
  const { containers } = await findStack();
  if (containers.length === 0) return false;
  await show(['compose', ...ALL_PROFILES, 'down', '--remove-orphans']);
  return true;
}

/** The names of the existing volumes, which hold all data. */
export async function listVolumes(): Promise<readonly string[]> {
  const { name } = JSON.parse(await ask(['compose', 'config', '--format', 'json'])) as { name: string };
  const label = `label=com.docker.compose.project=${name}`;
  const names = await ask(['volume', 'ls', '--filter', label, '--format', '{{.Name}}']);
  return names.split('\n').filter((line) => line !== '');
}

/** Ends and removes the containers and deletes all data. */
export function deleteStack(): Promise<void> {
  return show(['compose', ...ALL_PROFILES, 'down', '--volumes', '--remove-orphans']);
}

/** The end of the log of API and worker, line by line as they write it, and on `following` all that comes. */
export async function* readStackLog(count: number, following: boolean): AsyncGenerator<Buffer> {
  await requireDocker();
  const flags = [
    '--no-color',
    '--no-log-prefix',
    '--tail',
    String(count),
    ...(following ? ['--follow'] : []),
  ];
  const child = stream(['compose', 'logs', ...flags, 'api', 'worker']);
  const ended = once(child, 'close');
  yield* child.stdout;
  const [code] = await ended;
  if (code !== 0) throw new CliError(`docker compose logs failed with exit code ${code} (see above).`);
}
