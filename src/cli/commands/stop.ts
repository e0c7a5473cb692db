/** `stop`: ends the service gracefully. */
import { EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { dockerFlag } from '../docker/flag.ts';
import { stopStack } from '../docker/stack.ts';
import { baseUrl, readConfig } from '../project.ts';
import { findService, stopProcess } from '../service-process.ts';
import { print, printJson } from '../terminal.ts';

export const stop = defineCommand({
  name: 'stop',
  summary: 'Stop the bank gracefully.',
  details: `Stopping a bank that is not running is no failure. Only a process that is this OpenBank is ever ended.

With --docker the containers are ended and removed; their data stays in its volumes. Docker ends a container hard
when it does not stop in time, with or without --force.`,
  options: {
    force: { type: 'boolean', help: 'End the process hard when it does not stop in time' },
    json: { type: 'boolean', help: 'Print the result as JSON' },
    ...dockerFlag,
  },
  async run({ force, json, docker }) {
    const config = readConfig();
    if (docker) return stopInDocker(json === true);
    const view = await findService(config);
    await stopProcess(config, view, force === true);
    if (json)
      printJson({ outcome: view.pid === undefined ? 'not_running' : 'stopped', pid: view.pid ?? null });
    else if (view.pid !== undefined) print(`OpenBank (process ${view.pid}) has stopped.`);
    else if (view.probe.kind !== 'openbank') print('OpenBank is not running.');
    else print(`OpenBank of this data directory is not running; another one answers at ${baseUrl(config)}.`);
    return EXIT.ok;
  },
});

async function stopInDocker(json: boolean): Promise<number> {
  const stopped = await stopStack();
  if (json) printJson({ outcome: stopped ? 'stopped' : 'not_running' });
  else
    print(
      stopped ? 'The containers have stopped. Their data is kept.' : 'OpenBank is not running in Docker.',
    );
  return EXIT.ok;
}
